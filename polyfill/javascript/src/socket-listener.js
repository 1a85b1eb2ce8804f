import { platform } from "#platform";
import { dispatchConnect, hasConnectListeners, watching } from "./core/connect-dispatch.js";
import { ListenerCore } from "./core/listener-core.js";
import { listenerOptions } from "./core/listener-init.js";
import { SocketInfo } from "./socket-info.js";
import { asyncIteratorOf } from "./webidl/async-iterator.js";
import { EventHandlers } from "./webidl/event-handlers.js";
import { defineInterface, grant, promised } from "./webidl/interface.js";

const Sockets = asyncIteratorOf("SocketListener");

/** Accepts connections from outside. */
export class SocketListener extends EventTarget {
  /** @type {ListenerCore} */
  #core;

  /** @type {SocketInfo} */
  #info;

  #handlers = new EventHandlers(this);

  /** @param {object} [init] */
  constructor(init = {}) {
    const options = listenerOptions(init, platform);
    super();
    if (this.addEventListener === EventTarget.prototype.addEventListener) watchListeners(this);
    this.#core = new ListenerCore(audienceOf(this), options, platform);
    this.#info = new SocketInfo(grant(this.#core.info));
    this.#core.start();
  }

  get ready() {
    return promised(() => this.#core.ready);
  }

  get closed() {
    return promised(() => this.#core.closed);
  }

  get info() {
    return this.#info;
  }

  close() {
    return promised(() => this.#core.close());
  }

  get onconnect() {
    return this.#handlers.get("connect");
  }

  set onconnect(value) {
    this.#handlers.set("connect", value);
  }

  /** @returns {AsyncIterableIterator<import("./socket.js").Socket>} */
  values() {
    const core = this.#core;
    core.iterate();
    return new Sockets({ next: () => core.next(), finish: () => core.leave() });
  }
}

// async_iterable<Socket>: "the @@asyncIterator property is the same function object as values". Not in a static block: a
// class that names itself is given another name by bundlers.
Object.defineProperty(SocketListener.prototype, Symbol.asyncIterator, {
  value: SocketListener.prototype.values,
  writable: true,
  configurable: true,
});

/**
 * The exceptions of listeners have to be known. The interface inherits the methods that register them, so the object
 * gets some of its own, unless a class that extends it has them already.
 * @param {EventTarget} target
 */
function watchListeners(target) {
  for (const [name, value] of Object.entries(watching(target))) {
    Object.defineProperty(target, name, { value, writable: true, configurable: true });
  }
}

/**
 * @param {SocketListener} listener
 * @returns {import("./core/connect-dispatch.js").Audience}
 */
function audienceOf(listener) {
  return {
    get present() {
      return hasConnectListeners(listener);
    },
    dispatch: (event) => dispatchConnect(listener, event),
  };
}

defineInterface("SocketListener", SocketListener);
