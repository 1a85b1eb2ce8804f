/** Values on the wire: JSON, and tagged objects for what JSON lacks (docs/agent-protocol.md, "Values"). */

import { decodeBytes, encodeBytes, isBuffer } from "./bytes.js";
import { Fault } from "./faults.js";
import { labelOf, makeFunction } from "./functions.js";

/**
 * @typedef {import("./scope.js").Scope} Scope
 * @typedef {any} Wire what JSON.parse gives
 *
 * @typedef {object} Context
 * @property {Scope} scope
 * @property {Record<string, any>} globals
 * @property {unknown[]} [results] values of the earlier steps, by number; absent where a step gave none
 * @property {unknown[]} [args] what the function was called with
 * @property {number} [call] which call of the function it is, from 1
 */

// Deeper values go as handles: a cycle must not end the agent.
const DEEPEST = 32;

/**
 * @param {unknown} value
 * @param {Scope} scope
 * @param {number} [depth]
 * @returns {Wire}
 */
export function encode(value, scope, depth = 0) {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      return { $: "number", value: Object.is(value, -0) ? "-0" : String(value) };
    case "undefined":
      return { $: "undefined" };
    case "bigint":
      return { $: "bigint", value: String(value) };
    case "symbol":
      return { $: "symbol", name: symbolName(value) };
    case "function":
      return encodeHandle(value, scope);
    default:
      return value === null ? null : encodeObject(/** @type {object} */ (value), scope, depth);
  }
}

/**
 * @param {object} value
 * @param {Scope} scope
 * @returns {Wire}
 */
export function encodeHandle(value, scope) {
  const wire = { $: "handle", id: scope.idOf(value), class: className(value) };
  const label = labelOf(value);
  return label === undefined ? wire : { ...wire, as: label };
}

/**
 * @param {object} value
 * @param {Scope} scope
 * @param {number} depth
 * @returns {Wire}
 */
function encodeObject(value, scope, depth) {
  if (depth > DEEPEST) return encodeHandle(value, scope);
  if (Array.isArray(value)) return Array.from(value, (item) => encode(item, scope, depth + 1));
  if (ArrayBuffer.isView(value) || isBuffer(value)) return encodeBytes(value);
  if (value instanceof Error) return encodeError(value, scope, depth);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return encodeHandle(value, scope);
  const entries = Object.entries(value).map(([key, item]) => [key, encode(item, scope, depth + 1)]);
  return Object.hasOwn(value, "$") ? { $: "object", entries } : Object.fromEntries(entries);
}

/**
 * @param {any} error
 * @param {Scope} scope
 * @param {number} depth
 * @returns {Wire}
 */
function encodeError(error, scope, depth) {
  /** @type {Wire} */
  const wire = {
    $: "error",
    id: scope.idOf(error),
    class: className(error),
    name: String(error.name),
    message: String(error.message),
    instanceof: ancestry(error),
  };
  if (typeof error.code === "number" || typeof error.code === "string") wire.code = error.code;
  if (typeof error.errorCode === "string") wire.errorCode = error.errorCode;
  if (typeof error.systemCode === "string") wire.systemCode = error.systemCode;
  if (error.cause !== undefined) wire.cause = encode(error.cause, scope, depth + 1);
  return wire;
}

/** @param {object} value */
function ancestry(value) {
  const names = [];
  for (let prototype = Object.getPrototypeOf(value); prototype; prototype = Object.getPrototypeOf(prototype)) {
    const name = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value?.name;
    if (typeof name === "string" && name !== "Object") names.push(name);
  }
  return names;
}

/** @param {object} value */
function className(value) {
  if (typeof value === "function") return "Function";
  const [name] = ancestry(value);
  if (name !== undefined) return name;
  // Iterators and the like have no constructor of their own.
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** @param {symbol} symbol */
function symbolName(symbol) {
  for (const name of Object.getOwnPropertyNames(Symbol)) {
    if (/** @type {any} */ (Symbol)[name] === symbol) return `@@${name}`;
  }
  return symbol.description ?? "";
}

/**
 * @param {Wire} wire
 * @param {Context} context
 * @returns {any}
 */
export function decode(wire, context) {
  if (typeof wire !== "object" || wire === null) return wire;
  if (Array.isArray(wire)) return wire.map((item) => decode(item, context));
  if (!Object.hasOwn(wire, "$")) return decodeEntries(Object.entries(wire), context);
  const read = READERS[wire.$];
  if (read === undefined) throw new Fault("invalid-request", `unknown tag ${JSON.stringify(wire.$)}`);
  return read(wire, context);
}

/** @type {Record<string, (wire: Wire, context: Context) => unknown>} */
const READERS = {
  undefined: () => undefined,
  number: (wire) => Number(wire.value),
  bigint: (wire) => BigInt(wire.value),
  symbol: (wire) => decodeSymbol(wire.name),
  bytes: decodeBytes,
  handle: (wire, { scope }) => scope.handles.get(wire.id),
  error: decodeError,
  object: (wire, context) => decodeEntries(wire.entries, context),
  function: (wire, context) => makeFunction(wire, context),
  result: (wire, { results }) => reference("step", wire.step, results),
  argument: (wire, { args }) => {
    if (args === undefined) throw new Fault("invalid-request", "an argument exists only inside a function");
    return args[wire.index];
  },
};

/**
 * @param {[string, Wire][]} entries
 * @param {Context} context
 */
function decodeEntries(entries, context) {
  const object = {};
  for (const [key, wire] of entries) {
    // Defined, not assigned: `__proto__` is a member like any other.
    const property =
      wire?.$ === "getter" ? { get: makeFunction(wire, context) } : { value: decode(wire, context), writable: true };
    Object.defineProperty(object, key, { ...property, enumerable: true, configurable: true });
  }
  return object;
}

/** @param {string} name */
export function decodeSymbol(name) {
  if (!name.startsWith("@@")) return Symbol(name);
  const symbol = /** @type {any} */ (Symbol)[name.slice(2)];
  if (typeof symbol !== "symbol") throw new Fault("unknown-name", `the runtime has no Symbol.${name.slice(2)}`);
  return symbol;
}

/**
 * @param {Wire} wire
 * @param {Context} context
 */
function decodeError(wire, { globals }) {
  const [type, name] = wire.class.split(":");
  if (typeof globals[type] !== "function") throw new Fault("unknown-name", `there is no ${type}`);
  return name === undefined ? new globals[type](wire.message) : new globals[type](wire.message, name);
}

/**
 * @param {string} what
 * @param {number} index
 * @param {unknown[] | undefined} values
 */
function reference(what, index, values) {
  if (values === undefined || !(index in values)) {
    throw new Fault("invalid-request", `${what} ${index} has no value`);
  }
  return values[index];
}
