/**
 * One socket beneath the connections of Deno's shape that have it in turn: a `Conn`, and from the upgrade on the `TlsConn`
 * that `startTls()` made of it.
 */

import { Socket } from "../socket.js";
import { denoError, errors } from "./errors.js";

const asyncDispose = Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose");

const nothing = () => {};

export class Link {
  #reader;
  #writer;

  /** What was received and not read yet. @type {Uint8Array | null} */
  #rest = null;

  /** The read that is pending. @type {Promise<number | null> | null} */
  #reading = null;

  #closed = false;

  /** Whether the FIN was sent, or is going to be. */
  #ended = false;

  /** @param {import("../../types/socket.d.ts").SocketInit} init */
  constructor(init) {
    this.socket = new Socket(init);
    this.#reader = this.socket.readable.getReader();
    this.#writer = this.socket.writable.getWriter();
    for (const promise of [this.#reader.closed, this.#writer.closed, this.#writer.ready]) promise.catch(nothing);
  }

  /** @returns {Promise<this>} itself, when the connection is made */
  async opened() {
    await this.socket.ready.catch(rethrow);
    return this;
  }

  /**
   * @param {Uint8Array} target
   * @returns {Promise<number | null>} how many bytes were written into it; null is the end
   */
  async read(target) {
    // As in Deno, each read gets what the ones before have left.
    while (this.#reading) await this.#reading.catch(nothing);
    this.#reading = this.#read(target);
    try {
      return await this.#reading;
    } finally {
      this.#reading = null;
    }
  }

  /** @param {Uint8Array} target */
  async #read(target) {
    this.#expectOpen();
    if (target.length === 0) return 0;
    const { value, done } = this.#rest ? { value: this.#rest, done: false } : await this.#receive();
    if (done || !value) return null;
    const count = Math.min(value.length, target.length);
    target.set(count === value.length ? value : value.subarray(0, count));
    this.#rest = count === value.length ? null : value.subarray(count);
    return count;
  }

  async #receive() {
    const received = await this.#reader.read().catch(rethrow);
    if (this.#closed) throw new errors.Interrupted("operation canceled");
    return received;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {Promise<number>} how many there were, when they belong to the caller again
   */
  async write(bytes) {
    this.#expectOpen();
    if (this.#ended) throw new errors.BrokenPipe("Broken pipe");
    await this.#writer.write(bytes).catch(rethrow);
    return bytes.length;
  }

  /** Sends the FIN behind what was written. */
  async closeWrite() {
    this.#expectOpen();
    if (this.#ended) return;
    this.#ended = true;
    await this.#writer.close().catch(rethrow);
  }

  /** Sends what was written and the FIN, and reads no more. */
  close() {
    this.#expectOpen();
    this.#closed = true;
    this.socket[/** @type {typeof Symbol.asyncDispose} */ (asyncDispose)]().catch(nothing);
  }

  /**
   * Makes a TLS handshake, as the client, and carries everything from then on over TLS.
   * @param {import("../../types/socket.d.ts").SocketTLSInit} tls
   */
  async secure(tls) {
    this.#expectOpen();
    if (this.#reading) throw new errors.Busy("The connection is being read from");
    if (this.#rest) {
      // Whoever put them there wants them to be taken for what comes over TLS.
      this.socket.abort();
      throw new errors.InvalidData("Bytes that were sent before TLS have not been read");
    }
    await this.socket.update({ type: "tls", tls }).catch(rethrow);
  }

  #expectOpen() {
    if (this.#closed) throw new errors.BadResource("Bad resource ID");
  }
}

/**
 * @param {unknown} failure
 * @returns {never}
 */
function rethrow(failure) {
  throw denoError(failure);
}
