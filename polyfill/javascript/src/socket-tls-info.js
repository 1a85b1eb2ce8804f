import { defineInterface, granted } from "./webidl/interface.js";

/**
 * @typedef {object} TLSDetails
 * @property {string} version such as "TLSv1.3"
 * @property {string} cipher its IANA name
 * @property {string | null} alpn
 * @property {string | null} servername
 * @property {readonly ArrayBuffer[]} peerCertificates frozen; DER, leaf first
 */

/** What a TLS handshake agreed on. */
export class SocketTLSInfo {
  /** @type {TLSDetails} */
  #details;

  /** @param {unknown[]} args */
  constructor(...args) {
    this.#details = granted(args);
  }

  get version() {
    return this.#details.version;
  }

  get cipher() {
    return this.#details.cipher;
  }

  get alpn() {
    return this.#details.alpn;
  }

  get servername() {
    return this.#details.servername;
  }

  get peerCertificates() {
    return this.#details.peerCertificates;
  }
}

defineInterface("SocketTLSInfo", SocketTLSInfo);
