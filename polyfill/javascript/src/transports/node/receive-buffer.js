/**
 * The memory that Node reads into.
 *
 * Reads go to one scratch that all sockets share and are copied out of it, which costs an idle connection nothing and a
 * small read little. A read that fills the scratch shows that there is a lot to come: from then on the socket has a
 * larger scratch of its own, whose memory is handed to the reader when it is well filled. A read that is small again
 * gives it up. The shared scratch is never handed over, because Node keeps its bare address for every other socket.
 */

const sharedSize = 64 * 1024;
const ownSize = 256 * 1024;

/** Below this a read leaves so much of a scratch unused that copying is cheaper than a new scratch. */
const wellFilled = ownSize / 4;

/** Below this a read does not need more than the shared scratch. */
const small = sharedSize / 4;

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
    const own = buffer === this.#own;
    const kept = pass(count === buffer.length ? buffer : buffer.subarray(0, count), own && count >= wellFilled);
    if (kept || (!own && count === sharedSize)) this.#own = allocate(ownSize);
    else if (count < small) this.#own = null;
  }
}
