/**
 * Keys and certificates by their outer structure (RFC 7468, X.690): a page has nothing that could read more of them. That
 * they belong together only the tunnel finds out.
 */

import { bytesFromBase64 } from "../base64.js";

/** @typedef {import("../../core/init.js").TLSInit} TLSInit */

const block = /-----BEGIN ([A-Z0-9 ]+)-----\s*([\s\S]*?)\s*-----END \1-----/g;

/** What RFC 1421 puts in front of a key that is encrypted. */
const headers = /^(?:[A-Za-z-]+: [^\n]*\n)+\s*/;

const certificateLabels = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

/**
 * @param {TLSInit} tls
 * @throws {TypeError}
 */
export function checkCredentials({ key, cert, ca = [] }) {
  if ((typeof key === "string" || key instanceof Uint8Array) && !isKey(key)) {
    throw new TypeError("tls.key is not a private key in PEM or DER");
  }
  if (cert !== undefined && !isCertificate(cert)) throw new TypeError("tls.cert is not a certificate in PEM or DER");
  const wrong = ca.findIndex((each) => !isCertificate(each));
  if (wrong >= 0) throw new TypeError(`tls.ca[${wrong}] is not a certificate in PEM or DER`);
}

/** @param {string | Uint8Array} given */
function isCertificate(given) {
  const blocks = blocksOf(given);
  if (!blocks) return given instanceof Uint8Array && isSequence(given);
  return blocks.some(({ label }) => certificateLabels.includes(label)) && blocks.every(({ der }) => isSequence(der));
}

/** @param {string | Uint8Array} given */
function isKey(given) {
  const blocks = blocksOf(given);
  if (!blocks) return given instanceof Uint8Array && isSequence(given);
  const keys = blocks.filter(({ label }) => label.endsWith("PRIVATE KEY"));
  return keys.length > 0 && keys.every(({ der }) => isSequence(der));
}

/**
 * @param {string | Uint8Array} given
 * @returns {{label: string, der: Uint8Array | null}[] | null} null where it is not PEM
 */
function blocksOf(given) {
  const text = typeof given === "string" ? given : new TextDecoder("latin1").decode(given);
  if (!text.includes("-----BEGIN ")) return typeof given === "string" ? [] : null;
  return [...text.matchAll(block)].map(([, label, body]) => ({ label, der: decoded(body.replace(headers, "")) }));
}

/** @param {string} body */
function decoded(body) {
  try {
    return bytesFromBase64(body);
  } catch {
    return null;
  }
}

/**
 * @param {Uint8Array | null} der
 * @returns {boolean} whether it is one SEQUENCE of ASN.1, whose length is right
 */
function isSequence(der) {
  if (!der || der.length < 2 || der[0] !== 0x30) return false;
  if (der[1] < 0x80) return der.length === 2 + der[1];
  const count = der[1] & 0x7f;
  if (count === 0 || count > 4 || der.length < 2 + count) return false;
  const size = der.subarray(2, 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  return der.length === 2 + count + size;
}
