import { RecordEnds } from "./tls-records.js";

/**
 * @typedef {import("../node/observe.js").StreamObserver} StreamObserver
 * @typedef {import("node:tls").TLSSocket & {readOn: () => void}} SecureStream
 */

/** @returns {NodeJS.ErrnoException} what OpenSSL calls it */
function truncated() {
  const error = new Error("The connection ended without a close_notify, so data may be missing");
  return Object.assign(error, { code: "ERR_SSL_UNEXPECTED_EOF_WHILE_READING" });
}

/**
 * What TLS gets to decrypt. By itself Deno gives it everything at once that was read, which loses what was decrypted in
 * front of an alert or of a record that fails, and takes a reset for an end, and an end without a close_notify for one
 * with it.
 */
export class TLSIntake {
  #observer;
  #records = new RecordEnds();

  /** What was read and not decrypted yet, in records. @type {Uint8Array[]} */
  #queue = [];

  /** Whether the peer has sent a close_notify. */
  #closed = false;

  /** Whether what is reported is the end of the connection beneath. */
  #endsBelow = false;

  /** Tells of that end, behind the queue. @type {(() => void) | null} */
  #end = null;

  /** @param {StreamObserver} observer */
  constructor(observer) {
    this.#observer = observer;
  }

  /** @returns {StreamObserver} to whom the stream is to report */
  get observer() {
    const observer = this.#observer;
    return {
      ...observer,
      ended: () => {
        this.#closed ||= !this.#endsBelow;
        if (this.#endsBelow) this.#end = () => (this.#closed ? observer.ended() : observer.broke(truncated()));
        else observer.ended();
      },
      broke: (error) => {
        if (this.#endsBelow) this.#end = () => observer.broke(error);
        else observer.broke(error);
      },
    };
  }

  /**
   * @param {SecureStream} stream which reports to the observer
   * @param {() => void} reportEnd has Deno report what it read last from the connection beneath, an end or a failure
   */
  attach(stream, reportEnd) {
    const handle = /** @type {any} */ (stream)._handle;
    const { receive } = handle;
    const { readOn } = stream;
    let established = false;
    const feed = () => {
      const queue = this.#queue;
      // Nobody reads yet during a handshake. What is received may have this called again at once.
      while (queue.length > 0 && !stream.destroyed && (!established || this.#observer.wanted() > 0)) {
        receive.call(handle, queue.shift());
      }
      if (queue.length > 0 || !this.#end) return;
      const end = this.#end;
      this.#end = null;
      end();
    };
    Object.assign(handle, {
      /** @param {Uint8Array} bytes */
      receive: (bytes) => {
        established ||= handle.isEstablished();
        this.#records.cut(bytes, established ? this.#queue : []);
        // The answer to a handshake has to be complete before it can be refused.
        if (!established) this.#queue.push(bytes);
        feed();
      },
      emitEof: () => {
        this.#endsBelow = true;
        reportEnd();
        this.#endsBelow = false;
        feed();
      },
    });
    stream.readOn = () => {
      readOn();
      feed();
    };
  }
}
