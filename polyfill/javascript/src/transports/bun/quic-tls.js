import { createPrivateKey } from "node:crypto";
import net from "node:net";
import tls from "node:tls";
import { inPEM, refusal } from "../node/tls.js";

/**
 * @typedef {import("../../core/init.js").TLSInit} TLSInit
 * @typedef {import("../../socket-tls-info.js").TLSDetails} TLSDetails
 *
 * @typedef {object} Handshake what node:quic tells of a handshake
 * @property {string} protocol
 * @property {string} cipher
 * @property {string} cipherVersion
 * @property {string | undefined} servername
 * @property {string | undefined} validationErrorCode
 * @property {string | undefined} validationErrorReason
 */

/**
 * @param {TLSInit} init
 * @returns {object} options of node:quic, for either end
 */
function identity(init) {
  const { key, cert, ca } = inPEM(init);
  return {
    ...(key !== undefined && { keys: [createPrivateKey(key)], certs: [Buffer.from(/** @type {Buffer} */ (cert))] }),
    ...(ca && { ca: ca.map((authority) => Buffer.from(/** @type {Buffer} */ (authority))) }),
  };
}

/**
 * @param {TLSInit} init
 * @param {string} name
 * @returns {object} options of `connect()`
 */
export function clientOptions(init, name) {
  return {
    ...identity(init),
    // "An IP address is never sent as the server's name", and Bun would look for it among the names of the certificate.
    servername: net.isIP(name) ? undefined : name,
    verifyPeer: "manual",
  };
}

/**
 * @param {TLSInit} init
 * @returns {object} options of `listen()`
 */
export function serverOptions(init) {
  const { keys, certs, ca } = /** @type {any} */ (identity(init));
  const request = init.requestClientCertificate ?? false;
  return { sni: { "*": { keys, certs } }, ca, alpn: init.alpn, verifyClient: request, rejectUnauthorized: request };
}

/**
 * @param {TLSInit} init
 * @param {string} name what the certificate is checked against
 * @param {any} session whose handshake is finished
 * @param {Handshake} handshake
 * @returns {{code: string, message: string} | null} what is wrong with the server's certificate
 */
export function rejection(init, name, session, { validationErrorCode, validationErrorReason }) {
  const certificate = session.peerCertificate;
  if (init.serverCertificateHashes) {
    const { code, message } = refusal(init, () => certificate.raw) ?? {};
    return code ? { code, message: `${message}` } : null;
  }
  if (validationErrorCode) return { code: validationErrorCode, message: `${validationErrorReason}` };
  const error = /** @type {NodeJS.ErrnoException | undefined} */ (
    tls.checkServerIdentity(name, certificate.toLegacyObject())
  );
  return error ? { code: `${error.code}`, message: error.message } : null;
}

/**
 * @param {any} session
 * @param {Handshake} handshake
 * @returns {TLSDetails}
 */
export function detailsOf(session, { protocol, cipher, cipherVersion, servername }) {
  const raw = session.peerCertificate?.raw;
  return {
    version: cipherVersion,
    cipher,
    alpn: protocol || null,
    servername: servername || null,
    peerCertificates: Object.freeze(raw ? [new Uint8Array(raw).buffer] : []),
  };
}
