/**
 * What goes into the writable of a TCPSocket, and when it counts as accepted.
 *
 * Behind the writable is a pipe of fixed size to the process that has the socket. Chromium loses what is written while
 * the pipe is full to the last byte: the write fulfils at once, and the chunk is gone (seen in 156; a write that finds
 * room for one byte waits for the rest, as it should). Nothing tells how full the pipe is, so:
 *
 * - What is certain to find room is written, and never so that it fills the pipe to the last byte: `#level` is the most
 *   that the pipe can hold.
 * - Where that is not certain, more than the pipe can hold is written. If that fulfils within the same task, it was lost,
 *   as it cannot have been taken, and is written again.
 * - What is too little for that waits until there is more, or until the pipe has had the time to run empty. That it has
 *   is an assumption, and fails where the peer has stopped reading with the pipe full to the last byte.
 */

/** How much the pipe holds: the default of Mojo's data pipes, which nothing changes. */
const pipeSize = 64 * 1024;

/** After how many ms without a write the pipe counts as empty: what is at the other end may have to wait for its turn. */
const drainTime = 10;

/** How many ms to wait for room, the first and the last time that there is none. */
const retryTimes = { first: 1, last: 64 };

/** The most that is copied together. */
const stageSize = 256 * 1024;

/** A larger chunk goes in slices, each more than the pipe holds, so that a slow connection shows progress. */
const sliceSize = 2 * pipeSize;

/** So many microtasks settle a promise that is settled in the same task: the stream takes three of them. */
const settlingTime = 8;

/**
 * @typedef {object} SendObserver
 * @property {(count: number) => void} sent so many bytes were accepted
 * @property {() => void} accepted all bytes of a write that waited were accepted
 * @property {() => void} finished everything has been handed over, and the writable is closed
 */

/** The outgoing bytes of one socket. */
export class SendPipe {
  #writer;
  #observer;

  /** The most that may be in the pipe. */
  #level = 0;

  /** When something was last written. */
  #lastWrite = Number.NEGATIVE_INFINITY;

  /** Bytes that were copied together and are not written yet. @type {Uint8Array<ArrayBuffer> | null} */
  #stage = null;
  #staged = 0;

  /** The memory of the bytes that were copied together before. @type {Uint8Array<ArrayBuffer> | null} */
  #spareStage = null;

  /** What of the chunk that is being written was not handed over yet. @type {Uint8Array | null} */
  #rest = null;

  /** Whether a write is under way. */
  #busy = false;

  /** Whether it is one from the memory of the chunk itself. */
  #lent = false;

  /** What ends the time that the pipe has to run empty. @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;

  #finishing = false;
  #over = false;

  /**
   * @param {WritableStream<Uint8Array>} writable
   * @param {SendObserver} observer
   */
  constructor(writable, observer) {
    this.#writer = writable.getWriter();
    this.#observer = observer;
    // What fails the connection is told by the readable as well.
    this.#writer.closed.catch(() => {});
  }

  /** Fulfils when the writable is closed, rejects when the connection fails. */
  get closed() {
    return this.#writer.closed;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {boolean} whether they are accepted; if not, the observer will be told, and nothing is written before
   */
  write(bytes) {
    if (bytes.length === 0) return true;
    if (!this.#busy && this.#staged === 0 && bytes.length < this.#room) {
      // There is room for all of it, so that it is copied within the call.
      this.#observer.sent(bytes.length);
      this.#issue(bytes);
      return true;
    }
    const fits = bytes.length <= stageSize - this.#staged && bytes.length <= pipeSize;
    if (fits) {
      this.#copy(bytes);
      this.#observer.sent(bytes.length);
    } else {
      this.#rest = bytes;
    }
    this.#pump();
    return fits;
  }

  /** Closes the writable behind everything that was accepted. */
  finish() {
    this.#finishing = true;
    this.#pump();
  }

  /** Forgets everything that was not handed over. */
  drop() {
    this.#over = true;
    this.#stopWaiting();
    this.#stage = null;
    this.#rest = null;
    this.#writer.abort().catch(() => {});
  }

  /** How many bytes are certain to find room. */
  get #room() {
    if (this.#level === pipeSize && this.#pause >= drainTime) this.#level = 0;
    return pipeSize - this.#level;
  }

  /** For how many ms nothing has been written. */
  get #pause() {
    return performance.now() - this.#lastWrite;
  }

  /** @param {Uint8Array} bytes as many as there is room for */
  #copy(bytes) {
    this.#stage ??= this.#spareStage ?? new Uint8Array(stageSize);
    if (this.#stage === this.#spareStage) this.#spareStage = null;
    this.#stage.set(bytes, this.#staged);
    this.#staged += bytes.length;
  }

  /** Writes what there is, if it may. */
  #pump() {
    if (this.#over) return;
    this.#topUp();
    if (this.#busy) return;
    this.#stopWaiting();
    const bytes = this.#next;
    if (!bytes) return this.#drained();
    const count = this.#portion(bytes.length);
    if (count > 0) {
      this.#take(bytes.subarray(0, count));
      return this.#topUp();
    }
    this.#timer = setTimeout(() => this.#pump(), Math.max(1, drainTime - this.#pause));
  }

  /**
   * @param {number} size of what there is
   * @returns {number} how many bytes of it may be written now
   */
  #portion(size) {
    const room = this.#room;
    if (room === 0) return size > pipeSize ? size : 0;
    // With one byte of room the pipe takes what it can and waits for more.
    if (size !== room) return size;
    return room === 1 && this.#pause >= drainTime ? 1 : room - 1;
  }

  #stopWaiting() {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Bytes that are too few to be written by themselves get others after them. */
  #topUp() {
    const rest = this.#rest;
    if (!rest || this.#lent || (this.#staged === 0 && rest.length > pipeSize)) return;
    const count = Math.min(rest.length, stageSize - this.#staged);
    this.#copy(rest.subarray(0, count));
    this.#observer.sent(count);
    this.#rest = rest.subarray(count);
    this.#acceptIfCopied();
  }

  /** The next bytes to be written. */
  get #next() {
    if (this.#staged > 0) return /** @type {Uint8Array} */ (this.#stage).subarray(0, this.#staged);
    return this.#rest && this.#rest.length > 0 ? this.#rest.subarray(0, sliceSize) : null;
  }

  /** @param {Uint8Array} bytes the next ones */
  #take(bytes) {
    const stage = this.#stage;
    if (stage && this.#staged > 0) {
      const left = stage.slice(bytes.length, this.#staged);
      this.#stage = null;
      this.#staged = 0;
      if (left.length > 0) this.#copy(left);
      this.#issue(bytes, () => {
        this.#spareStage = stage;
      });
    } else {
      this.#rest = /** @type {Uint8Array} */ (this.#rest).subarray(bytes.length);
      this.#observer.sent(bytes.length);
      this.#lent = true;
      this.#issue(bytes, () => {
        this.#lent = false;
        this.#acceptIfCopied();
      });
    }
  }

  #acceptIfCopied() {
    if (this.#rest?.length !== 0 || this.#over) return;
    this.#rest = null;
    this.#observer.accepted();
  }

  #drained() {
    if (!this.#finishing) return;
    this.#over = true;
    this.#writer.close().then(
      () => this.#observer.finished(),
      () => {},
    );
  }

  /**
   * @param {Uint8Array} bytes
   * @param {() => void} [taken] called when all of them are in the pipe
   */
  async #issue(bytes, taken) {
    this.#busy = true;
    const uncertain = this.#level === pipeSize;
    this.#level = Math.min(pipeSize, this.#level + bytes.length);
    this.#lastWrite = performance.now();
    try {
      if (uncertain) await this.#insist(bytes);
      else await this.#writer.write(bytes);
    } catch {
      // The connection has failed.
      this.#over = true;
      return;
    }
    this.#lastWrite = performance.now();
    this.#busy = false;
    if (this.#over) return;
    taken?.();
    this.#pump();
  }

  /** @param {Uint8Array} bytes more than the pipe can hold: until the pipe takes them */
  async #insist(bytes) {
    for (let time = retryTimes.first; !this.#over; time = Math.min(2 * time, retryTimes.last)) {
      const write = this.#writer.write(bytes);
      if (!(await isSettledAtOnce(write))) return write;
      await new Promise((resolve) => setTimeout(resolve, time));
    }
  }
}

/**
 * @param {Promise<void>} promise
 * @returns {Promise<boolean>} whether it fulfils within this task
 */
async function isSettledAtOnce(promise) {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {},
  );
  for (let count = 0; count < settlingTime && !settled; count += 1) await null;
  return settled;
}
