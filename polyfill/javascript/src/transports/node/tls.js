import { createHash, createPrivateKey, KeyObject, X509Certificate } from "node:crypto";
import net from "node:net";
import tls from "node:tls";

/**
 * @typedef {import("../../core/init.js").TLSInit} TLSInit
 * @typedef {import("../../socket-tls-info.js").TLSDetails} TLSDetails
 */

/** How a private key in DER may be packed, the usual form first. */
const keyForms = /** @type {const} */ (["pkcs8", "pkcs1", "sec1"]);

/** X509_V_ERR_CERT_REJECTED: what OpenSSL says when an application refuses a certificate. */
const certificateRejected = "CERT_REJECTED";

/**
 * What of `tls` Node calls a secure context.
 * @param {TLSInit} init
 * @returns {tls.SecureContext}
 * @throws {TypeError} where a key or a certificate cannot be parsed, or they do not belong together
 */
export function credentials(init) {
  try {
    return tls.createSecureContext(inPEM(init));
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new TypeError(`tls.key, tls.cert or tls.ca cannot be used: ${message}`, { cause: error });
  }
}

/** @param {TLSInit} init */
export function inPEM({ key, cert, ca }) {
  return {
    key: key === undefined ? undefined : privateKey(key),
    cert: cert === undefined ? undefined : certificate(cert),
    ca: ca?.map(certificate),
  };
}

/** @param {CryptoKey | string | Uint8Array} key */
function privateKey(key) {
  if (typeof key === "string") return toPEM(createPrivateKey(key));
  if (key instanceof Uint8Array) {
    const bytes = Buffer.from(key);
    return toPEM(isPEM(key) ? createPrivateKey(bytes) : parseKey(bytes));
  }
  return toPEM(KeyObject.from(/** @type {import("node:crypto").webcrypto.CryptoKey} */ (key)));
}

/** @param {Buffer} der */
function parseKey(der) {
  /** @type {unknown} */
  let refused;
  for (const type of keyForms) {
    try {
      return createPrivateKey({ key: der, format: "der", type });
    } catch (error) {
      refused = error;
    }
  }
  throw refused;
}

/** @param {KeyObject} key */
function toPEM(key) {
  return key.export({ format: "pem", type: "pkcs8" });
}

/**
 * Node ignores what it cannot parse in `ca`, so it is parsed here first.
 * @param {string | Uint8Array} given
 */
function certificate(given) {
  const bytes = typeof given === "string" ? given : Buffer.from(given);
  const parsed = new X509Certificate(bytes);
  return isPEM(bytes) ? bytes : parsed.toString();
}

/** @param {string | Uint8Array} given */
function isPEM(given) {
  return (typeof given === "string" ? given : Buffer.from(given).toString("latin1")).includes("-----BEGIN ");
}

/**
 * Begins a handshake over a connection.
 * @param {import("node:stream").Duplex} raw a connection
 * @param {object} options
 * @param {TLSInit} options.init
 * @param {string} options.host what the certificate is checked against where there is no servername
 * @param {boolean} options.server whether this end is the server
 * @returns {tls.TLSSocket}
 */
export function handshake(raw, { init, host, server }) {
  const secureContext = credentials(init);
  const ALPNProtocols = init.alpn;
  if (server) {
    const request = init.requestClientCertificate ?? false;
    const options = { isServer: true, secureContext, ALPNProtocols, requestCert: request, rejectUnauthorized: request };
    const socket = new tls.TLSSocket(raw, options);
    // What tls.Server does once it is done with a socket, without which errors after the handshake are kept back.
    /** @type {any} */ (socket)._releaseControl();
    return socket;
  }
  const name = init.servername ?? host;
  // "An IP address is never sent as the server's name", but it is what the certificate is checked against.
  const servername = net.isIP(name) ? undefined : name;
  const pinned = init.serverCertificateHashes !== undefined;
  const options = { socket: raw, host: name, servername, secureContext, ALPNProtocols };
  const unchecked = pinned ? { rejectUnauthorized: false, checkServerIdentity: () => undefined } : {};
  return tls.connect({ ...options, ...unchecked });
}

/**
 * "With serverCertificateHashes a server is accepted whose leaf certificate has one of the SHA-256 hashes."
 * @param {TLSInit} init
 * @param {() => Uint8Array} leaf
 * @returns {NodeJS.ErrnoException | null} what is wrong with the certificate
 */
export function refusal({ serverCertificateHashes }, leaf) {
  if (!serverCertificateHashes) return null;
  const hash = createHash("sha256").update(leaf()).digest();
  const right = serverCertificateHashes.some(({ algorithm, value }) => algorithm === "sha-256" && hash.equals(value));
  if (right) return null;
  const error = new Error("The server's certificate has none of the hashes of tls.serverCertificateHashes");
  return Object.assign(error, { code: certificateRejected });
}

/**
 * @param {tls.TLSSocket} socket whose handshake is finished
 * @returns {TLSDetails}
 */
export function detailsOf(socket) {
  const sent = /** @type {string | false | null | undefined} */ (/** @type {any} */ (socket).servername);
  return {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol || null,
    servername: sent || null,
    peerCertificates: Object.freeze(chainOf(socket)),
  };
}

/** @param {tls.TLSSocket} socket */
function chainOf(socket) {
  /** @type {ArrayBuffer[]} */
  const chain = [];
  /** @type {tls.DetailedPeerCertificate | undefined} */
  let next = socket.getPeerCertificate(true);
  // The issuer of a root is the root itself; of a peer without a certificate Node gives an empty object.
  while (next?.raw && (chain.length === 0 || next !== next.issuerCertificate)) {
    chain.push(new Uint8Array(next.raw).buffer);
    if (next === next.issuerCertificate) break;
    next = next.issuerCertificate;
  }
  return chain;
}
