/**
 * The way into a connection. A write to the platform's own stream cannot be given up: while the peer reads nothing, not
 * even close() gets past it. What is piped into that stream can be cut off, so everything goes through a pipe.
 */
export class Outlet {
  #pipe = new IdentityTransformStream();
  #writer = this.#pipe.writable.getWriter();
  #cut = new AbortController();

  /** Fulfils when everything is written, and rejects where that fails; not where it is cut off. */
  done;

  /** @param {WritableStream<Uint8Array>} writable which stays open, and is nobody else's until everything is written */
  constructor(writable) {
    const { signal } = this.#cut;
    const piped = this.#pipe.readable.pipeTo(writable, { signal, preventClose: true, preventAbort: true });
    this.done = piped.catch((/** @type {unknown} */ error) => {
      if (!signal.aborted) throw error;
    });
    this.done.catch(() => {});
  }

  /**
   * @param {Uint8Array} bytes whose memory is the platform's until it is written
   * @returns {Promise<void>}
   */
  write(bytes) {
    return this.#writer.write(bytes);
  }

  /** @returns {Promise<void>} `done` */
  finish() {
    this.#writer.close().catch(() => {});
    return this.done;
  }

  /** Gives up what is not written. */
  cut() {
    this.#cut.abort();
  }
}
