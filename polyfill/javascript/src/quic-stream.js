import { defineInterface, granted } from "./webidl/interface.js";

/** One stream of a QUIC connection, or its datagrams. */
export class QuicStream {
  /** @type {{readable: ReadableStream, writable: WritableStream}} */
  #streams;

  /** @param {unknown[]} args */
  constructor(...args) {
    this.#streams = granted(args);
  }

  get readable() {
    return this.#streams.readable;
  }

  get writable() {
    return this.#streams.writable;
  }
}

defineInterface("QuicStream", QuicStream);
