/**
 * The messages of the subprotocol "commonsocket.v1", as docs/tunnel.md describes them byte by byte. The daemon has the
 * same tables (polyfill/python/commonsocket/tunnel/messages.py), and a test compares them.
 */

import { bytesFromBase64, toBase64 } from "../base64.js";

/**
 * @typedef {import("../../core/init.js").SocketOptions} SocketOptions
 * @typedef {import("../../core/init.js").TLSInit} TLSInit
 * @typedef {import("../../core/failure.js").TransportFailure} TransportFailure
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("../../socket-tls-info.js").TLSDetails} TLSDetails
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 *
 * @typedef {{type: keyof typeof fromDaemon} & Record<string, any>} Control a message of the daemon
 * @typedef {Partial<Record<keyof typeof fromDaemon, (message: any) => void>>} Handlers
 */

export const subprotocol = "commonsocket.v1";

/** The one of websockify, whose daemons take nothing else from a browser: the plain bytes of a connection. */
export const plainSubprotocol = "binary";

/** What a subprotocol begins with that is a token, in base64url: a page can put it nowhere else but into the address. */
export const tokenPrefix = "commonsocket.token.";

/** What this side sends: type -> members. */
export const fromClient = {
  connect: ["init", "credit"],
  credit: ["bytes"],
  fin: [],
  configure: ["options"],
  secure: ["tls"],
  handshake: ["unread"],
  close: [],
  reset: [],
};

/** What the daemon sends: type -> members. */
export const fromDaemon = {
  connected: ["remote", "local", "tls", "credit"],
  credit: ["bytes"],
  fin: [],
  finished: [],
  held: [],
  secured: ["tls"],
  refused: ["phase", "code", "message", "bytes"],
  unreachable: ["phase", "code", "message"],
  failed: ["phase", "code", "message", "attempts"],
};

/** In front of a datagram of a socket that is not connected: port, length of the address, address. */
export const portSize = 2;
export const addressLengthSize = 1;

/**
 * @param {keyof typeof fromClient} type
 * @param {Record<string, unknown>} [members]
 * @returns {string}
 */
export function encode(type, members = {}) {
  return JSON.stringify({ type, ...members });
}

/**
 * @param {string} text
 * @returns {Control}
 * @throws {TypeError | SyntaxError} where the other end is no tunnel of this project
 */
export function decode(text) {
  const message = JSON.parse(text);
  const members = new Map(Object.entries(fromDaemon)).get(message?.type);
  if (!members?.every((name) => name in message)) throw new TypeError("The tunnel sent a message that is none");
  return message;
}

/**
 * @param {SocketOptions} options
 * @returns {Promise<Record<string, unknown>>} the `init` of a message "connect": a SocketInit in JSON
 */
export async function initOf({ type, remote, local, tls, ...rest }) {
  return {
    type,
    remote: remote && { address: remote.host, port: remote.port },
    local,
    tls: tls && (await tlsOf(tls)),
    ...(type === "udp" ? { ttl: rest.ttl } : optionsOf(rest)),
  };
}

/**
 * @param {Pick<SocketOptions, "noDelay" | "keepAliveDelay" | "ttl">} options
 * @returns {Record<string, unknown>} the `options` of a message "configure"
 */
export function optionsOf({ noDelay, keepAliveDelay, ttl }) {
  return { noDelay, keepAliveDelay, ttl };
}

/**
 * @param {TLSInit} tls
 * @returns {Promise<Record<string, unknown>>} the same in JSON, bytes in base64
 */
export async function tlsOf({ key, cert, ca, serverCertificateHashes, ...rest }) {
  return {
    ...rest,
    key: key && inJSON(typeof key === "object" && !(key instanceof Uint8Array) ? await exported(key) : key),
    cert: cert && inJSON(cert),
    ca: ca?.map(inJSON),
    serverCertificateHashes: serverCertificateHashes?.map(({ algorithm, value }) => ({
      algorithm,
      value: inJSON(value),
    })),
  };
}

/** @param {CryptoKey} key */
async function exported(key) {
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", key));
}

/** @param {string | Uint8Array} value */
function inJSON(value) {
  return typeof value === "string" ? value : { base64: toBase64(value) };
}

/**
 * @param {any} members of a TLS handshake, from a message
 * @returns {TLSDetails}
 */
export function tlsDetails({ version, cipher, alpn, servername, peerCertificates }) {
  const certificates = peerCertificates.map((/** @type {string} */ text) => bytesFromBase64(text).buffer);
  return { version, cipher, alpn, servername, peerCertificates: Object.freeze(certificates) };
}

/**
 * @param {any} message of type "failed", "refused" or "unreachable"
 * @returns {TransportFailure}
 */
export function failureIn({ phase, code, message, attempts = [] }) {
  const errors = attempts.map((/** @type {{code: string | null, message: string}} */ attempt) =>
    Object.assign(new Error(attempt.message), { code: attempt.code }),
  );
  return { phase, code, message, cause: errors.length > 0 ? new AggregateError(errors, message) : undefined };
}

/**
 * @param {Uint8Array} data
 * @param {string} host
 * @param {number} port
 * @returns {Uint8Array<ArrayBuffer>} the binary message for a datagram to anybody
 */
export function encodeDatagram(data, host, port) {
  const address = new TextEncoder().encode(host);
  const start = portSize + addressLengthSize;
  const message = new Uint8Array(start + address.length + data.length);
  new DataView(message.buffer).setUint16(0, port);
  message[portSize] = address.length;
  message.set(address, start);
  message.set(data, start + address.length);
  return message;
}

/**
 * @param {Uint8Array<ArrayBuffer>} message
 * @returns {{data: Uint8Array<ArrayBuffer>, source: Endpoint}} a datagram that came from anybody
 */
export function decodeDatagram(message) {
  const start = portSize + addressLengthSize;
  const end = start + message[portSize];
  const address = new TextDecoder().decode(message.subarray(start, end));
  const port = new DataView(message.buffer, message.byteOffset).getUint16(0);
  return { data: message.slice(end), source: { address, port } };
}
