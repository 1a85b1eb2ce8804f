/**
 * Changes how the implementation converts: each member that it reads, and each argument that it takes, passes a rule
 * first. What scripts hand over is still read by the implementation itself, once and in its order.
 */

import { dictionaries, enums } from "../../../polyfill/javascript/src/generated/idl.js";
import { Socket } from "../../../polyfill/javascript/src/index.js";

/**
 * @typedef {object} Place a member of a dictionary, or an argument
 * @property {string} path
 * @property {string} name
 * @property {any} type
 * @property {boolean} required
 * @property {any} [holder] the object
 * @property {() => boolean} present whether the object has the member, undefined though it may be
 */

/** @typedef {(read: () => unknown, place: Place) => unknown} Rule what becomes of a value; `read` may throw */

const remote = { address: "127.0.0.1", port: 9 };

/**
 * Returns a valid value of a type, always the same primitive, so that rules can recognise it.
 *
 * @param {any} type
 * @param {string} [name]
 * @returns {any}
 */
export function valid(type, name = "") {
  switch (type.kind) {
    case "union":
      return new Uint8Array(8);
    case "sequence":
      return [valid(type.of, name)];
    case "primitive":
      return type.name === "boolean" ? true : ({ port: 9, keepAliveDelay: 1000 }[name] ?? 64);
    case "string":
      return { address: "127.0.0.1", algorithm: "sha-256" }[name] ?? "words";
    case "enum":
      return enums[type.name]?.[0];
    case "buffer":
      return new Uint8Array(8);
    case "interface":
      return type.name === "Socket" ? new Socket({ remote, signal: AbortSignal.abort() }) : AbortSignal.abort();
    default:
      return "words";
  }
}

/**
 * @param {string} dictionary
 * @param {any} value
 * @param {Rule} rule
 * @param {string} [path]
 * @returns {any}
 */
export function ruled(dictionary, value, rule, path = "") {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return value;
  /** @type {any[]} */
  const members = [];
  for (let name = dictionary; dictionaries[name] !== undefined; name = dictionaries[name]?.inherits ?? "") {
    members.push(...(dictionaries[name]?.members ?? []));
  }
  return new Proxy(typeof value === "function" ? () => {} : {}, {
    get(_, key) {
      const member = members.find(({ name }) => name === key);
      if (member === undefined) return value[key];
      const place = {
        ...member,
        path: path === "" ? member.name : `${path}.${member.name}`,
        holder: value,
        present: () => key in value,
      };
      return inner(
        member.type,
        rule(() => value[key], place),
        rule,
        place.path,
      );
    },
    ownKeys: () => Reflect.ownKeys(value),
    has: (_, key) => key in value,
  });
}

/**
 * @param {any} type
 * @param {any} value
 * @param {Rule} rule
 * @param {string} path
 */
function inner(type, value, rule, path) {
  if (type.kind === "dictionary") return ruled(type.name, value, rule, path);
  if (type.kind === "sequence" && type.of.kind === "dictionary" && Array.isArray(value)) {
    return value.map((each) => ruled(type.of.name, each, rule, path));
  }
  return value;
}

/**
 * Has the constructors and operations of the API apply a rule to the members of their dictionaries and to their
 * other arguments.
 *
 * @param {any} api
 * @param {Rule} rule
 */
export function converting(api, rule) {
  const { ConnectEvent, Socket, SocketError, SocketErrorEvent } = api;
  /** @type {(args: any[], index: number, name: string, type: any, required?: boolean) => any} */
  const argument = (args, index, name, type, required = false) =>
    rule(() => args[index], { name, path: name, type, required, present: () => index < args.length });
  const text = { kind: "string", name: "DOMString", nullable: false };
  /** @type {(args: any[], index: number, name: string, dictionary: string) => any} */
  const converted = (args, index, name, dictionary) =>
    ruled(dictionary, argument(args, index, name, { kind: "dictionary", name: dictionary }), rule);
  api.Socket = class extends Socket {
    /** @param {any[]} args */
    constructor(...args) {
      super(converted(args, 0, "init", "SocketInit"));
    }
    /** @param {any[]} args */
    update(...args) {
      try {
        return super.update(converted(args, 0, "init", "SocketInit"));
      } catch (error) {
        return Promise.reject(error);
      }
    }
    /** @param {any[]} args */
    abort(...args) {
      return super.abort(argument(args, 0, "reason", { kind: "any" }));
    }
  };
  api.SocketError = class extends SocketError {
    /** @param {any[]} args */
    constructor(...args) {
      super(argument(args, 0, "message", text), converted(args, 1, "options", "SocketErrorOptions"));
    }
  };
  api.ConnectEvent = class extends ConnectEvent {
    /** @param {any[]} args */
    constructor(...args) {
      super(argument(args, 0, "type", text, true), converted(args, 1, "eventInitDict", "ConnectEventInit"));
    }
  };
  api.SocketErrorEvent = class extends SocketErrorEvent {
    /** @param {any[]} args */
    constructor(...args) {
      super(argument(args, 0, "type", text, true), converted(args, 1, "eventInitDict", "SocketErrorEventInit"));
    }
  };
}
