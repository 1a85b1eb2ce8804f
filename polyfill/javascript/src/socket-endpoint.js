import { defineInterface, granted } from "./webidl/interface.js";

/** @typedef {{address: string, port: number}} Endpoint a numeric address, IPv6 without brackets */

/** One end of a connection. */
export class SocketEndpoint {
  /** @type {Endpoint} */
  #endpoint;

  /** @param {unknown[]} args */
  constructor(...args) {
    this.#endpoint = granted(args);
  }

  get address() {
    return this.#endpoint.address;
  }

  get port() {
    return this.#endpoint.port;
  }

  toJSON() {
    const { address, port } = this.#endpoint;
    return { address, port };
  }
}

defineInterface("SocketEndpoint", SocketEndpoint);
