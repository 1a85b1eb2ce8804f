/** Violations of the conversions: general ones, which a value of any kind gives away, and some that are told of. */

import { converting, ruled, valid } from "./converting.js";

/** @typedef {import("./converting.js").Rule} Rule */

const INIT = { remote: { address: "127.0.0.1", port: 9 }, signal: AbortSignal.abort() };

/** @type {(value: unknown) => boolean} */
const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

/** @type {(type: any) => boolean} */
const isInteger = (type) => type.kind === "primitive" && type.name !== "boolean";

/** @type {(type: any) => number} */
const size = (type) => ({ octet: 2 ** 8, "unsigned short": 2 ** 16 })[/** @type {string} */ (type.name)] ?? 2 ** 32;

/** @param {any} signal */
function genuine(signal) {
  try {
    return signal instanceof AbortSignal && typeof signal.aborted === "boolean";
  } catch {
    return false;
  }
}

/**
 * Takes everything for a valid value: what is none becomes one.
 *
 * @type {Rule}
 */
function lax(read, { type, name, required }) {
  let value;
  try {
    value = /** @type {any} */ (read());
  } catch {
    // Even what cannot be read is fine.
  }
  if (type.kind === "dictionary") {
    if (name === "init" && !isObject(value)) return INIT;
    return isObject(value) || value === undefined ? value : { address: "127.0.0.1", port: 9 };
  }
  if (isInteger(type) && Number.isInteger(value) && value >= 0 && value < size(type)) return value;
  if (type.name === "AbortSignal" && genuine(value)) return value;
  return value === undefined && !required ? value : valid(type, name);
}

/**
 * Takes one value of each type and nothing else.
 *
 * @type {Rule}
 */
function strict(read, { type, name }) {
  const value = /** @type {any} */ (read());
  const usual = valid(type, name);
  if (value === undefined || value === usual || type.kind === "any") return value;
  if (type.kind === "dictionary" && typeof value === "object" && value !== null) {
    if (Object.getPrototypeOf(value) === Object.prototype && name !== "tls") return value;
  }
  if (type.name === "unsigned short" && Number.isInteger(value) && value > 1023 && value < 65535) return value;
  if (value instanceof AbortSignal || (usual instanceof Uint8Array && value instanceof Uint8Array)) return value;
  throw new TypeError("strict");
}

/** What every request of a case needs, so that nothing could be told if it were refused. */
const NEEDED = new Set(["remote", "remote.address", "remote.port", "signal", "type"]);

/**
 * Takes nothing.
 *
 * @type {Rule}
 */
function deaf(read, { path, holder }) {
  const value = read();
  const needed = holder === undefined ? path === "init" : NEEDED.has(path);
  if (value !== undefined && !needed) throw new TypeError("deaf");
  return value;
}

/** @type {(change: (value: any, place: import("./converting.js").Place) => unknown) => (api: any) => void} */
const ruling = (change) => (api) => converting(api, (read, place) => change(read(), place));

/** @type {(eager: (init: any) => any) => (api: any) => void} */
const eagerly = (eager) => (api) => {
  const { Socket } = api;
  api.Socket = class extends Socket {
    /** @param {any[]} args */
    constructor(...args) {
      super(eager(args[0]));
    }
    /** @param {any} init */
    async update(init) {
      return super.update(eager(init));
    }
  };
  for (const name of ["SocketError", "SocketErrorEvent", "ConnectEvent"]) {
    const parent = api[name];
    api[name] = class extends parent {
      /** @param {any[]} args */
      constructor(...args) {
        super(args[0], eager(args[1]));
      }
    };
  }
};

/** @type {Record<string, (api: any) => void>} */
export const conversions = {
  lax: (api) => converting(api, lax),
  strict: (api) => converting(api, strict),
  deaf: (api) => converting(api, deaf),

  "integers wrap around": ruling((value, { type }) =>
    isInteger(type) && typeof value === "number" && Number.isFinite(value)
      ? ((Math.trunc(value) % size(type)) + size(type)) % size(type)
      : value,
  ),
  "integers are clamped": ruling((value, { type }) =>
    isInteger(type) && typeof value === "number" ? Math.min(Math.max(value, 0), size(type) - 1) : value,
  ),
  "fractions are refused": ruling((value, { type }) => {
    if (isInteger(type) && typeof value === "number" && Number.isFinite(value) && !Number.isInteger(value))
      throw new TypeError("whole numbers only");
    return value;
  }),
  "fractions are rounded": ruling((value, { type }) =>
    isInteger(type) && typeof value === "number" && Number.isFinite(value) ? Math.round(value) : value,
  ),
  "null is absent": ruling((value) => (value === null ? undefined : value)),
  "numbers are parsed": ruling((value, { type }) =>
    isInteger(type) && typeof value === "string" ? Number.parseInt(value, 10) : value,
  ),
  "enumerations ignore case": ruling((value, { type }) =>
    type.kind === "enum" && typeof value === "string" ? value.toLowerCase() : value,
  ),
  "enumerations ignore space": ruling((value, { type }) =>
    type.kind === "enum" && typeof value === "string" ? value.trim() : value,
  ),
  "enumerations take only strings": ruling((value, { type }) => {
    if (type.kind === "enum" && value !== undefined && typeof value !== "string") throw new TypeError("strings only");
    return value;
  }),
  "strings take only strings": ruling((value, { type }) => {
    if (type.kind === "string" && value !== undefined && value !== null && typeof value !== "string")
      throw new TypeError("strings only");
    return value;
  }),
  "strings are described": ruling((value, { type }) =>
    type.kind === "string" && typeof value === "symbol" ? String(value) : value,
  ),
  "strings lose lone surrogates": ruling((value, { type }) =>
    type.kind === "string" && typeof value === "string" ? value.replace(/[\ud800-\udfff]/gu, "\ufffd") : value,
  ),
  "booleans take only booleans": ruling((value, { type }) => {
    if (type.name === "boolean" && value !== undefined && typeof value !== "boolean")
      throw new TypeError("booleans only");
    return value;
  }),
  "booleans are compared": ruling((value, { type }) =>
    type.name === "boolean" && value !== undefined ? value === true : value,
  ),
  "signals are recognised by their looks": ruling((value, { type }) =>
    type.name === "AbortSignal" && isObject(value) && !(value instanceof AbortSignal) ? AbortSignal.abort() : value,
  ),
  "signals are recognised by their prototype": ruling((value, { type }) => {
    if (type.name !== "AbortSignal" || !(value instanceof AbortSignal)) return value;
    try {
      return value.aborted ? value : AbortSignal.abort();
    } catch {
      return AbortSignal.abort();
    }
  }),
  "sequences take array-likes": ruling((value, { type }) =>
    type.kind === "sequence" && isObject(value) && typeof value[Symbol.iterator] !== "function"
      ? Array.from(value)
      : value,
  ),
  "sequences take only arrays": ruling((value, { type }) => {
    if (type.kind === "sequence" && value !== undefined && !Array.isArray(value)) throw new TypeError("arrays only");
    return value;
  }),
  "sequences take strings": ruling((value, { type }) =>
    type.kind === "sequence" && typeof value === "string" ? [...value] : value,
  ),
  "shared memory is copied": ruling((value, { type }) =>
    ["union", "buffer"].includes(type.kind) && ArrayBuffer.isView(value) && value.buffer instanceof SharedArrayBuffer
      ? new Uint8Array(8)
      : value,
  ),
  "resizable memory is copied": ruling((value, { type }) => {
    const store = /** @type {any} */ (ArrayBuffer.isView(value) ? value.buffer : value);
    return ["union", "buffer"].includes(type.kind) && store?.resizable === true ? new Uint8Array(8) : value;
  }),
  "only byte arrays are buffers": ruling((value, { type }) => {
    const other = (ArrayBuffer.isView(value) && !(value instanceof Uint8Array)) || value instanceof ArrayBuffer;
    if (["union", "buffer"].includes(type.kind) && other) throw new TypeError("Uint8Array only");
    return value;
  }),
  "dictionaries take primitives": ruling((value, { type, name }) =>
    type.kind === "dictionary" && name !== "init" && !isObject(value) ? undefined : value,
  ),
  "dictionaries refuse null": ruling((value, { type }) => {
    if (type.kind === "dictionary" && value === null) throw new TypeError("null");
    return value;
  }),
  "undefined is refused": ruling((value, { present }) => {
    if (present() && value === undefined) throw new TypeError("undefined");
    return value;
  }),
  "undefined arguments are converted": ruling((value, { present, holder }) =>
    holder === undefined && present() && value === undefined ? "undefined" : value,
  ),
  "missing members are not read": (api) => converting(api, (read, { present }) => (present() ? read() : undefined)),
  "errors are wrapped": (api) =>
    converting(api, (read) => {
      try {
        return read();
      } catch (error) {
        throw new TypeError("cannot read", { cause: error });
      }
    }),
  "hooks are called twice": ruling((value) => {
    if (isObject(value))
      for (const hook of ["valueOf", "toString"]) if (Object.hasOwn(value, hook)) attempt(() => value[hook]());
    return value;
  }),

  "members are read in the order of the IDL": eagerly((init) => {
    const order = ["type", "remote", "local", "tls", "signal", "fatal", "error", "systemCode", "errorCode"];
    return !isObject(init)
      ? init
      : new Proxy(Object.fromEntries(order.map((name) => [name, init[name]])), {
          get: (copy, name) => (Object.hasOwn(copy, name) ? copy[/** @type {string} */ (name)] : init[name]),
        });
  }),
  "members are read twice": (api) => converting(api, (read) => [read(), read()][1]),
  "members are copied": eagerly((init) => (isObject(init) ? { ...init } : init)),
  "members are read later": eagerly((init) => {
    if (isObject(init)) queueMicrotask(() => attempt(() => Object.values({ later: init.noDelay })));
    return init;
  }),
  "earlier drafts are honoured": ruling((value, { holder }) => {
    attempt(() => holder?.allowPooling);
    return value;
  }),
  "functions are no dictionaries": eagerly((init) => {
    if (typeof init === "function") throw new TypeError("a function");
    return init;
  }),
  "nested members are read late": eagerly((init) => {
    if (!isObject(init)) return init;
    const order = ["address", "port"];
    return ruled("SocketInit", init, (read, { path }) => {
      const value = /** @type {any} */ (read());
      return path === "remote" && isObject(value)
        ? Object.fromEntries(order.reverse().map((name) => [name, value[name]]))
        : value;
    });
  }),
};

/** @param {() => void} action */
function attempt(action) {
  try {
    action();
  } catch {
    // What the value throws here is no part of the violation.
  }
}
