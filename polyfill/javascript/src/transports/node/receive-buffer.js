/**
 * The memory that Node reads into.
 *
 * Reads go to one scratch that all sockets share and are copied out of it, which costs an idle connection nothing and a
 * small read little. A read that fills half of it shows that there is more to come: from then on the socket has a
 * scratch of its own, whose memory is handed to the reader when it is at least half full. It doubles with every read
 * that fills it and halves with every read that leaves more than half of it empty, until the shared one is enough again.
 * The shared scratch is never handed over, because Node keeps its bare address for every other socket.
 */

const sharedSize = 64 * 1024;

/** What grows no more. */
const largestSize = 256 * 1024;

/** However few bytes are wanted, a read takes this many, so that a slow reader does not make every read a tiny one. */
const shortest = 4096;

/**
 * @param {number} size
 * @returns {Uint8Array<ArrayBuffer>} memory that nobody has cleared: a read overwrites it
 */
const allocate = (size) => new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);

/** @type {Uint8Array<ArrayBuffer> | null} */
let shared = null;

/** Decides where the next read of one socket goes. */
export class ReceiveBuffer {
  /** @type {Uint8Array<ArrayBuffer> | null} */
  #own = null;

  /**
   * @param {number} room how many bytes are wanted
   * @returns {Uint8Array<ArrayBuffer>}
   */
  next(room) {
    shared ??= allocate(sharedSize);
    // With no room at all reading stops, and when it resumes it does so with this buffer.
    if (room >= sharedSize || room === 0) return this.#own ?? shared;
    return shared.subarray(0, Math.max(room, shortest));
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} buffer the one that was read into
   * @param {number} count how many bytes were read
   * @param {(bytes: Uint8Array<ArrayBuffer>, owned: boolean) => boolean} pass takes the bytes and says whether it keeps
   *   their buffer
   */
  read(buffer, count, pass) {
    const size = buffer.length;
    const own = buffer === this.#own;
    const kept = pass(count === size ? buffer : buffer.subarray(0, count), own && count >= size / 2);
    const next = count === size ? Math.min(size * 2, largestSize) : count < size / 2 ? size / 2 : size;
    if (next < sharedSize) this.#own = null;
    else if (kept || next !== this.#own?.length) this.#own = allocate(next);
  }
}
