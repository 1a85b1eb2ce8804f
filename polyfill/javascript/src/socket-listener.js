import { convertDictionary } from "./webidl/convert.js";
import { EventHandlers } from "./webidl/event-handlers.js";
import { defineInterface, promised } from "./webidl/interface.js";

/**
 * @typedef {object} Listening what a transport offers that accepts connections
 * @property {Promise<undefined>} ready
 * @property {Promise<undefined>} closed
 * @property {import("./socket-info.js").SocketInfo} info
 * @property {() => Promise<undefined>} close
 * @property {() => AsyncIterableIterator<import("./socket.js").Socket>} sockets
 */

/** A socket that accepts connections. No transport of this version listens. */
export class SocketListener extends EventTarget {
  /** @type {Listening} */
  #listening;

  #handlers = new EventHandlers(this);

  /** @param {object} [init] */
  constructor(init = {}) {
    convertDictionary("SocketListenerInit", init);
    super();
    this.#listening = refuse();
  }

  get ready() {
    return promised(() => this.#listening.ready);
  }

  get closed() {
    return promised(() => this.#listening.closed);
  }

  get info() {
    return this.#listening.info;
  }

  close() {
    return promised(() => this.#listening.close());
  }

  get onconnect() {
    return this.#handlers.get("connect");
  }

  set onconnect(value) {
    this.#handlers.set("connect", value);
  }

  values() {
    return this.#listening.sockets();
  }

  static {
    // async_iterable<Socket>: "the @@asyncIterator property is the same function object as values".
    Object.defineProperty(SocketListener.prototype, Symbol.asyncIterator, {
      value: SocketListener.prototype.values,
      writable: true,
      configurable: true,
    });
  }
}

/** @returns {never} */
function refuse() {
  throw new DOMException("This platform cannot listen", "NotSupportedError");
}

defineInterface("SocketListener", SocketListener);
