import { defineInterface, granted } from "./webidl/interface.js";

/**
 * @typedef {object} Details what is known of a connection; its SocketInfo shows it live
 * @property {string} type
 * @property {import("./socket-endpoint.js").SocketEndpoint | null} remote
 * @property {import("./socket-endpoint.js").SocketEndpoint | null} local
 * @property {import("./socket-tls-info.js").SocketTLSInfo | null} tls
 */

/** What is known of one socket's connection. */
export class SocketInfo {
  /** @type {Details} */
  #details;

  /** @param {unknown[]} args */
  constructor(...args) {
    this.#details = granted(args);
  }

  get type() {
    return this.#details.type;
  }

  get remote() {
    return this.#details.remote;
  }

  get local() {
    return this.#details.local;
  }

  get tls() {
    return this.#details.tls;
  }

  /** Without `tls`, whose interface has no toJSON and so is no JSON type. https://webidl.spec.whatwg.org/#dfn-json-types */
  toJSON() {
    const { type, remote, local } = this.#details;
    return { type, remote, local };
  }
}

defineInterface("SocketInfo", SocketInfo);
