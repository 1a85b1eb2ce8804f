/**
 * `writable`: a stream of chunks, of BufferSource as a rule, counted in bytes.
 */

import { Deferred } from "../core/deferred.js";
import { byteLengthOf, bytesOf } from "../webidl/buffer-source.js";

/**
 * @typedef {import("../transports/transport.js").Message} Message
 *
 * @typedef {object} ChunkType what chunks of the stream are
 * @property {(chunk: unknown) => number} size in bytes; 0 for what is no chunk. Asked once for each, in order
 * @property {(chunk: unknown) => Message} convert asked later, in the same order; throws a TypeError for what is no chunk
 *
 * @typedef {object} WriteObserver what the write side asks of the socket
 * @property {(message: Message) => boolean} send hands a chunk to the transport; false: `accepted()` will be called
 * @property {() => void} sendFin hands the FIN to the transport; `finAccepted()` will be called
 * @property {(error: TypeError) => void} badChunk
 * @property {(reason: unknown) => void} aborted the user aborted the stream
 * @property {Pick<import("../transports/transport.js").Platform, "mend" | "setHighWaterMark">} streams
 */

/** @type {ChunkType} */
export const byteChunks = { size: byteLengthOf, convert: (chunk) => bytesOf(chunk, "The chunk") };

/** The write side of one socket. */
export class WriteSide {
  /** @type {"open" | "closed" | "failed"} */
  #state = "open";

  /** Whether the transport is there to write to. */
  #connected = false;

  #highWaterMark;

  #observer;

  #chunks;

  /** @type {WritableStreamDefaultController | null} */
  #controller = null;

  /** @type {WritableStream<any> | null} */
  #stream = null;

  #failure = /** @type {unknown} */ (undefined);

  /** The user is aborting the stream, which therefore errors itself. */
  #aborting = false;

  /** How many chunks were written to the stream, and how many of them have been dealt with. */
  #written = 0;
  #handled = 0;

  /** From which chunk on writes wait, although the transport is connected. */
  #heldFrom = Number.POSITIVE_INFINITY;

  /** Who waits for the chunks before that to be accepted. @type {Deferred<void> | null} */
  #flush = null;

  /** With which chunk the direction ends, although the stream is locked and cannot be closed. */
  #endsAt = Number.POSITIVE_INFINITY;

  /** The write that waits for the connection, or for the transport to accept its bytes. @type {Deferred<void> | null} */
  #write = null;

  /** The chunk that waits for the connection. @type {Message | null} */
  #early = null;

  /** The FIN that waits to be handed over. @type {Deferred<void> | null} */
  #fin = null;

  /**
   * @param {number} highWaterMark bytes: `sendBufferSize`
   * @param {WriteObserver} observer
   * @param {ChunkType} [chunks]
   */
  constructor(highWaterMark, observer, chunks = byteChunks) {
    this.#highWaterMark = highWaterMark;
    this.#observer = observer;
    this.#chunks = chunks;
  }

  /** Made on first use, as the readable is. */
  get stream() {
    if (this.#stream) return this.#stream;
    this.#stream = new WritableStream(
      {
        start: (controller) => this.#start(controller),
        write: (chunk) => this.#accept(chunk),
        close: () => this.#close(),
      },
      {
        highWaterMark: this.#highWaterMark,
        // Called within write(), so it counts the chunks, too. A bad chunk is judged when its turn comes: an exception
        // here would error the stream before the chunks in front of it are sent.
        size: (chunk) => {
          this.#written += 1;
          return this.#state === "open" ? this.#chunks.size(chunk) : 0;
        },
      },
    );
    if (this.#state === "closed") this.#stream.close();
    return this.#stream;
  }

  /** @param {number} size bytes */
  setHighWaterMark(size) {
    this.#highWaterMark = size;
    if (this.#controller) this.#observer.streams.setHighWaterMark(this.#controller, size);
  }

  /** The transport is connected: what was written before goes out. */
  connected() {
    this.#connected = true;
    if (this.#flows) this.#goOn();
    this.#flushed();
  }

  /**
   * Lets what has been written so far go out, and nothing after it.
   * @returns {Promise<void>} fulfils when all of that is accepted
   */
  hold() {
    this.#heldFrom = Math.min(this.#heldFrom, this.#written);
    this.#flush ??= new Deferred();
    this.#flushed();
    return this.#flush.promise;
  }

  /** Lets go what was held. */
  release() {
    if (this.#heldFrom === Number.POSITIVE_INFINITY) return;
    this.#heldFrom = Number.POSITIVE_INFINITY;
    this.#flush = null;
    if (this.#connected) this.#goOn();
  }

  /** Whether the next chunk may be sent. */
  get #flows() {
    return this.#connected && this.#handled < this.#heldFrom;
  }

  #goOn() {
    if (this.#state !== "open") return;
    const message = this.#early;
    this.#early = null;
    if (message && this.#observer.send(message)) this.accepted();
    if (this.#fin) this.#observer.sendFin();
  }

  #flushed() {
    if (this.#connected && this.#handled >= this.#heldFrom) this.#flush?.resolve();
  }

  /** The transport has accepted the bytes that it did not accept at once. */
  accepted() {
    const write = this.#write;
    this.#write = null;
    this.#finishWrite();
    write?.resolve();
  }

  /** The transport has accepted the FIN. */
  finAccepted() {
    this.#state = "closed";
    this.#fin?.resolve();
    // A locked stream cannot be closed from here.
    if (this.#endsAt !== Number.POSITIVE_INFINITY) this.#controller?.error(new TypeError("The write side has ended"));
  }

  /** @param {unknown} reason */
  fail(reason) {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#failure = reason;
    this.#early = null;
    if (!this.#aborting) this.#controller?.error(reason);
    this.#write?.reject(reason);
    this.#fin?.reject(reason);
  }

  /** Ends the direction from this side, behind everything that has been written, with or without the user's lock. */
  end() {
    if (this.#state !== "open" || this.#fin || this.#endsAt !== Number.POSITIVE_INFINITY) return;
    if (this.#stream && !this.#stream.locked) {
      // Closing or erroring already: then it is on its way.
      this.#stream.close().catch(() => {});
    } else {
      this.#endsAt = this.#written;
      this.#endIfFlushed();
    }
  }

  /** The direction is over at once, whatever waits to be written. */
  finish() {
    if (this.#state !== "open") return;
    this.#state = "closed";
    this.#early = null;
    this.#endsAt = this.#handled;
    const ended = new TypeError("The write side has ended");
    this.#write?.reject(ended);
    this.#fin?.resolve();
    if (this.#stream && !this.#stream.locked) this.#stream.close().catch(() => {});
    else if (!this.#fin) this.#controller?.error(ended);
  }

  /** @param {WritableStreamDefaultController} controller */
  #start(controller) {
    this.#controller = controller;
    this.#observer.streams.mend(controller);
    if (this.#state === "failed") return controller.error(this.#failure);
    // The sink's abort algorithm would have to wait for the write in flight; the signal does not.
    controller.signal.addEventListener("abort", () => {
      if (this.#state !== "open") return;
      this.#aborting = true;
      this.#observer.aborted(controller.signal.reason);
    });
  }

  /**
   * @param {unknown} chunk
   * @returns {Promise<void> | undefined} a promise only if the bytes are not accepted yet: it would cost every write
   */
  #accept(chunk) {
    if (this.#handled >= this.#endsAt) throw new TypeError("The write side has ended");
    let message;
    try {
      message = this.#chunks.convert(chunk);
    } catch (error) {
      this.#observer.badChunk(/** @type {TypeError} */ (error));
      throw error;
    }
    if (!this.#flows) this.#early = message;
    else if (this.#observer.send(message)) {
      this.#finishWrite();
      return undefined;
    }
    this.#write = new Deferred();
    return this.#write.promise;
  }

  #finishWrite() {
    this.#handled += 1;
    this.#endIfFlushed();
    this.#flushed();
  }

  #endIfFlushed() {
    if (this.#handled >= this.#endsAt && !this.#fin) this.#close();
  }

  #close() {
    if (this.#state !== "open") return undefined;
    this.#fin = new Deferred();
    this.#fin.markAsHandled();
    const { promise } = this.#fin;
    if (this.#flows) this.#observer.sendFin();
    return promise;
  }
}
