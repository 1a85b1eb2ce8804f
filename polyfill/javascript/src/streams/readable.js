/**
 * `readable`: a byte stream with its own queue behind it.
 *
 * The queue is not the stream's, because the stream drops its queue when it errors, and bytes that were received
 * before a failure must be delivered before it. So the stream has a high water mark of 0 and asks for every chunk.
 * https://streams.spec.whatwg.org/#readable-byte-stream-controller-error
 */

import { ReceiveQueue } from "../core/receive-queue.js";

/**
 * @typedef {object} ReadObserver what the read side tells the socket
 * @property {() => void} finDelivered the peer's FIN was delivered; nothing more will be read
 * @property {(finWaits: boolean) => void} cancelled the user wants no more; whether a FIN waited behind unread data
 * @property {() => void} roomMade bytes were taken, so that there may be room for more
 */

/** The read side of one socket. */
export class ReadSide {
  /** @type {"open" | "ended" | "cancelled" | "failed"} */
  #state = "open";

  /** How many unread bytes stop receiving: `receiveBufferSize`. */
  limit;

  #observer;

  #chunkSize;

  #queue = new ReceiveQueue();

  /** Nothing is delivered, because what arrives may not be data. */
  #held = false;

  /** The stream has asked for a chunk and not got it. */
  #wanted = false;

  /** The peer's FIN has arrived; it is delivered when nothing is unread. */
  #finArrived = false;

  /** The failure that waits behind unread bytes. @type {{reason: unknown} | null} */
  #failure = null;

  /** @type {ReadableByteStreamController | null} */
  #controller = null;

  /** @type {ReadableStream<Uint8Array<ArrayBuffer>> | null} */
  #stream = null;

  /**
   * @param {number} limit
   * @param {ReadObserver} observer
   * @param {number} [chunkSize] what a reader gets at most where the platform insists on a limit
   */
  constructor(limit, observer, chunkSize) {
    this.limit = limit;
    this.#observer = observer;
    this.#chunkSize = chunkSize;
  }

  /** Made on first use: a connection whose stream nobody asks for is opened a quarter faster without. */
  get stream() {
    this.#stream ??= new ReadableStream({
      type: "bytes",
      ...(this.#chunkSize !== undefined && { autoAllocateChunkSize: this.#chunkSize }),
      start: (controller) => {
        this.#controller = controller;
        if (this.#state === "failed" && this.#unread === 0) controller.error(this.#failure?.reason);
        else if (this.#state === "ended" || this.#state === "cancelled") controller.close();
      },
      pull: () => this.#pull(),
      cancel: () => this.#cancel(),
    });
    return this.#stream;
  }

  get cancelled() {
    return this.#state === "cancelled";
  }

  /** Bytes in the own queue, and those in the stream's, where they get when a reader leaves that had asked for them. */
  get #unread() {
    return this.#queue.size - Math.min(0, this.#controller?.desiredSize ?? 0);
  }

  /** How many more bytes are wanted; all of them once they are only thrown away. */
  get room() {
    return this.#state === "open" ? Math.max(0, this.limit - this.#unread) : Number.POSITIVE_INFINITY;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {boolean} owned whether the buffer may be kept
   * @returns {boolean} whether it was kept
   */
  receive(bytes, owned) {
    if (this.#state !== "open") return false;
    if (this.#wanted && this.#queue.size === 0 && !this.#held) {
      const request = this.#controller?.byobRequest;
      if (!request) {
        this.#wanted = false;
        this.#controller?.enqueue(owned ? bytes : bytes.slice());
        return owned;
      }
      bytes = bytes.subarray(this.#respond(request, (view) => copy(bytes, view)));
      if (bytes.length === 0) return false;
    }
    if (owned) this.#queue.adopt(bytes);
    else this.#queue.append(bytes);
    // The answer to one request may have brought the next one.
    this.#deliver();
    return owned;
  }

  /** The peer's FIN has arrived. */
  end() {
    this.#finArrived = true;
    if (this.#state === "cancelled") this.#observer.finDelivered();
    else this.#settle();
  }

  /**
   * @param {unknown} reason
   * @param {boolean} drain whether unread bytes are delivered first
   */
  fail(reason, drain) {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#failure = { reason };
    if (!drain) {
      this.#queue.clear();
      this.#controller?.error(reason);
    }
    this.#settle();
  }

  /** Ends the direction from this side, with or without the user's lock on the stream. */
  cancel() {
    if (this.#state !== "open") return;
    if (this.#stream && !this.#stream.locked) {
      this.#stream.cancel();
    } else {
      this.#cancel();
      this.#close();
    }
  }

  /** Delivers nothing more, until `release()`. */
  hold() {
    this.#held = true;
  }

  /** Delivers again, first what has arrived meanwhile. */
  release() {
    this.#held = false;
    this.#deliver();
    this.#settle();
  }

  /** @returns {Uint8Array} the bytes that nobody has read, which are nobody's any more */
  takeUnread() {
    const bytes = new Uint8Array(this.#queue.size);
    this.#queue.fill(bytes);
    return bytes;
  }

  #pull() {
    this.#wanted = true;
    this.#deliver();
    this.#settle();
    if (this.#state === "open") this.#observer.roomMade();
  }

  /** Gives the stream what it asked for, as far as it is there. */
  #deliver() {
    while (this.#wanted && this.#queue.size > 0 && !this.#held) {
      const request = this.#controller?.byobRequest;
      if (request) {
        this.#respond(request, (view) => this.#queue.fill(view));
      } else {
        this.#wanted = false;
        this.#controller?.enqueue(this.#queue.shift());
      }
    }
  }

  /**
   * Fills a BYOB request in place.
   * @param {ReadableStreamBYOBRequest} request
   * @param {(target: Uint8Array) => number} fill returns how many bytes it wrote
   * @returns {number} the same number
   */
  #respond(request, fill) {
    // respond() may call pull() before it returns, so the wish is fulfilled before that.
    this.#wanted = false;
    const view = /** @type {ArrayBufferView} */ (request.view);
    const filled = fill(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    request.respond(filled);
    return filled;
  }

  /** Delivers what waits for the last unread byte: the peer's FIN, or the failure. */
  #settle() {
    if (this.#unread > 0 || (this.#held && this.#state === "open")) return;
    if (this.#state === "failed") {
      this.#controller?.error(this.#failure?.reason);
    } else if (this.#state === "open" && this.#finArrived) {
      this.#state = "ended";
      this.#close();
      this.#observer.finDelivered();
    }
  }

  #close() {
    const controller = this.#controller;
    try {
      controller?.close();
      // "respond(0)": a pending BYOB read gets its memory back, and `done`.
      controller?.byobRequest?.respond(0);
    } catch {
      // A BYOB read of elements of several bytes has got a part of one. The standard errors the stream for that with a
      // TypeError of its own, and throws it here, too.
    }
  }

  #cancel() {
    if (this.#state !== "open") {
      // The failure behind unread bytes is not wanted any more, nor are they.
      this.#queue.clear();
      return;
    }
    const finWaits = this.#finArrived;
    this.#state = "cancelled";
    this.#queue.clear();
    this.#observer.cancelled(finWaits);
  }
}

/**
 * @param {Uint8Array} source
 * @param {Uint8Array} target
 * @returns {number} how many bytes were copied
 */
function copy(source, target) {
  const count = Math.min(source.length, target.length);
  target.set(count === source.length ? source : source.subarray(0, count));
  return count;
}
