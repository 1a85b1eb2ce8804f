/**
 * Classes that look exactly as the IDL says, and do nothing: constructors take everything, attributes hold a likely
 * value, operations return at once.
 */

import { readFileSync } from "node:fs";

const idl = JSON.parse(readFileSync(new URL("../../../spec/generated/idl.json", import.meta.url), "utf8"));

/** @type {Record<string, any>} */
const classes = {};

/** @param {any} type */
function likely(type) {
  if (type.nullable) return null;
  if (type.kind === "Promise") return Promise.resolve(undefined);
  if (type.kind === "FrozenArray") return Object.freeze(type.of.name === "SocketType" ? ["tcp"] : []);
  if (type.kind === "enum") return idl.enums[type.name][0];
  if (type.kind === "string") return "";
  if (type.kind === "primitive") return type.name === "boolean" ? true : 0;
  if (type.kind === "callback" || type.kind === "any") return null;
  if (type.name === "AbortSignal") return new AbortController().signal;
  if (type.name === "ReadableStream" || type.name === "WritableStream") return new globalThis[type.name]();
  return Object.create(classes[type.name]?.prototype ?? Object.prototype);
}

/**
 * @param {any} member
 * @param {WeakMap<object, Map<string, any>>} state
 */
function accessor(member, state) {
  const { name, type, readonly } = member;
  /** @param {any} receiver */
  const values = (receiver) => {
    const found = typeof receiver === "object" && receiver !== null ? state.get(receiver) : undefined;
    if (found === undefined) throw new TypeError("Illegal invocation");
    return found;
  };
  const holder = {
    get [name]() {
      try {
        const held = values(this);
        if (!held.has(name)) held.set(name, likely(type));
        return held.get(name);
      } catch (error) {
        if (type.kind === "Promise") return Promise.reject(error);
        throw error;
      }
    },
    set [name](value) {
      values(this).set(name, typeof value === "function" || typeof value === "object" ? value : null);
    },
  };
  const descriptor = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(holder, name));
  if (readonly) delete descriptor.set;
  return descriptor;
}

for (const [name, definition] of Object.entries(idl.interfaces)) {
  const parent = classes[definition.inherits] ?? globalThis[definition.inherits] ?? Object;
  const made = definition.members.find((/** @type {any} */ each) => each.kind === "constructor");
  const required = made?.arguments.filter((/** @type {any} */ each) => !each.optional).length ?? 0;
  /** @type {WeakMap<object, Map<string, any>>} */
  const state = new WeakMap();
  const type = class extends parent {
    /** @param {any[]} args */
    constructor(...args) {
      if (made === undefined || args.length < required) throw new TypeError("Illegal constructor");
      super(...(definition.inherits === "Event" ? ["likely"] : []));
      state.set(this, new Map());
    }
  };
  Object.defineProperty(type, "name", { value: name, configurable: true });
  Object.defineProperty(type, "length", { value: required, configurable: true });
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: name, configurable: true });
  for (const member of definition.members) {
    if (member.kind === "attribute") {
      const descriptor = accessor(member, member.static ? new WeakMap([[type, new Map()]]) : state);
      if (member.static) {
        const value = likely(member.type);
        descriptor.get = Object.getOwnPropertyDescriptor(
          {
            get [member.name]() {
              return value;
            },
          },
          member.name,
        )?.get;
      }
      Object.defineProperty(member.static ? type : type.prototype, member.name, { ...descriptor, enumerable: true });
    } else if (member.kind === "operation") {
      const promise = member.type.kind === "Promise";
      const count = member.arguments.filter((/** @type {any} */ each) => !each.optional).length;
      const { [member.name]: method } = {
        /** @param {any[]} args */
        [member.name](...args) {
          const wrong = !state.has(this) || args.length < count;
          if (!promise && wrong) throw new TypeError("Illegal invocation");
          return wrong ? Promise.reject(new TypeError("Illegal invocation")) : promise ? Promise.resolve() : {};
        },
      };
      Object.defineProperty(method, "length", { value: count, configurable: true });
      Object.defineProperty(type.prototype, member.name, {
        value: method,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  }
  classes[name] = type;
}

export const {
  ConnectEvent,
  QuicSession,
  QuicStream,
  Socket,
  SocketEndpoint,
  SocketError,
  SocketErrorEvent,
  SocketInfo,
  SocketListener,
  SocketStats,
  SocketTLSInfo,
} = classes;
