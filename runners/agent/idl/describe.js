/** Facts about functions, properties, values and errors, as JSON. Nothing here says whether a fact is right. */

import { isPromise } from "./session.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {Record<string, any>} Facts */

/** Constructors of other standards that chains, types and errors are named by; the IDL's own come with the request. */
const PLATFORM = [
  "DOMException",
  "TypeError",
  "RangeError",
  "Error",
  "Event",
  "EventTarget",
  "Promise",
  "Array",
  "ArrayBuffer",
  "Function",
  "Object",
];

/** A getter of each class of another standard which throws unless its receiver really is of that class. */
/** @type {Record<string, string>} */
const BRANDED = { AbortSignal: "aborted", ReadableStream: "locked", WritableStream: "locked" };

/**
 * Returns the names of the constructors that are looked for, the IDL's first.
 *
 * @param {Session} session
 * @returns {string[]}
 */
function known(session) {
  return [...(session.request.interfaces ?? []), ...Object.keys(BRANDED), ...PLATFORM];
}

/**
 * Returns the name of a well-known object: "Socket" for an interface object, "Socket.prototype" for its prototype,
 * "null", or "unknown".
 *
 * @param {unknown} object
 * @param {Session} session
 * @returns {string}
 */
export function nameOf(object, session) {
  if (object === null) return "null";
  for (const name of known(session)) {
    const type = session.globals[name];
    if (typeof type !== "function") continue;
    if (type === object) return name;
    if (type.prototype === object) return `${name}.prototype`;
  }
  return "unknown";
}

/**
 * @param {unknown} key
 * @returns {PropertyKey}
 */
export function propertyKey(key) {
  const name = String(key);
  if (!name.startsWith("@@")) return name;
  const symbol = Reflect.get(Symbol, name.slice(2));
  // A platform without the symbol cannot have the member either: a key that nothing owns says so.
  return typeof symbol === "symbol" ? symbol : Symbol(name);
}

/**
 * @param {Function} callable
 * @returns {boolean}
 */
function isConstructor(callable) {
  try {
    Reflect.construct(Object, [], callable);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {unknown} value
 * @returns {Facts | null}
 */
export function describeFunction(value) {
  if (typeof value !== "function") return null;
  const name = Reflect.getOwnPropertyDescriptor(value, "name");
  const length = Reflect.getOwnPropertyDescriptor(value, "length");
  return {
    name: typeof name?.value === "string" ? name.value : null,
    nameAttributes: attributes(name),
    length: typeof length?.value === "number" ? length.value : null,
    lengthAttributes: attributes(length),
    constructor: isConstructor(value),
  };
}

/**
 * @param {PropertyDescriptor | undefined} descriptor
 * @returns {string[]} those of "writable", "enumerable" and "configurable" that hold
 */
function attributes(descriptor) {
  if (descriptor === undefined) return [];
  return ["writable", "enumerable", "configurable"].filter((name) => Reflect.get(descriptor, name) === true);
}

/**
 * Describes an own property: its kind, its attributes and the functions behind it.
 *
 * @param {any} object
 * @param {PropertyKey} key
 * @returns {Facts}
 */
export function describeProperty(object, key) {
  const descriptor =
    (typeof object === "object" && object !== null) || typeof object === "function"
      ? Reflect.getOwnPropertyDescriptor(object, key)
      : undefined;
  if (descriptor === undefined) return { kind: "absent" };
  const facts = { attributes: attributes(descriptor) };
  if ("value" in descriptor) {
    return { kind: "data", ...facts, type: typeof descriptor.value, function: describeFunction(descriptor.value) };
  }
  return {
    kind: "accessor",
    ...facts,
    getter: describeFunction(descriptor.get),
    setter: describeFunction(descriptor.set),
  };
}

/**
 * Describes a value by its type; of an object also its class, which is looked for by brand and prototype.
 *
 * @param {unknown} value
 * @param {Session} session
 * @returns {Facts}
 */
export function describe(value, session) {
  switch (typeof value) {
    case "undefined":
      return { type: "undefined" };
    case "boolean":
      return { type: "boolean", value };
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? { type: "number", value }
        : { type: "number", special: Object.is(value, -0) ? "-0" : String(value) };
    case "string":
      return { type: "string", value };
    case "bigint":
      return { type: "bigint", text: String(value) };
    case "symbol":
      return { type: "symbol", text: value.description ?? "" };
    case "function":
      return { type: "function" };
    case "object":
      return value === null ? { type: "null" } : describeObject(value, session);
  }
}

/**
 * @param {object} value
 * @param {Session} session
 * @returns {Facts}
 */
function describeObject(value, session) {
  /** @type {Facts} */
  const facts = { type: "object", class: classOf(value, session) };
  if (value === session.token) facts.token = session.token.token;
  if (Array.isArray(value)) {
    facts.frozen = Object.isFrozen(value);
    facts.elements = value.map((element) => describe(element, session));
  }
  return facts;
}

/**
 * Returns the most derived known class of an object, or null. A class that can be asked for its brand must have it.
 *
 * @param {object} value
 * @param {Session} session
 * @returns {string | null}
 */
function classOf(value, session) {
  if (isPromise(value)) return Object.getPrototypeOf(value) === Promise.prototype ? "Promise" : null;
  for (const name of known(session)) {
    const type = session.globals[name];
    if (typeof type !== "function" || !(value instanceof type)) continue;
    if (name in BRANDED && !hasBrand(value, type, /** @type {string} */ (BRANDED[name]))) continue;
    return name;
  }
  return null;
}

/**
 * @param {object} value
 * @param {Function} type
 * @param {string} member
 * @returns {boolean}
 */
function hasBrand(value, type, member) {
  try {
    Reflect.get(type.prototype, member, value);
    return true;
  } catch {
    return false;
  }
}

/**
 * Describes what was thrown, or what a promise was rejected with.
 *
 * @param {unknown} error
 * @param {Session} session
 * @returns {Facts}
 */
export function describeError(error, session) {
  for (const [label, raised] of session.raised) {
    if (raised === error) return { is: ["Error"], label };
  }
  if (error === session.token) return { is: [], token: session.token.token };
  if (typeof error !== "object" || error === null) return { is: [], value: describe(error, session) };
  const names = ["SocketError", "DOMException", "TypeError", "RangeError", "Error"];
  return {
    is: names.filter((name) => typeof session.globals[name] === "function" && error instanceof session.globals[name]),
    name: String(Reflect.get(error, "name")),
    message: String(Reflect.get(error, "message")),
  };
}
