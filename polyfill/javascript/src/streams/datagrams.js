/**
 * The streams of udp sockets, and of the datagrams of QUIC: chunks are datagrams, which are whole or not there at all.
 */

import { parseHost } from "../core/host.js";
import { convertDictionary } from "../webidl/convert.js";

/**
 * @typedef {import("./writable.js").ChunkType} ChunkType
 * @typedef {import("../transports/transport.js").Addressed} Addressed
 *
 * @typedef {Uint8Array<ArrayBuffer> | {data: Uint8Array<ArrayBuffer>, remote: {address: string, port: number}}} Chunk
 *   what a connected socket delivers, or a bound one
 *
 * @typedef {object} Waiting
 * @property {Chunk} chunk
 * @property {number} size bytes
 *
 * @typedef {object} ReadObserver what the read side tells the socket
 * @property {() => void} cancelled the user wants no more
 * @property {() => void} wishChanged whether a read is pending has changed
 */

/**
 * However small the queue is in bytes, so many datagrams without any have place in it. More than a byte each never do:
 * empty ones count nothing, and would fill the memory.
 */
const mostEmpty = 1024;

/** The read side of one udp socket, or one QUIC connection. */
export class DatagramReadSide {
  /** @type {"open" | "ended" | "cancelled" | "failed"} */
  #state = "open";

  /** How many unread bytes keep further datagrams out: `receiveBufferSize`. One datagram is kept always. */
  limit;

  #observer;

  /** Behind the stream's own queue, as in readable.js. @type {Waiting[]} */
  #queue = [];

  /** Where the queue begins: taking the first element out of a long array costs as much as the array is long. */
  #first = 0;

  /** How many bytes the queue holds. */
  #size = 0;

  #wanted = false;

  /** The stream has been told of its end. */
  #over = false;

  #failure = /** @type {unknown} */ (undefined);

  /** @type {ReadableStreamDefaultController<Chunk> | null} */
  #controller = null;

  /** @type {ReadableStream<Chunk> | null} */
  #stream = null;

  /**
   * @param {number} limit
   * @param {ReadObserver} observer
   */
  constructor(limit, observer) {
    this.limit = limit;
    this.#observer = observer;
  }

  get stream() {
    this.#stream ??= new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
          if (this.#state !== "open" && this.#count === 0) this.#end();
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#over = true;
          this.#cancel();
        },
      },
      // A reader that leaves while a chunk is on its way to it leaves the chunk in the stream. An empty one counts, too:
      // workerd does not deliver chunks of no size.
      { highWaterMark: 0, size: (chunk) => (chunk instanceof Uint8Array ? chunk : chunk.data).length || 1 },
    );
    return this.#stream;
  }

  get cancelled() {
    return this.#state === "cancelled";
  }

  /** Reading never stops: what finds no place is dropped. */
  get room() {
    return Number.POSITIVE_INFINITY;
  }

  /** Whether a read is pending. */
  get wanted() {
    return this.#wanted;
  }

  /** How many datagrams wait in the own queue. */
  get #count() {
    return this.#queue.length - this.#first;
  }

  /** Bytes that nobody has read. */
  get #unread() {
    return this.#size - Math.min(0, this.#controller?.desiredSize ?? 0);
  }

  /**
   * @param {Chunk} chunk
   * @param {number} size bytes
   * @returns {boolean} false if there is no place for it. What is thrown away because nobody wants it is no loss
   */
  receive(chunk, size) {
    if (this.#state !== "open") return true;
    if (this.#wanted) {
      this.#wish(false);
      this.#controller?.enqueue(chunk);
      return true;
    }
    const unread = this.#unread;
    const kept = this.#count > 0 || unread > 0;
    if (kept && (unread + size > this.limit || this.#count >= Math.max(mostEmpty, this.limit))) return false;
    this.#queue.push({ chunk, size });
    this.#size += size;
    return true;
  }

  /** Closes the stream behind what has been received. */
  finish() {
    if (this.#state !== "open") return;
    this.#state = "ended";
    if (this.#count === 0) this.#end();
  }

  /**
   * Errors the stream behind what has been received.
   * @param {unknown} reason
   */
  finishWith(reason) {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#failure = reason;
    if (this.#count === 0) this.#end();
  }

  /**
   * Errors the stream, and throws away what has been received.
   * @param {unknown} reason
   */
  fail(reason) {
    if (this.#state !== "open") return;
    this.#clear();
    this.finishWith(reason);
  }

  /** Ends the direction from this side, with or without the user's lock on the stream. */
  cancel() {
    if (this.#state !== "open") return;
    if (this.#stream && !this.#stream.locked) {
      this.#stream.cancel();
    } else {
      this.#cancel();
      this.#end();
    }
  }

  #pull() {
    if (this.#count === 0) return this.#state === "open" ? this.#wish(true) : this.#end();
    const { chunk, size } = this.#queue[this.#first++];
    this.#size -= size;
    if (this.#count === 0) this.#clear();
    this.#controller?.enqueue(chunk);
    if (this.#count === 0 && this.#state !== "open") this.#end();
  }

  /** @param {boolean} wanted */
  #wish(wanted) {
    this.#wanted = wanted;
    this.#observer.wishChanged();
  }

  #clear() {
    this.#queue = [];
    this.#first = 0;
    this.#size = 0;
  }

  /** Tells the stream how it ends, if it is there and does not know. */
  #end() {
    const controller = this.#controller;
    if (this.#over || !controller) return;
    this.#over = true;
    if (this.#state === "failed") controller.error(this.#failure);
    else controller.close();
  }

  #cancel() {
    this.#clear();
    if (this.#state !== "open") return;
    this.#state = "cancelled";
    this.#observer.cancelled();
  }
}

/**
 * The chunks of a socket that is only bound: SocketDatagram dictionaries with a remote end. They are converted when they
 * are written, as the arguments of any operation are, and judged when it is their turn.
 * @returns {ChunkType}
 */
export function boundChunks() {
  /** @type {{message?: Addressed, exception?: unknown}[]} */
  const converted = [];
  return {
    size(chunk) {
      try {
        const message = toMessage(chunk);
        converted.push({ message });
        return message.data.length;
      } catch (exception) {
        converted.push({ exception });
        return 0;
      }
    },
    convert() {
      const { message, exception } = converted.shift() ?? {};
      if (!message) throw exception;
      return message;
    },
  };
}

/**
 * @param {unknown} chunk
 * @returns {Addressed}
 * @throws {TypeError}
 */
function toMessage(chunk) {
  const { data, remote } = convertDictionary("SocketDatagram", chunk, "The chunk");
  if (!remote) throw new TypeError("The chunk has no remote, and the socket is not connected");
  if (remote.port === 0) throw new TypeError("The chunk's remote.port must not be 0");
  return { data, host: parseHost(remote.address, "The chunk's remote.address"), port: remote.port };
}
