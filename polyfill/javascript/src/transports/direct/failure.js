/**
 * What the errors of Direct Sockets mean. They are DOMExceptions, whose message is all that tells them apart.
 * https://wicg.github.io/direct-sockets/
 */

/**
 * @typedef {import("../transport.js").TransportFailure} TransportFailure
 * @typedef {import("../../core/failure.js").Phase} Phase
 */

/**
 * The system's names for what Chromium calls otherwise, where it names a failure at all: it does once a connection is
 * established. https://chromium.googlesource.com/chromium/src/+/main/net/base/net_error_list.h
 */
const systemCodes = /** @type {Record<string, string>} */ ({
  ERR_ACCESS_DENIED: "EACCES",
  ERR_ADDRESS_IN_USE: "EADDRINUSE",
  ERR_ADDRESS_INVALID: "EADDRNOTAVAIL",
  ERR_ADDRESS_UNREACHABLE: "EHOSTUNREACH",
  ERR_CONNECTION_ABORTED: "ECONNABORTED",
  ERR_CONNECTION_CLOSED: "ECONNRESET",
  ERR_CONNECTION_FAILED: "EHOSTUNREACH",
  ERR_CONNECTION_REFUSED: "ECONNREFUSED",
  ERR_CONNECTION_RESET: "ECONNRESET",
  ERR_CONNECTION_TIMED_OUT: "ETIMEDOUT",
  ERR_INSUFFICIENT_RESOURCES: "ENOBUFS",
  ERR_INTERNET_DISCONNECTED: "ENETUNREACH",
  ERR_MSG_TOO_BIG: "EMSGSIZE",
  ERR_NAME_NOT_RESOLVED: "ENOTFOUND",
  ERR_OUT_OF_MEMORY: "ENOMEM",
  ERR_TIMED_OUT: "ETIMEDOUT",
});

/** What opening fails with, by the message of the error, and with which code. @type {[part: string, code: string][]} */
const openings = [
  ["Hostname couldn't be resolved", "ENOTFOUND"],
  ["The address is not valid", "EADDRNOTAVAIL"],
  // A policy of the browser, of the app's manifest or of the user.
  ["is blocked", "ERR_ACCESS_DENIED"],
];

/**
 * @param {unknown} error of Direct Sockets
 * @returns {string | null} the system's name for it; null where Chromium says no more than "Network Error"
 */
function codeOf(error) {
  const { name = "", message = "" } = /** @type {Partial<Error>} */ (error ?? {});
  const [, chromium] = message.match(/net::(\w+)/) ?? [];
  if (chromium !== undefined) return systemCodes[chromium] ?? chromium;
  if (name === "NotAllowedError") return "ERR_ACCESS_DENIED";
  return openings.find(([part]) => message.includes(part))?.[1] ?? null;
}

/**
 * @param {Phase} phase
 * @param {unknown} error
 * @returns {TransportFailure}
 */
export function failureOf(phase, error) {
  return { phase, code: codeOf(error), message: String(/** @type {Error} */ (error)?.message ?? error), cause: error };
}
