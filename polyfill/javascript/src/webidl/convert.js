/**
 * From JavaScript values to IDL values, by the rules of the Web IDL standard and the types of the generated tables.
 * https://webidl.spec.whatwg.org/#js-type-mapping
 */

import { dictionaries, enums } from "../generated/idl.js";
import { bytesOf, isBufferSource } from "./buffer-source.js";

/**
 * @typedef {import("../generated/idl.js").Type} Type
 * @typedef {import("../generated/idl.js").NamedType} NamedType
 * @typedef {import("../generated/idl.js").UnionType} UnionType
 * @typedef {import("../generated/idl.js").GenericType} GenericType
 * @typedef {import("../generated/idl.js").Dictionary} Dictionary
 * @typedef {import("../generated/idl.js").Member} Member
 */

/**
 * Dictionaries that other standards define and ours inherit from.
 * @type {Readonly<Record<string, Dictionary>>}
 */
const external = {
  // https://dom.spec.whatwg.org/#dictdef-eventinit
  EventInit: {
    inherits: null,
    members: ["bubbles", "cancelable", "composed"].map((name) => ({
      name,
      required: false,
      type: { kind: "primitive", name: "boolean", nullable: false },
      default: false,
    })),
  },
};

/**
 * The upper end of each integer type. All of them are unsigned, and all are converted with [EnforceRange].
 * @type {Readonly<Record<string, number>>}
 */
const largest = { octet: 0xff, "unsigned short": 0xffff, "unsigned long": 0xffffffff };

/**
 * Brand checks of interface types, by name.
 * @type {Map<string, (value: object) => boolean>}
 */
const interfaces = new Map([
  ["AbortSignal", brandOf(globalThis.AbortSignal, "aborted")],
  ["CryptoKey", brandOf(globalThis.CryptoKey, "type")],
]);

/**
 * @param {{prototype: object} | undefined} interfaceObject undefined where the platform lacks the interface
 * @param {string} attribute one of its attributes, whose getter throws on anything but an instance
 * @returns {(value: object) => boolean}
 */
function brandOf(interfaceObject, attribute) {
  const get = interfaceObject && Object.getOwnPropertyDescriptor(interfaceObject.prototype, attribute)?.get;
  return (value) => {
    try {
      get?.call(value);
      return get !== undefined;
    } catch {
      return false;
    }
  };
}

/**
 * Makes an interface of this package known as a type.
 * @param {string} name
 * @param {(value: object) => boolean} implementsIt
 */
export function registerInterface(name, implementsIt) {
  interfaces.set(name, implementsIt);
}

/**
 * @param {unknown} value
 * @returns {value is object} whether the standard's Type(value) is Object
 */
export function isObject(value) {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/**
 * @param {unknown} value
 * @returns {string} ToString(value), which refuses symbols; String() would describe them
 */
export function toDOMString(value) {
  return `${/** @type {string} */ (value)}`;
}

/** @type {Readonly<Record<string, (value: unknown, type: any, what: string) => unknown>>} */
const conversions = {
  any: (value) => value,

  object(value, _type, what) {
    if (!isObject(value)) throw new TypeError(`${what} is not an object`);
    return value;
  },

  primitive(value, /** @type {NamedType} */ type, what) {
    if (type.name === "boolean") return Boolean(value);
    return toInteger(value, largest[type.name], what);
  },

  string(value, /** @type {NamedType} */ type) {
    const string = toDOMString(value);
    return type.name === "USVString" ? string.toWellFormed() : string;
  },

  enum(value, /** @type {NamedType} */ type, what) {
    const string = toDOMString(value);
    if (!enums[type.name].includes(string)) throw new TypeError(`${what} is not a ${type.name}: "${string}"`);
    return string;
  },

  dictionary: (value, /** @type {NamedType} */ type, what) => convertDictionary(type.name, value, what),

  interface(value, /** @type {NamedType} */ type, what) {
    if (!isObject(value) || !interfaces.get(type.name)?.(value)) throw new TypeError(`${what} is not a ${type.name}`);
    return value;
  },

  buffer: (value, _type, what) => bytesOf(value, what),

  union: convertUnion,

  sequence(value, /** @type {GenericType} */ type, what) {
    return convertSequence(value, type.of, what);
  },
};

/**
 * @param {Type} type
 * @param {unknown} value
 * @param {string} what how messages call the value, such as "remote.port"
 * @returns {unknown}
 * @throws {TypeError} if the value has no counterpart of that type; whatever the value's own code throws
 */
export function convert(type, value, what) {
  if (type.nullable && (value === null || value === undefined)) return null;
  return conversions[type.kind](value, type, what);
}

/**
 * ConvertToInt with [EnforceRange]. https://webidl.spec.whatwg.org/#abstract-opdef-converttoint
 * @param {unknown} value
 * @param {number} upper
 * @param {string} what
 * @returns {number}
 */
function toInteger(value, upper, what) {
  // ToNumber, which refuses a BigInt and a Symbol; Number() would take the former.
  const number = +(/** @type {number} */ (value));
  if (!Number.isFinite(number)) throw new TypeError(`${what} is not a finite number`);
  // "Set x to IntegerPart(x)", and + 0 makes -0 a +0.
  const integer = Math.trunc(number) + 0;
  if (integer < 0 || integer > upper) throw new TypeError(`${what} is not between 0 and ${upper}`);
  return integer;
}

/**
 * https://webidl.spec.whatwg.org/#js-union, as far as the types of the tables go.
 * @param {unknown} value
 * @param {UnionType} type
 * @param {string} what
 * @returns {unknown}
 */
function convertUnion(value, type, what) {
  if (isObject(value)) {
    const member = type.members.find(
      (candidate) =>
        (candidate.kind === "interface" && interfaces.get(candidate.name)?.(value)) ||
        (candidate.kind === "buffer" && isBufferSource(value)),
    );
    if (member) return convert(member, value, what);
  }
  const string = type.members.find((candidate) => candidate.kind === "string");
  if (!string) throw new TypeError(`${what} is none of the types that are allowed`);
  return convert(string, value, what);
}

/**
 * "Creating a sequence from an iterable": the iterator is not closed when an element cannot be converted, which is
 * what a for-of loop would do. https://webidl.spec.whatwg.org/#create-sequence-from-iterable
 * @param {unknown} value
 * @param {Type} of
 * @param {string} what
 * @returns {unknown[]}
 */
function convertSequence(value, of, what) {
  if (!isObject(value)) throw new TypeError(`${what} is not a sequence`);
  const method = /** @type {any} */ (value)[Symbol.iterator];
  if (typeof method !== "function") throw new TypeError(`${what} is not iterable`);
  const iterator = method.call(value);
  if (!isObject(iterator)) throw new TypeError(`the iterator of ${what} is not an object`);
  const { next } = /** @type {any} */ (iterator);
  const elements = [];
  for (;;) {
    const result = next.call(iterator);
    if (!isObject(result)) throw new TypeError(`the iterator of ${what} gave something that is not an object`);
    if (/** @type {any} */ (result).done) return elements;
    elements.push(convert(of, /** @type {any} */ (result).value, `${what}[${elements.length}]`));
  }
}

/**
 * The members of a dictionary in the order of conversion: "in order, from least to most derived", and within each
 * "in lexicographical order".
 * @type {Map<string, readonly Member[]>}
 */
const ordered = new Map();

/**
 * @param {string} name
 * @returns {readonly Member[]}
 */
function membersOf(name) {
  const known = ordered.get(name);
  if (known) return known;
  const { inherits, members } = dictionaries[name] ?? external[name];
  const own = [...members].sort((a, b) => (a.name < b.name ? -1 : 1));
  const all = inherits === null ? own : [...membersOf(inherits), ...own];
  ordered.set(name, all);
  return all;
}

/**
 * https://webidl.spec.whatwg.org/#js-dictionary
 * @param {string} name
 * @param {unknown} value
 * @param {string} [what] how messages call the value; its members are called `what.member`, or just `member`
 * @returns {any} an object with the members that are present
 */
export function convertDictionary(name, value, what = "") {
  const absent = value === undefined || value === null;
  if (!absent && !isObject(value)) throw new TypeError(`${what || name} is not an object`);
  /** @type {Record<string, unknown>} */
  const result = {};
  for (const member of membersOf(name)) {
    const given = absent ? undefined : /** @type {any} */ (value)[member.name];
    const path = what ? `${what}.${member.name}` : member.name;
    if (given !== undefined) result[member.name] = convert(member.type, given, path);
    else if (Object.hasOwn(member, "default")) result[member.name] = defaultOf(member, path);
    else if (member.required) throw new TypeError(`${path} is missing`);
  }
  return result;
}

/**
 * @param {Member} member
 * @param {string} path
 * @returns {unknown}
 */
function defaultOf(member, path) {
  // A default of {} is an empty dictionary with its own defaults in it.
  return member.type.kind === "dictionary" ? convertDictionary(member.type.name, undefined, path) : member.default;
}
