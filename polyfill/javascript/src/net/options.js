/** The arguments of `net.connect()` and `tls.connect()`, and what they mean for a socket. */

import { unsupported } from "./errors.js";

/**
 * @typedef {import("../../types/socket.d.ts").SocketInit} SocketInit
 * @typedef {import("../../types/socket.d.ts").SocketTLSInit} SocketTLSInit
 * @typedef {Record<string, any>} Options as Node's documentation has them
 * @typedef {(() => void) | undefined} Listener
 */

/** Options that Node knows, and what to do instead. */
const refusedConnecting = {
  path: "there are no sockets of a file system; give host and port",
  lookup: "names are resolved by the platform; leave it out, or give an address as host",
  onread: "read by 'data' or by read()",
  fd: "a connection cannot be adopted; connect()",
  handle: "a connection cannot be adopted; connect()",
};

const refusedSecuring = {
  checkServerIdentity: "certificates are always checked against servername or host; give that",
  ciphers: "the platform chooses; leave it out",
  crl: "the platform decides what is revoked; leave it out",
  maxVersion: "the platform chooses; leave it out",
  passphrase: "give a key that is not encrypted",
  pfx: "give key and cert as PEM",
  pskCallback: "give key and cert",
  secureProtocol: "the platform chooses; leave it out",
};

/** What every platform demands at least, so that to ask for it changes nothing. */
const oldVersions = [undefined, null, "TLSv1", "TLSv1.1", "TLSv1.2"];

/**
 * @param {any[]} args `(options, listener?)` or `(port, host?, options?, listener?)`
 * @returns {{options: Options, listener: Listener}}
 */
export function connectArguments(args) {
  const given = [...args];
  const listener = typeof given.at(-1) === "function" ? given.pop() : undefined;
  if (typeof given[0] === "object" && given[0] !== null) return { options: given[0], listener };
  const [port, ...rest] = given;
  if (typeof port === "string" && !/^\d+$/.test(port)) throw unsupported("path", refusedConnecting.path);
  const host = typeof rest[0] === "string" ? rest[0] : undefined;
  const options = rest.find((value) => typeof value === "object" && value !== null);
  return { options: { port: Number(port), ...(host !== undefined && { host }), ...options }, listener };
}

/**
 * @param {Options} options of connect()
 * @returns {SocketInit & {remote: {address: string, port: number}}}
 */
export function connectInit(options) {
  refuse(options, refusedConnecting);
  const { host, port, localAddress, localPort, noDelay, keepAlive, keepAliveInitialDelay } = options;
  return {
    type: "tcp",
    remote: { address: host || "localhost", port: Number(port) },
    ...((localAddress || localPort) && { local: { address: localAddress, port: Number(localPort ?? 0) } }),
    noDelay: Boolean(noDelay),
    keepAliveDelay: keepAlive ? keepAliveDelay(keepAliveInitialDelay) : 0,
  };
}

/** Node's default: what the operating system waits, which Linux takes for two hours. */
const systemKeepAliveDelay = 7_200_000;

/** @param {number} [delay] ms; 0 leaves it to the system. Below a second there is nothing that a system could do. */
export function keepAliveDelay(delay) {
  return delay ? Math.max(Math.trunc(delay), 1000) : systemKeepAliveDelay;
}

/**
 * @param {Options} given of `tls.connect()`
 * @param {string} [host] of the connection that is to be secured
 * @returns {SocketTLSInit}
 */
export function tlsInit(given, host) {
  const options = { ...given.secureContext?.options, ...given };
  refuse(options, refusedSecuring);
  if (options.rejectUnauthorized === false) {
    throw unsupported(
      "rejectUnauthorized: false",
      "a connection to nobody knows whom is not secure; give the server's certificate as ca, or its hash as serverCertificateHashes",
    );
  }
  if (!oldVersions.includes(options.minVersion)) {
    throw unsupported(
      `minVersion: ${options.minVersion}`,
      "the platform chooses; leave it out, and look at getProtocol()",
    );
  }
  const servername = options.servername ?? options.host ?? host;
  const { ca, key, cert, ALPNProtocols, serverCertificateHashes } = options;
  return {
    ...(servername && { servername }),
    ...(ca && { ca: [ca].flat() }),
    ...(key && { key: one(key, "key") }),
    ...(cert && { cert: one(cert, "cert") }),
    ...(ALPNProtocols && { alpn: [...ALPNProtocols].map(String) }),
    ...(serverCertificateHashes && { serverCertificateHashes }),
  };
}

/**
 * @param {any} value
 * @param {string} name
 */
function one(value, name) {
  if (!Array.isArray(value)) return value;
  if (value.length !== 1) throw unsupported(`more than one ${name}`, "give one");
  return value[0]?.pem ?? value[0];
}

/**
 * @param {Options} options
 * @param {Record<string, string>} refused
 */
function refuse(options, refused) {
  for (const [name, instead] of Object.entries(refused)) {
    if (options[name] !== undefined && options[name] !== null) throw unsupported(name, instead);
  }
}
