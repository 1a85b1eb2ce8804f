import { Deferred } from "../../core/deferred.js";

/**
 * The way into a connection. A write to the platform's own stream cannot be given up: while the peer reads nothing, not
 * even close() gets past it. What is piped into that stream can be cut off, so everything goes through a pipe, which is
 * laid when there is something to write.
 */
export class Outlet {
  #writable;

  /** @type {WritableStreamDefaultWriter<Uint8Array> | null} */
  #writer = null;

  #cut = new AbortController();

  #done = /** @type {Deferred<void>} */ (new Deferred()).markAsHandled();

  /** @param {WritableStream<Uint8Array>} writable which stays open, and is nobody else's until everything is written */
  constructor(writable) {
    this.#writable = writable;
  }

  /** Whether nothing was ever written. */
  get unused() {
    return this.#writer === null;
  }

  /** Fulfils when everything is written or cut off, and rejects where that fails. */
  get done() {
    return this.#done.promise;
  }

  /**
   * @param {Uint8Array} bytes whose memory is the platform's until it is written
   * @returns {Promise<void>}
   */
  write(bytes) {
    this.#writer ??= this.#lay();
    return this.#writer.write(bytes);
  }

  /** @returns {Promise<void>} `done` */
  finish() {
    if (this.#writer) this.#writer.close().catch(() => {});
    else this.#done.resolve();
    return this.done;
  }

  /** Gives up what is not written. */
  cut() {
    this.#cut.abort();
    if (!this.#writer) this.#done.resolve();
  }

  #lay() {
    const { readable, writable } = new IdentityTransformStream();
    const { signal } = this.#cut;
    readable.pipeTo(this.#writable, { signal, preventClose: true, preventAbort: true }).then(
      () => this.#done.resolve(),
      (error) => (signal.aborted ? this.#done.resolve() : this.#done.reject(error)),
    );
    return writable.getWriter();
  }
}
