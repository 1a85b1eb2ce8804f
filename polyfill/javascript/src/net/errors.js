/** Failures as drivers that were written for Node know them: an Error with `code` and `syscall`. */

/**
 * What Node calls a failure of which the system's own name is not known, as through some tunnels.
 * @type {Record<string, string>}
 */
const codes = {
  "access-denied": "EACCES",
  "name-unresolvable": "ENOTFOUND",
  "address-in-use": "EADDRINUSE",
  "address-not-bindable": "EADDRNOTAVAIL",
  "remote-unreachable": "EHOSTUNREACH",
  "connection-refused": "ECONNREFUSED",
  "connection-reset": "ECONNRESET",
  "connection-aborted": "ECONNABORTED",
  timeout: "ETIMEDOUT",
  "resource-limit": "EMFILE",
  "tls-handshake-failed": "EPROTO",
  "tls-certificate-rejected": "ERR_TLS_CERT_REJECTED",
  "tls-protocol-error": "EPROTO",
  "tls-truncated": "ECONNRESET",
  // The names of a DOMException that is no SocketError.
  AbortError: "ABORT_ERR",
  NotAllowedError: "EACCES",
  NotSupportedError: "ENOTSUP",
  TimeoutError: "ETIMEDOUT",
};

/**
 * @param {unknown} failure what a promise of the socket rejected with
 * @param {string} syscall what was being done
 * @param {{host: string, port: number}} [end] where to, while connecting
 * @returns {NodeJS.ErrnoException} with the failure as its cause
 */
export function nodeError(failure, syscall, end) {
  const { name, message, errorCode, systemCode } = /** @type {any} */ (failure ?? {});
  const code = systemCode ?? codes[errorCode ?? name] ?? "UNKNOWN";
  const where = end ? ` ${end.host}:${end.port}` : "";
  const error = new Error(`${syscall} ${code}${where}: ${message ?? failure}`, { cause: failure });
  return Object.assign(error, { code, syscall, ...(end && { address: end.host, port: end.port }) });
}

/**
 * An option that Node has and that this cannot honour. To pass over it in silence would change what the caller gets.
 *
 * @param {string} what
 * @param {string} instead
 * @returns {TypeError & {code: string}}
 */
export function unsupported(what, instead) {
  return Object.assign(new TypeError(`${what} is not supported by commonsocket: ${instead}`), {
    code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
  });
}
