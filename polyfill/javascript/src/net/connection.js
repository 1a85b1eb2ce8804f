/**
 * One socket beneath the streams of Node's shape that carry it in turn: a `net.Socket`, and from the upgrade on the
 * `tls.TLSSocket` that it was given to.
 */

import { Socket } from "../socket.js";

/**
 * @typedef {object} Carrier the stream that has the connection at present
 * @property {(bytes: Uint8Array | null) => boolean} arrived takes bytes, or null for the peer's FIN; says whether it
 *   wants more
 * @property {(error: unknown) => void} broke the connection has failed; all that arrived before was passed on
 */

export class Connection {
  #reader;
  #writer;

  /** @type {Carrier} */
  #carrier;

  /** Whether a read is pending, which outlives a change of the carrier. */
  #reading = false;

  bytesRead = 0;

  bytesWritten = 0;

  /**
   * @param {import("../../types/socket.d.ts").SocketInit} init
   * @param {Carrier} carrier
   */
  constructor(init, carrier) {
    this.socket = new Socket(init);
    this.#carrier = carrier;
    this.#reader = this.socket.readable.getReader();
    this.#writer = this.socket.writable.getWriter();
    for (const promise of [this.#reader.closed, this.#writer.closed, this.#writer.ready]) promise.catch(() => {});
  }

  /** Reads until the carrier has had enough. */
  async read() {
    if (this.#reading) return;
    this.#reading = true;
    try {
      for (let wanted = true; wanted; ) {
        const { value, done } = await this.#reader.read();
        this.bytesRead += value?.length ?? 0;
        wanted = this.#carrier.arrived(done ? null : value) && !done;
      }
      this.#reading = false;
    } catch (error) {
      this.#carrier.broke(error);
    }
  }

  /**
   * @param {Uint8Array[]} chunks sent in their order
   * @returns {Promise<void>} fulfils when their memory belongs to the caller again
   */
  async write(chunks) {
    const written = chunks.map((chunk) => this.#writer.write(chunk));
    // The socket has one failure, which the first of them reports.
    for (const promise of written) promise.catch(() => {});
    await Promise.all(written);
    for (const chunk of chunks) this.bytesWritten += chunk.length;
  }

  /** @returns {Promise<void>} fulfils when the FIN was sent */
  end() {
    return this.#writer.close();
  }

  /**
   * Makes a TLS handshake, as the client, and carries everything from then on over TLS.
   *
   * @param {import("../../types/socket.d.ts").SocketTLSInit} tls
   * @param {Carrier} carrier has the connection from now on
   */
  async secure(tls, carrier) {
    this.#carrier = carrier;
    await this.socket.update({ type: "tls", tls });
  }

  /** Sends what was written and the FIN, and reads no more. */
  close() {
    this.socket[/** @type {typeof Symbol.asyncDispose} */ (asyncDispose)]().catch(() => {});
  }

  /** Ends it with a reset. */
  reset() {
    this.socket.abort();
  }
}

const asyncDispose = Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose");
