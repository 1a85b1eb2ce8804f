/** Failures as drivers that were written for Deno know them: instances of the classes of `Deno.errors`. */

/** The classes that connections throw. */
const names = /** @type {const} */ ([
  "AddrInUse",
  "AddrNotAvailable",
  "BadResource",
  "BrokenPipe",
  "Busy",
  "ConnectionAborted",
  "ConnectionRefused",
  "ConnectionReset",
  "Interrupted",
  "InvalidData",
  "NetworkUnreachable",
  "NotCapable",
  "NotSupported",
  "PermissionDenied",
  "TimedOut",
  "UnexpectedEof",
]);

/** @typedef {Record<typeof names[number], new (message?: string, options?: ErrorOptions) => Error & {code?: string}>} Errors */

/**
 * Deno's own where it has them, so that `instanceof` holds.
 * @type {Errors}
 */
export const errors = /** @type {any} */ (globalThis).Deno?.errors ?? Object.fromEntries(names.map(errorClass));

/** @param {string} name */
function errorClass(name) {
  const type = class extends Error {
    /**
     * @param {string} [message]
     * @param {ErrorOptions} [options]
     */
    constructor(message, options) {
      super(message, options);
      this.name = name;
    }
  };
  Object.defineProperty(type, "name", { value: name });
  return [name, type];
}

/**
 * What Deno calls the failures of a socket; for the rest it has an Error without a name.
 * @type {Record<string, keyof Errors>}
 */
const classes = {
  "access-denied": "PermissionDenied",
  "address-in-use": "AddrInUse",
  "address-not-bindable": "AddrNotAvailable",
  "remote-unreachable": "NetworkUnreachable",
  "connection-refused": "ConnectionRefused",
  "connection-reset": "ConnectionReset",
  "connection-aborted": "ConnectionAborted",
  timeout: "TimedOut",
  "tls-handshake-failed": "InvalidData",
  "tls-certificate-rejected": "InvalidData",
  "tls-protocol-error": "InvalidData",
  "tls-truncated": "UnexpectedEof",
  // The names of a DOMException that is no SocketError.
  NotAllowedError: "NotCapable",
  NotSupportedError: "NotSupported",
  TimeoutError: "TimedOut",
};

/**
 * @param {unknown} failure what a promise of the socket rejected with
 * @returns {unknown} an error of Deno's with the failure as its cause; or the reason of an abort, as it is
 */
export function denoError(failure) {
  const { name, message, errorCode, systemCode } = /** @type {any} */ (failure ?? {});
  const known = classes[errorCode ?? name];
  if (errorCode === undefined && known === undefined) return failure;
  const type = systemCode === "EPIPE" ? errors.BrokenPipe : known ? errors[known] : Error;
  const error = new type(message, { cause: failure });
  return systemCode ? Object.assign(error, { code: systemCode }) : error;
}
