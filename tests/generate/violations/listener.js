/**
 * A SocketListener that is right in everything that IDL cases look at, because the polyfill has none that can be
 * constructed, and violations of what Web IDL promises of asynchronously iterable interfaces.
 */

import { convertDictionary } from "../../../polyfill/javascript/src/webidl/convert.js";
import { EventHandlers } from "../../../polyfill/javascript/src/webidl/event-handlers.js";
import { defineInterface, promised } from "../../../polyfill/javascript/src/webidl/interface.js";
import { calling, redefine } from "./definitions.js";

/** %AsyncIteratorPrototype%, which has no name. */
const asyncIterator = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype));

/** The default asynchronous iterator objects of SocketListener; nothing connects, so none ever yields. */
class Iterator {
  #ended = false;

  next() {
    return promised(async () => {
      if (this.#ended) return { value: undefined, done: true };
      return new Promise(() => {});
    });
  }

  /** @param {unknown} value */
  return(value) {
    return promised(async () => {
      this.#ended = true;
      return { value, done: true };
    });
  }
}

/** @param {any} api */
function listener(api) {
  const prototype = Object.create(asyncIterator);
  for (const name of ["next", "return"]) {
    const { value } = /** @type {any} */ (Reflect.getOwnPropertyDescriptor(Iterator.prototype, name));
    Object.defineProperty(prototype, name, { value, writable: true, enumerable: true, configurable: true });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: "SocketListener AsyncIterator", configurable: true });

  class SocketListener extends EventTarget {
    #handlers = new EventHandlers(this);
    #ready = Promise.resolve(undefined);
    #closed = Promise.withResolvers?.() ?? deferred();
    #info = new api.Socket({ remote: { address: "127.0.0.1", port: 9 }, signal: AbortSignal.abort() }).info;

    /** @param {object} [init] */
    constructor(init = {}) {
      convertDictionary("SocketListenerInit", init);
      super();
    }

    get ready() {
      return promised(() => this.#ready);
    }

    get closed() {
      return promised(() => this.#closed.promise);
    }

    get info() {
      return this.#info;
    }

    close() {
      return promised(() => {
        this.#closed.resolve(undefined);
        return this.#closed.promise;
      });
    }

    get onconnect() {
      return this.#handlers.get("connect");
    }

    set onconnect(value) {
      this.#handlers.set("connect", value);
    }

    values() {
      if (!(#info in this)) throw new TypeError("Illegal invocation");
      return Object.setPrototypeOf(new Iterator(), prototype);
    }
  }
  Object.defineProperty(SocketListener.prototype, Symbol.asyncIterator, {
    value: SocketListener.prototype.values,
    writable: true,
    configurable: true,
  });
  defineInterface("SocketListener", SocketListener);
  api.SocketListener = SocketListener;
  return { SocketListener, prototype };
}

function deferred() {
  /** @type {any} */
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** @type {(change: (listener: {SocketListener: any, prototype: any}) => void) => (api: any) => void} */
const changed = (change) => (api) => change(listener(api));

/** @type {Record<string, (api: any) => void>} */
export const listeners = {
  "a listener is right": (api) => listener(api),
  "values is missing": changed(({ SocketListener }) => delete SocketListener.prototype.values),
  "values is another function": changed(({ SocketListener }) => calling(SocketListener, "values", (call) => call())),
  "the iteration method is enumerable": changed(({ SocketListener }) =>
    redefine(SocketListener.prototype, Symbol.asyncIterator, { enumerable: true }),
  ),
  "values takes any receiver": changed(({ SocketListener, prototype }) => {
    const values = { values: () => Object.create(prototype) }.values;
    for (const key of ["values", Symbol.asyncIterator]) redefine(SocketListener.prototype, key, { value: values });
  }),
  "an iterator is a generator": changed(({ SocketListener }) => {
    const { values } = SocketListener.prototype;
    const replaced = {
      /** @this {any} */
      values() {
        Reflect.apply(values, this, []);
        return (async function* () {})();
      },
    }.values;
    for (const key of ["values", Symbol.asyncIterator]) redefine(SocketListener.prototype, key, { value: replaced });
  }),
  "an iterator cannot be ended": changed(({ prototype }) => delete prototype.return),
  "an iterator throws instead of rejecting": changed(({ prototype }) => {
    const { next } = prototype;
    const replaced = {
      /** @this {any} */
      next() {
        if (Object.getPrototypeOf(this) !== prototype) throw new TypeError("Illegal invocation");
        return Reflect.apply(next, this, []);
      },
    }.next;
    redefine(prototype, "next", { value: replaced });
  }),
};
