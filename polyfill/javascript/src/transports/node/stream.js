import net from "node:net";
import { observe } from "./observe.js";
import { ReceiveBuffer } from "./receive-buffer.js";

/**
 * @typedef {import("node:stream").Duplex} Duplex
 * @typedef {import("node:tls").TLSSocket} TLSSocket
 * @typedef {import("./observe.js").StreamObserver} StreamObserver
 *
 * @typedef {net.Socket & StreamExtras} Stream what carries a TCP connection
 * @typedef {object} StreamExtras
 * @property {() => void} readOn reads on, if it has stopped
 * @property {() => void} reset ends the connection with a RST, or the attempt to connect
 *
 * @typedef {object} Streams how a runtime that has node:net makes its streams
 * @property {(observer: StreamObserver, connection: any) => Stream} open goes on with a connection that `take()` has
 *   returned, or makes a stream that is to be connected. It stays half open: the core ends each direction by itself
 * @property {(address: string | undefined, port: number) => void} checkLocal throws where policy forbids to bind to it,
 *   if the runtime would throw that where nobody can catch it
 * @property {(socket: net.Socket) => unknown} take the connection of what a server has accepted, which is paused
 * @property {(raw: Stream, unread: Uint8Array, handshake: (raw: Duplex) => TLSSocket, observer: StreamObserver)
 *   => TLSSocket & {readOn: () => void}} secure begins a handshake over a stream that was open, and has what comes of it
 *   report to the observer. `unread` are bytes that were received and belong to the handshake
 */

/**
 * Reads by `onread`, into memory that is lent or handed over instead of allocated for each read, and reports in place of
 * events, which come a tick later or not at all.
 * @implements {StreamExtras}
 */
class NodeStream extends net.Socket {
  #observer;

  /** Whether it has stopped reading. */
  #stopped = false;

  /** Whether the FIN is being handed over, during which Node cannot reset, and leaks the socket if it has to. */
  #finishing = false;
  #resetAfterwards = false;

  /**
   * @param {StreamObserver} observer
   * @param {object} [handle]
   */
  constructor(observer, handle) {
    const memory = new ReceiveBuffer();
    /** @type {net.OnReadOpts} */
    const onread = {
      buffer: () => memory.next(observer.wanted()),
      callback: (count, buffer) => {
        memory.read(/** @type {Uint8Array<ArrayBuffer>} */ (buffer), count, observer.received);
        this.#stopped = observer.wanted() === 0;
        return !this.#stopped;
      },
    };
    /** @type {net.SocketConstructorOpts & {onread: net.OnReadOpts}} */
    const options = { ...(handle && { handle }), allowHalfOpen: true, onread };
    super(options);
    this.#observer = observer;
    // Nothing that Node emits besides counts: all failures come by destroy().
    this.on("error", () => {});
  }

  /**
   * @override
   * @param {Error} [error]
   */
  destroy(error) {
    if (!error) return super.destroy();
    this.#observer.broke(error);
    return this;
  }

  /**
   * With `onread` only the end of the data is pushed. The event "end" does not come after a failed write.
   * @override
   * @param {unknown} chunk
   * @param {BufferEncoding} [encoding]
   */
  push(chunk, encoding) {
    if (chunk === null) this.#observer.ended();
    return super.push(chunk, encoding);
  }

  /**
   * @override
   * @param {(error?: Error | null) => void} callback
   */
  _final(callback) {
    this.#finishing = true;
    super._final((error) => {
      this.#finishing = false;
      if (this.#resetAfterwards) this.resetAndDestroy();
      else if (!error) this.#observer.finished();
      callback(error);
    });
  }

  readOn() {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.resume();
  }

  reset() {
    if (this.connecting) this.destroy();
    else if (this.#finishing) this.#resetAfterwards = true;
    else this.resetAndDestroy();
  }
}

/** @type {Streams} */
export const streams = {
  open: (observer, handle) => new NodeStream(observer, handle),

  checkLocal() {},

  /**
   * Node makes a net.Socket of each connection, which has no place for the options of ours. So ours takes over what is
   * inside, which Node calls a handle, and the other one is got rid of, by which the server stops counting it.
   * @param {any} socket
   * @returns {object}
   */
  take(socket) {
    const handle = socket._handle;
    socket._handle = null;
    socket.destroy();
    return handle;
  },

  secure(raw, unread, handshake, observer) {
    raw.pause();
    if (unread.length > 0) raw.unshift(unread);
    return observe(handshake(raw), observer);
  },
};
