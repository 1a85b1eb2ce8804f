/**
 * @typedef {import("./quic-stream-core.js").QuicStreamCore} QuicStreamCore
 */

/** The streams of one kind that the peer has opened, behind a readable. What nobody takes waits here. */
export class IncomingStreams {
  /** @type {QuicStreamCore[]} */
  #waiting = [];

  /** The readable has asked for a stream and not got it. */
  #wanted = false;

  #cancelled = false;

  /** What the readable ends with behind the streams that wait. @type {{failure: {reason: unknown} | null} | null} */
  #end = null;

  /** @type {ReadableStreamDefaultController<unknown> | null} */
  #controller = null;

  /** @type {ReadableStream<unknown> | null} */
  #stream = null;

  #changed;

  /** @param {(change: number) => void} changed is told how many more streams wait, or fewer */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Made on first use: most connections have no other streams. */
  get stream() {
    this.#stream ??= new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
          this.#settle();
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#cancelled = true;
          for (const stream of this.#waiting.splice(0)) {
            stream.refuse();
            this.#changed(-1);
          }
        },
      },
      { highWaterMark: 0 },
    );
    return this.#stream;
  }

  /** @param {QuicStreamCore} stream */
  add(stream) {
    if (this.#cancelled) return stream.refuse();
    this.#waiting.push(stream);
    this.#changed(1);
    if (this.#wanted) this.#pull();
  }

  /**
   * @param {{reason: unknown} | null} failure null where the connection has closed
   * @param {boolean} drop whether the streams that wait are lost
   */
  end(failure, drop) {
    if (this.#cancelled || this.#end) return;
    if (drop) this.#waiting = [];
    this.#end = { failure };
    this.#settle();
  }

  #pull() {
    const stream = this.#waiting.shift();
    this.#wanted = stream === undefined;
    if (stream) {
      this.#controller?.enqueue(stream.face());
      this.#changed(-1);
    }
    this.#settle();
  }

  #settle() {
    if (!this.#end || this.#waiting.length > 0) return;
    const { failure } = this.#end;
    if (failure) this.#controller?.error(failure.reason);
    else this.#controller?.close();
    this.#controller = null;
  }
}
