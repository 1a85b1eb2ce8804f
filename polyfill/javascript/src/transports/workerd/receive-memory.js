/**
 * The memory that a connection reads into. The platform takes it over for each read and gives it back with the bytes; it
 * is handed to the client when it is at least half full, and used again when it is not.
 */

/** What an idle connection holds. */
const smallest = 4096;

/** However few bytes are wanted, a read takes this many, so that a slow reader does not make every read a tiny one. */
const shortest = 16 * 1024;

/** What grows no more. */
const largest = 256 * 1024;

export class ReceiveMemory {
  #size = smallest;

  /** @type {ArrayBuffer | null} */
  #spare = null;

  /**
   * @param {number} room how many bytes are wanted
   * @returns {Uint8Array<ArrayBuffer>} what to read into next
   */
  next(room) {
    const buffer = this.#spare ?? new ArrayBuffer(this.#size);
    this.#spare = null;
    return new Uint8Array(buffer, 0, Math.min(buffer.byteLength, Math.max(room, shortest)));
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} bytes what was read, in the memory that it was read into
   * @param {(bytes: Uint8Array<ArrayBuffer>, owned: boolean) => boolean} pass takes the bytes and says whether it keeps
   *   their buffer
   */
  took(bytes, pass) {
    const { buffer, length } = bytes;
    const size = buffer.byteLength;
    const kept = pass(bytes, length >= size / 2);
    if (length === size) this.#size = Math.min(size * 4, largest);
    else if (length < size / 4) this.#size = Math.max(size / 4, smallest);
    if (!kept && this.#size === size) this.#spare = buffer;
  }
}
