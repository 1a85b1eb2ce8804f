/**
 * What Node writes, and when it counts as accepted.
 *
 * Bytes are accepted when the kernel has them or when they were copied. That `socket.write()` returns true says less:
 * only that the stream has room, while the bytes may still be sent from the caller's memory. Small chunks that come
 * before Node has called back for the last write are copied together and leave as one.
 */

/** Up to this size a chunk is worth copying. */
const smallSize = 8 * 1024;

/** The most that is copied together. */
const stageSize = 64 * 1024;

/** A larger chunk goes in slices, so that a slow connection shows progress. */
const sliceSize = 1024 * 1024;

/** After so many bytes the event loop gets its turn, however fast the kernel takes them. */
const turnSize = 4 * 1024 * 1024;

/** A stage that no socket uses at present. @type {Buffer | null} */
let spareStage = null;

/**
 * @typedef {object} SendObserver
 * @property {(count: number) => void} sent so many bytes were accepted
 * @property {() => void} accepted all bytes of a write that waited were accepted
 */

/** The outgoing bytes of one socket. */
export class SendBuffer {
  #socket;
  #observer;

  /** How many writes Node was given, and for how many of them it has called back. */
  #issued = 0;
  #completed = 0;

  /** @type {Buffer | null} */
  #stage = null;
  #staged = 0;

  /** What of the chunk that is being written Node was not given yet. @type {Uint8Array | null} */
  #rest = null;

  /** How many bytes of it Node was given and has not got rid of. */
  #inFlight = 0;

  /** Whether the writer waits for the kernel. */
  #waiting = false;

  /** How many bytes were accepted since the writer last waited for the event loop. */
  #turn = 0;

  /**
   * @param {import("node:net").Socket} socket
   * @param {SendObserver} observer
   */
  constructor(socket, observer) {
    this.#socket = socket;
    this.#observer = observer;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {boolean} whether they are accepted; if not, the observer will be told, and nothing is written before
   */
  write(bytes) {
    const size = bytes.length;
    if (size === 0) return true;
    const fits = size <= smallSize && this.#staged + size <= stageSize;
    if (fits && this.#issued !== this.#completed && !this.#blocked) {
      this.#copy(bytes);
      this.#sent(size);
      return true;
    }
    this.#rest = bytes;
    return this.#pump() && this.#mayGoOn();
  }

  /** Gives Node everything that was accepted. */
  flush() {
    if (this.#staged === 0) return;
    const stage = /** @type {Buffer} */ (this.#stage);
    this.#issue(stage.subarray(0, this.#staged));
    this.#staged = 0;
    this.#stage = null;
    // While Node still reads from it, nobody else may write to it.
    if (!this.#blocked) spareStage = stage;
  }

  /** Forgets everything that Node was not given. */
  drop() {
    this.#staged = 0;
    this.#rest = null;
  }

  /** Whether Node still reads from the memory that it was given. After an error it says it does not, though it failed. */
  get #blocked() {
    return this.#socket.writableLength > 0 || this.#socket.errored !== null;
  }

  /** @param {Uint8Array} bytes */
  #copy(bytes) {
    this.#stage ??= spareStage ?? Buffer.allocUnsafeSlow(stageSize);
    if (this.#stage === spareStage) spareStage = null;
    this.#stage.set(bytes, this.#staged);
    this.#staged += bytes.length;
  }

  /** @param {Uint8Array} bytes */
  #issue(bytes) {
    this.#issued += 1;
    // One function for all writes: Node then calls back for all of them in one tick.
    this.#socket.write(bytes, this.#written);
  }

  /** @param {Error | null | undefined} error a failure, which Node reports by itself, too */
  #written = (error) => {
    if (error) return;
    this.#completed += 1;
    if (this.#completed !== this.#issued) return;
    if (!this.#waiting) {
      this.flush();
    } else if (this.#pump()) {
      this.#waiting = false;
      this.#observer.accepted();
    }
  };

  /** @returns {boolean} whether everything there was has been accepted */
  #pump() {
    this.flush();
    while (!this.#blocked) {
      if (this.#inFlight > 0) this.#sent(this.#inFlight);
      this.#inFlight = 0;
      const bytes = this.#rest;
      if (!bytes) return true;
      const slice = bytes.length > sliceSize ? bytes.subarray(0, sliceSize) : bytes;
      this.#rest = slice === bytes ? null : bytes.subarray(sliceSize);
      this.#inFlight = slice.length;
      this.#issue(slice);
    }
    this.#waiting = true;
    return false;
  }

  /** @param {number} count */
  #sent(count) {
    this.#turn += count;
    this.#observer.sent(count);
  }

  /**
   * A loop of writes that the kernel takes at once runs in microtasks alone. Now and then it has to wait.
   * @returns {boolean}
   */
  #mayGoOn() {
    if (this.#turn < turnSize) return true;
    this.#turn = 0;
    setImmediate(() => this.#observer.accepted());
    return false;
  }
}
