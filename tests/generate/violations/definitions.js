/** Violations of what Web IDL promises of interface objects and prototypes, and of attributes and operations. */

/** @typedef {(api: any) => void} Violation */

/**
 * Changes the attributes of an own property.
 *
 * @param {any} object
 * @param {PropertyKey} key
 * @param {PropertyDescriptor} changes
 */
export function redefine(object, key, changes) {
  Object.defineProperty(object, key, { ...Reflect.getOwnPropertyDescriptor(object, key), ...changes });
}

/**
 * Replaces the getter of an attribute by one that is told the real one; its name stays right.
 *
 * @param {any} type
 * @param {string} name
 * @param {(read: () => any, receiver: any) => any} getter
 */
export function reading(type, name, getter) {
  const { get } = /** @type {any} */ (Reflect.getOwnPropertyDescriptor(type.prototype, name));
  const holder = {
    get [name]() {
      return getter(() => Reflect.apply(get, this, []), this);
    },
  };
  redefine(type.prototype, name, { get: Reflect.getOwnPropertyDescriptor(holder, name)?.get });
}

/**
 * Replaces a method by one that is told the real one; name and length stay right.
 *
 * @param {any} type
 * @param {PropertyKey} key
 * @param {(call: (...args: any[]) => any, receiver: any, args: any[]) => any} method
 */
export function calling(type, key, method) {
  const real = type.prototype[key];
  const { replaced } = {
    /** @param {any[]} args */
    replaced(...args) {
      return method((...given) => Reflect.apply(real, this, given), this, args);
    },
  };
  Object.defineProperty(replaced, "name", { value: real.name, configurable: true });
  Object.defineProperty(replaced, "length", { value: real.length, configurable: true });
  redefine(type.prototype, key, { value: replaced });
}

/**
 * Returns a constructor that does as `handler` says and else is `type`.
 *
 * @param {any} type
 * @param {ProxyHandler<any>} handler
 */
function replaced(type, handler) {
  const proxy = new Proxy(type, handler);
  redefine(type.prototype, "constructor", { value: proxy });
  return proxy;
}

/** @type {Record<string, Violation>} */
export const definitions = {
  "an interface is missing": (api) => {
    api.SocketEndpoint = undefined;
  },
  "an interface object is enumerable": (api) => {
    Object.defineProperty(globalThis, "SocketStats", { value: api.SocketStats, enumerable: true });
  },
  "an interface object has another name": ({ SocketStats }) => redefine(SocketStats, "name", { value: "Stats" }),
  "the name of an interface object is writable": ({ SocketStats }) => redefine(SocketStats, "name", { writable: true }),
  "a constructor has another length": ({ Socket }) => redefine(Socket, "length", { value: 0 }),
  "an interface object does not inherit": ({ SocketError }) => Object.setPrototypeOf(SocketError, Function.prototype),
  "a prototype does not inherit": ({ SocketErrorEvent }) =>
    Object.setPrototypeOf(SocketErrorEvent.prototype, Object.create(Event.prototype)),
  "the prototype property is writable": (api) => {
    const { prototype } = api.SocketStats;
    api.SocketStats = function SocketStats() {
      throw new TypeError("Illegal constructor");
    };
    api.SocketStats.prototype = prototype;
    redefine(prototype, "constructor", { value: api.SocketStats });
  },
  "the constructor property is enumerable": ({ SocketStats }) =>
    redefine(SocketStats.prototype, "constructor", { enumerable: true }),
  "the constructor property is another": ({ SocketStats }) =>
    redefine(SocketStats.prototype, "constructor", { value: Object }),
  "the class string is missing": ({ SocketStats }) => {
    delete SocketStats.prototype[Symbol.toStringTag];
  },
  "the class string is writable": ({ SocketStats }) =>
    redefine(SocketStats.prototype, Symbol.toStringTag, { writable: true }),
  "anybody may construct": (api) => {
    api.SocketStats = replaced(api.SocketStats, { construct: (type) => Object.create(type.prototype) });
  },
  "new may be left out": (api) => {
    api.SocketErrorEvent = replaced(api.SocketErrorEvent, { apply: (type, _, args) => Reflect.construct(type, args) });
  },
  "required arguments have defaults": (api) => {
    api.SocketErrorEvent = replaced(api.SocketErrorEvent, {
      construct: (type, args, target) => Reflect.construct(type, args.length > 0 ? args : ["error"], target),
    });
  },
  "nobody may construct without arguments": (api) => {
    api.SocketError = replaced(api.SocketError, {
      construct(type, args, target) {
        if (args.length === 0) throw new TypeError("not enough arguments");
        return Reflect.construct(type, args, target);
      },
    });
  },
  "subclasses are ignored": (api) => {
    api.SocketError = replaced(api.SocketError, { construct: (type, args) => Reflect.construct(type, args) });
  },
  "a dictionary is exported": (api) => {
    api.SocketInit = class SocketInit {};
  },
  "an enumeration is exported": (api) => {
    api.SocketType = { tcp: "tcp" };
  },

  "an attribute is missing": ({ SocketStats }) => {
    delete SocketStats.prototype.packetsDropped;
  },
  "an attribute is not enumerable": ({ SocketStats }) =>
    redefine(SocketStats.prototype, "bytesSent", { enumerable: false }),
  "an attribute cannot be configured": ({ SocketStats }) =>
    redefine(SocketStats.prototype, "bytesSent", { configurable: false }),
  "an attribute is a data property": ({ Socket }) => {
    Object.defineProperty(Socket.prototype, "quic", {
      value: null,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  },
  "a getter has another name": ({ SocketStats }) => {
    const get = /** @type {any} */ (Reflect.getOwnPropertyDescriptor(SocketStats.prototype, "bytesSent")?.get);
    redefine(get, "name", { value: "bytesSent" });
  },
  "a getter is a constructor": ({ SocketStats }) => {
    const { get } = /** @type {any} */ (Reflect.getOwnPropertyDescriptor(SocketStats.prototype, "bytesSent"));
    const getter = function () {
      return Reflect.apply(get, this, []);
    };
    Object.defineProperty(getter, "name", { value: "get bytesSent", configurable: true });
    redefine(SocketStats.prototype, "bytesSent", { get: /** @type {any} */ (getter) });
  },
  "an attribute is the instance's own": (api) => {
    api.SocketErrorEvent = replaced(api.SocketErrorEvent, {
      construct(type, args, target) {
        const event = Reflect.construct(type, args, target);
        return Object.defineProperty(event, "fatal", { value: event.fatal, enumerable: true });
      },
    });
  },
  "a readonly attribute has a setter": ({ SocketStats }) => {
    const { set } = /** @type {any} */ (Reflect.getOwnPropertyDescriptor({ set bytesSent(_) {} }, "bytesSent"));
    redefine(SocketStats.prototype, "bytesSent", { set });
  },
  "a readonly attribute can be changed": ({ SocketErrorEvent }) => {
    const changed = new WeakMap();
    reading(SocketErrorEvent, "fatal", (read, event) => (changed.has(event) ? changed.get(event) : read()));
    const { set } = /** @type {any} */ (
      Reflect.getOwnPropertyDescriptor(
        {
          set fatal(value) {
            changed.set(this, value);
          },
        },
        "fatal",
      )
    );
    redefine(SocketErrorEvent.prototype, "fatal", { set });
  },
  "a static attribute is on the prototype": ({ Socket }) => {
    Object.defineProperty(
      Socket.prototype,
      "supportedTypes",
      /** @type {any} */ (Reflect.getOwnPropertyDescriptor(Socket, "supportedTypes")),
    );
    delete Socket.supportedTypes;
  },
  "a getter takes any receiver": ({ SocketStats }) =>
    reading(SocketStats, "bytesSent", (read) => {
      try {
        return read();
      } catch {
        return 0;
      }
    }),
  "a getter takes heirs of the prototype": ({ SocketStats }) =>
    reading(SocketStats, "bytesSent", (read, receiver) =>
      receiver instanceof SocketStats && !Object.hasOwn(receiver, "constructor") ? attempt(read, 0) : read(),
    ),
  "a getter throws another error": ({ SocketStats }) =>
    reading(SocketStats, "bytesSent", (read) => {
      try {
        return read();
      } catch (error) {
        throw new Error("illegal invocation", { cause: error });
      }
    }),
  "a getter of a promise throws": ({ Socket }) =>
    reading(Socket, "ready", (read, receiver) => {
      if (!(receiver instanceof Socket) || Object.hasOwn(receiver, "constructor"))
        throw new TypeError("illegal invocation");
      return read();
    }),
  "a setter takes any receiver": ({ Socket }) => {
    const { set } = /** @type {any} */ (Reflect.getOwnPropertyDescriptor(Socket.prototype, "onready"));
    const holder = {
      set onready(/** @type {any} */ value) {
        if (this instanceof Socket && !Object.hasOwn(this, "constructor"))
          attempt(() => Reflect.apply(set, this, [value]), undefined);
      },
    };
    redefine(Socket.prototype, "onready", { set: Reflect.getOwnPropertyDescriptor(holder, "onready")?.set });
  },
  "a number is a string": ({ SocketStats }) => reading(SocketStats, "bytesSent", (read) => String(read())),
  "a number is a BigInt": ({ SocketStats }) => reading(SocketStats, "bytesSent", (read) => BigInt(read())),
  "a number is negative": ({ SocketStats }) => reading(SocketStats, "bytesSent", (read) => read() - 1),
  "null is undefined": ({ SocketStats }) => reading(SocketStats, "packetsSent", (read) => read() ?? undefined),
  "a time is a Date": ({ SocketStats }) => reading(SocketStats, "createdAt", (read) => new Date(read())),
  "an enumeration has another value": ({ SocketInfo }) => reading(SocketInfo, "type", (read) => read().toUpperCase()),
  "a promise is a thenable": ({ Socket }) =>
    reading(Socket, "ready", (read) => {
      const promise = read();
      // biome-ignore lint/suspicious/noThenProperty: that is the violation.
      return { then: (/** @type {any[]} */ ...args) => promise.then(...args), catch() {}, finally() {} };
    }),
  "a promise is of a subclass": ({ Socket }) => {
    class Own extends Promise {}
    reading(Socket, "ready", (read) => {
      const promise = read();
      return Object.getPrototypeOf(promise) === Promise.prototype
        ? Object.setPrototypeOf(promise, Own.prototype)
        : promise;
    });
  },
  "a promise is new each time": ({ Socket }) =>
    reading(Socket, "ready", (read, receiver) =>
      Object.hasOwn(receiver ?? {}, "constructor") ? read() : derived(read()),
    ),
  "an object is new each time": ({ Socket, SocketStats }) =>
    reading(
      Socket,
      "stats",
      (read) => new Proxy(read(), { get: (stats, name) => stats[name], getPrototypeOf: () => SocketStats.prototype }),
    ),
  "an array is new each time": ({ Socket }) => {
    const types = Socket.supportedTypes;
    const holder = {
      get supportedTypes() {
        return Object.freeze([...types]);
      },
    };
    redefine(Socket, "supportedTypes", { get: Reflect.getOwnPropertyDescriptor(holder, "supportedTypes")?.get });
  },
  "an array is not frozen": ({ Socket }) => {
    const types = [...Socket.supportedTypes];
    const holder = {
      get supportedTypes() {
        return types;
      },
    };
    redefine(Socket, "supportedTypes", { get: Reflect.getOwnPropertyDescriptor(holder, "supportedTypes")?.get });
  },
  "an array has strange elements": ({ Socket }) => {
    const types = Object.freeze(["tcp", "sctp"]);
    const holder = {
      get supportedTypes() {
        return types;
      },
    };
    redefine(Socket, "supportedTypes", { get: Reflect.getOwnPropertyDescriptor(holder, "supportedTypes")?.get });
  },
  "a stream only looks like one": ({ Socket }) => {
    const streams = new WeakMap();
    reading(Socket, "readable", (read, receiver) => {
      read();
      if (!streams.has(receiver)) streams.set(receiver, Object.create(ReadableStream.prototype));
      return streams.get(receiver);
    });
  },

  "an operation is not enumerable": ({ Socket }) => redefine(Socket.prototype, "abort", { enumerable: false }),
  "an operation is read-only": ({ Socket }) => redefine(Socket.prototype, "abort", { writable: false }),
  "an operation has another length": ({ Socket }) => redefine(Socket.prototype.abort, "length", { value: 1 }),
  "an operation has another name": ({ Socket }) => redefine(Socket.prototype.abort, "name", { value: "" }),
  "an operation is a constructor": ({ SocketStats }) => {
    const { toJSON } = SocketStats.prototype;
    SocketStats.prototype.toJSON = function () {
      return Reflect.apply(toJSON, this, []);
    };
    Object.defineProperty(SocketStats.prototype.toJSON, "name", { value: "toJSON", configurable: true });
  },
  "an operation takes any receiver": ({ Socket }) =>
    calling(Socket, "abort", (call, receiver, args) => {
      if (receiver instanceof Socket && !Object.hasOwn(receiver, "constructor")) return call(...args).catch(() => {});
      return Promise.resolve();
    }),
  "an operation throws instead of rejecting": ({ Socket }) =>
    calling(Socket, "update", (call, receiver, args) => {
      if (!(receiver instanceof Socket) || Object.hasOwn(receiver, "constructor"))
        throw new TypeError("illegal invocation");
      return call(...args);
    }),
  "missing arguments throw instead of rejecting": ({ Socket }) =>
    calling(Socket, "update", (call, _, args) => {
      if (args.length === 0) throw new TypeError("not enough arguments");
      return call(...args);
    }),
  "missing arguments have defaults": ({ Socket }) => calling(Socket, "update", (call, _, args) => call(args[0] ?? {})),
  "an operation returns a thenable": ({ Socket }) =>
    calling(Socket, "abort", (call, _, args) => {
      const promise = call(...args);
      // biome-ignore lint/suspicious/noThenProperty: that is the violation.
      return { then: (/** @type {any[]} */ ...given) => promise.then(...given) };
    }),
  "an operation fulfils with something": ({ Socket }) =>
    calling(Socket, "abort", (call, _, args) => call(...args).then(() => null)),
  "toJSON has another order": ({ SocketStats }) =>
    calling(SocketStats, "toJSON", (call) => Object.fromEntries(Object.entries(call()).reverse())),
  "toJSON has another member": ({ SocketStats }) => calling(SocketStats, "toJSON", (call) => ({ ...call(), extra: 1 })),
  "toJSON has other values": ({ SocketStats }) =>
    calling(SocketStats, "toJSON", (call) => ({ ...call(), createdAt: "now" })),
  "toJSON goes into depth": ({ SocketInfo }) =>
    calling(SocketInfo, "toJSON", (call) => JSON.parse(JSON.stringify(call()))),
  "toJSON returns the same object": ({ SocketStats }) => {
    const made = new WeakMap();
    calling(SocketStats, "toJSON", (call, stats) => {
      const value = call();
      if (!made.has(stats)) made.set(stats, value);
      return made.get(stats);
    });
  },
  "toJSON returns no plain object": ({ SocketStats }) =>
    calling(SocketStats, "toJSON", (call) => Object.assign(Object.create(null), call())),
  "toJSON returns a frozen object": ({ SocketStats }) =>
    calling(SocketStats, "toJSON", (call) => Object.freeze(call())),

  "nothing can be disposed of": ({ Socket }) => {
    delete Socket.prototype[Symbol.asyncDispose];
  },
  "disposal throws instead of rejecting": ({ Socket }) =>
    calling(Socket, Symbol.asyncDispose, (call, receiver) => {
      if (!(receiver instanceof Socket) || Object.hasOwn(receiver, "constructor"))
        throw new TypeError("illegal invocation");
      return call();
    }),
  "disposal returns nothing": ({ Socket }) =>
    calling(Socket, Symbol.asyncDispose, (call, receiver) => {
      const returned = call();
      return receiver instanceof Socket && !Object.hasOwn(receiver, "constructor")
        ? unlessRejected(receiver, returned)
        : returned;
    }),

  "structuredClone throws": (api) => {
    api.structuredClone = (/** @type {any} */ value) => {
      if (value instanceof api.SocketError) throw new DOMException("not serializable", "DataCloneError");
      return structuredClone(value);
    };
  },
  "structuredClone keeps only the base": (api) => {
    api.structuredClone = (/** @type {any} */ value) => new DOMException(value.message, value.name);
  },
  "structuredClone forgets a member": (api) => {
    api.structuredClone = (/** @type {any} */ value) =>
      value instanceof api.SocketError
        ? new api.SocketError(value.message, { errorCode: value.errorCode })
        : new DOMException(value.message, value.name);
  },
};

/**
 * @template T
 * @param {() => T} action
 * @param {T} otherwise
 */
function attempt(action, otherwise) {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

/** @param {Promise<any>} promise */
function derived(promise) {
  const next = promise.then((value) => value);
  next.catch(() => {});
  return next;
}

/**
 * @param {any} socket
 * @param {any} returned
 */
function unlessRejected(socket, returned) {
  return socket.signal === undefined ? returned : undefined;
}
