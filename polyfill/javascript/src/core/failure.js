/**
 * Failures: what they are called, and what becomes of an error of the platform.
 */

import { systemCodes } from "../generated/errors.js";
import { SocketError } from "../socket-error.js";

/**
 * @typedef {"connect" | "bind" | "established" | "tls-handshake" | "tls-established"} Phase
 *
 * @typedef {object} TransportFailure what a transport knows of its failure
 * @property {Phase} phase
 * @property {string} message
 * @property {string | null} code the system's name for it, such as "ECONNREFUSED"
 * @property {string} [errorCode] the SocketErrorCode, where the platform tells what it is and has no code for it
 * @property {unknown} cause the platform's own error
 */

/**
 * Whether a platform says that its policy forbids the connection: Node by a code; Deno by the class of its error, and by
 * one that no resolver has where a name may not be looked up.
 * "Policy blocks reject ready with NotAllowedError": they are not failures of the transport.
 * @param {string | null} code
 * @param {any} cause
 */
function isForbidden(code, cause) {
  if (code === "ERR_ACCESS_DENIED" || cause?.name === "NotCapable") return true;
  return code === "EPERM" && cause?.syscall === "getaddrinfo";
}

/**
 * @param {Phase} phase
 * @param {string | null} code
 * @returns {string} a SocketErrorCode
 */
export function errorCodeOf(phase, code) {
  const codes = systemCodes[phase];
  if (code === null) return codes["*"];
  if (Object.hasOwn(codes, code)) return codes[code];
  const prefix = Object.keys(codes).find(
    (key) => key.length > 1 && key.endsWith("*") && code.startsWith(key.slice(0, -1)),
  );
  return codes[prefix ?? "*"];
}

/**
 * @param {TransportFailure} failure
 * @returns {DOMException}
 */
export function failureOf({ phase, message, code, cause, errorCode = errorCodeOf(phase, code) }) {
  const error = isForbidden(code, cause)
    ? new DOMException(message, "NotAllowedError")
    : new SocketError(message, { errorCode, systemCode: code });
  // As the option `cause` of an Error does it. https://tc39.es/ecma262/#sec-installerrorcause
  Object.defineProperty(error, "cause", { value: cause, writable: true, configurable: true });
  return error;
}

/**
 * @param {string} what
 * @param {number | null} code null where the platform does not tell it
 * @returns {DOMException} the failure of a stream that the peer broke off
 */
export function streamError(what, code) {
  const message = code === null ? what : `${what}: application error code ${code}`;
  return failureOf({ phase: "established", code: "ECONNRESET", message, cause: undefined });
}

/** @returns {DOMException} what an abort without a reason fails a socket with */
export function abortError() {
  return new DOMException("The socket was aborted", "AbortError");
}

/**
 * @param {"readyTimeout" | "idleTimeout"} timer
 * @param {number} milliseconds
 * @returns {DOMException}
 */
export function timeoutError(timer, milliseconds) {
  return new DOMException(`${timer}: ${milliseconds} ms have passed`, "TimeoutError");
}

/**
 * @param {string} message
 * @returns {DOMException}
 */
export function invalidState(message) {
  return new DOMException(message, "InvalidStateError");
}

/**
 * @param {string} member
 * @returns {DOMException}
 */
export function invalidModification(member) {
  return new DOMException(`${member} cannot be changed`, "InvalidModificationError");
}

/**
 * @param {string} message
 * @returns {DOMException}
 */
export function notSupported(message) {
  return new DOMException(message, "NotSupportedError");
}
