import { convertDictionary, toDOMString } from "./webidl/convert.js";
import { defineInterface } from "./webidl/interface.js";

/**
 * A failure of the transport, of name resolution or of TLS.
 *
 * As a "DOMException derived interface" its name is its identifier and its legacy code is 0.
 * https://webidl.spec.whatwg.org/#idl-DOMException-derived-interfaces
 */
export class SocketError extends DOMException {
  /** @type {string} */
  #errorCode;

  /** @type {string | null} */
  #systemCode;

  /**
   * @param {string} [message]
   * @param {{errorCode?: string, systemCode?: string | null}} [options]
   */
  constructor(message = "", options = {}) {
    const text = toDOMString(message);
    const { errorCode, systemCode } = convertDictionary("SocketErrorOptions", options);
    super(text, "SocketError");
    this.#errorCode = errorCode;
    this.#systemCode = systemCode;
  }

  get errorCode() {
    return this.#errorCode;
  }

  get systemCode() {
    return this.#systemCode;
  }
}

defineInterface("SocketError", SocketError);
