import { defineInterface, granted, promised } from "./webidl/interface.js";

/**
 * @typedef {object} Session what a quic socket has beside the primary stream
 * @property {() => Promise<import("./quic-stream.js").QuicStream>} createBidirectionalStream
 * @property {() => Promise<WritableStream>} createUnidirectionalStream
 * @property {ReadableStream} incomingBidirectionalStreams
 * @property {ReadableStream} incomingUnidirectionalStreams
 * @property {import("./quic-stream.js").QuicStream} datagrams
 * @property {number} maxDatagramSize
 */

/** The streams and datagrams of a QUIC connection. */
export class QuicSession {
  /** @type {Session} */
  #session;

  /** @param {unknown[]} args */
  constructor(...args) {
    this.#session = granted(args);
  }

  createBidirectionalStream() {
    return promised(() => this.#session.createBidirectionalStream());
  }

  createUnidirectionalStream() {
    return promised(() => this.#session.createUnidirectionalStream());
  }

  get incomingBidirectionalStreams() {
    return this.#session.incomingBidirectionalStreams;
  }

  get incomingUnidirectionalStreams() {
    return this.#session.incomingUnidirectionalStreams;
  }

  get datagrams() {
    return this.#session.datagrams;
  }

  get maxDatagramSize() {
    return this.#session.maxDatagramSize;
  }
}

defineInterface("QuicSession", QuicSession);
