/**
 * What is written to the platform, one write at a time: it reads from the memory that it is given until the write is
 * fulfilled. Small chunks are copied, so that whoever writes them need not wait, and leave together.
 */

/** Up to this size a chunk is worth copying. */
const smallSize = 8 * 1024;

/** The most that is copied together. */
const stageSize = 64 * 1024;

/** A larger chunk goes in slices, so that a slow connection shows progress. */
const sliceSize = 64 * 1024;

/**
 * @typedef {object} SendObserver
 * @property {(count: number) => void} sent so many bytes were accepted
 * @property {() => void} accepted all bytes of a write that waited were accepted
 */

/** The outgoing bytes of one connection. */
export class SendBuffer {
  #outlet;
  #observer;

  /** What was copied, and waits for the write before it. @type {Uint8Array[]} */
  #stage = [];
  #staged = 0;

  /** The rest of a chunk that is not copied. @type {Uint8Array | null} */
  #rest = null;

  #writing = false;

  /** Called when everything is written. @type {(() => void) | null} */
  #flushed = null;

  /**
   * @param {import("./outlet.js").Outlet} outlet
   * @param {SendObserver} observer
   */
  constructor(outlet, observer) {
    this.#outlet = outlet;
    this.#observer = observer;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {boolean} whether they are accepted; if not, the observer will be told, and nothing is written before
   */
  write(bytes) {
    const size = bytes.length;
    if (size === 0) return true;
    const copied = size <= smallSize && this.#staged + size <= stageSize;
    if (copied) {
      this.#stage.push(bytes.slice());
      this.#staged += size;
      this.#observer.sent(size);
    } else {
      this.#rest = bytes;
    }
    if (!this.#writing) this.#write();
    return copied;
  }

  /** @returns {Promise<void>} fulfils when everything was given to the outlet, and never if that fails */
  flush() {
    return new Promise((resolve) => {
      if (this.#writing) this.#flushed = resolve;
      else resolve();
    });
  }

  /** Forgets what was not accepted. */
  drop() {
    this.#rest = null;
  }

  async #write() {
    this.#writing = true;
    try {
      for (let next = this.#next(); next; next = this.#next()) {
        await this.#outlet.write(next.bytes);
        if (next.copied) continue;
        this.#observer.sent(next.bytes.length);
        if (!this.#rest) this.#observer.accepted();
      }
      this.#writing = false;
      this.#flushed?.();
    } catch {
      // The outlet itself says what it failed with.
    }
  }

  /** @returns {{bytes: Uint8Array, copied: boolean} | null} */
  #next() {
    if (this.#staged > 0) {
      const bytes = this.#stage.length === 1 ? this.#stage[0] : joined(this.#stage, this.#staged);
      this.#stage = [];
      this.#staged = 0;
      return { bytes, copied: true };
    }
    const rest = this.#rest;
    if (!rest) return null;
    const bytes = rest.length > sliceSize ? rest.subarray(0, sliceSize) : rest;
    this.#rest = bytes === rest ? null : rest.subarray(sliceSize);
    return { bytes, copied: false };
  }
}

/**
 * @param {Uint8Array[]} pieces
 * @param {number} size of all together
 */
function joined(pieces, size) {
  const whole = new Uint8Array(size);
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}
