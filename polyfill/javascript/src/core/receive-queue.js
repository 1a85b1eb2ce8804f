/** What a small read is copied into, so that many small reads do not become many small buffers. */
const blockSize = 4096;

/**
 * @typedef {object} Block a piece of memory that the queue owns
 * @property {Uint8Array<ArrayBuffer>} memory
 * @property {number} start of the unread bytes
 * @property {number} end of the unread bytes; behind it there may be room
 */

/** `[[rx]]`: the bytes that were received and not read yet. */
export class ReceiveQueue {
  /** @type {Block[]} */
  #blocks = [];

  /** How many bytes are unread. */
  size = 0;

  /**
   * Adds a copy of the bytes.
   * @param {Uint8Array} bytes
   */
  append(bytes) {
    this.size += bytes.length;
    const last = this.#blocks.at(-1);
    if (last && last.memory.length - last.end >= bytes.length) {
      last.memory.set(bytes, last.end);
      last.end += bytes.length;
      return;
    }
    const memory = new Uint8Array(Math.max(bytes.length, blockSize));
    memory.set(bytes);
    this.#blocks.push({ memory, start: 0, end: bytes.length });
  }

  /**
   * Adds the bytes themselves, whose buffer is the queue's from now on.
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  adopt(bytes) {
    this.size += bytes.length;
    this.#blocks.push({ memory: bytes, start: 0, end: bytes.length });
  }

  /** @returns {Uint8Array<ArrayBuffer>} the first piece, with its buffer; the queue must not be empty */
  shift() {
    const { memory, start, end } = /** @type {Block} */ (this.#blocks.shift());
    this.size -= end - start;
    return memory.subarray(start, end);
  }

  /**
   * Moves as many bytes into the target as there are and fit.
   * @param {Uint8Array} target
   * @returns {number} how many
   */
  fill(target) {
    let filled = 0;
    while (filled < target.length && this.size > 0) {
      const block = this.#blocks[0];
      const count = Math.min(target.length - filled, block.end - block.start);
      target.set(block.memory.subarray(block.start, block.start + count), filled);
      filled += count;
      block.start += count;
      this.size -= count;
      if (block.start === block.end) this.#blocks.shift();
    }
    return filled;
  }

  clear() {
    this.#blocks = [];
    this.size = 0;
  }
}
