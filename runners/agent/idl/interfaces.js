/** Probes of definitions: interface objects, prototypes, subclasses, and names that must not exist. */

import { describe, describeFunction, describeProperty, nameOf, propertyKey } from "./describe.js";
import { instance } from "./instances.js";
import { outcome } from "./outcome.js";
import { build } from "./recipes.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./describe.js").Facts} Facts */

/**
 * @param {any} object
 * @param {Session} session
 * @returns {string[]} the names of the prototypes of `object`, nearest first
 */
function chain(object, session) {
  const names = [];
  for (let each = Reflect.getPrototypeOf(object); each !== null; each = Reflect.getPrototypeOf(each)) {
    names.push(nameOf(each, session));
  }
  return names;
}

/**
 * Everything about an interface object and its prototype object.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function interfaceObject(session) {
  const name = session.request.interface;
  const object = session.globals[name];
  if (typeof object !== "function") return { type: typeof object };
  const prototype = object.prototype;
  return {
    type: "function",
    // The attributes of a module's exports are the module system's, so only a property of the global object counts.
    global: Reflect.get(globalThis, name) === object ? describeProperty(globalThis, name).attributes : null,
    function: describeFunction(object),
    chain: chain(object, session),
    prototype: describeProperty(object, "prototype").attributes,
    prototypeChain: chain(prototype, session),
    constructor: { ...describeProperty(prototype, "constructor"), same: prototype.constructor === object },
    tag: {
      ...describeProperty(prototype, Symbol.toStringTag),
      value: Reflect.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.value ?? null,
    },
    text: Object.prototype.toString.call(prototype),
  };
}

/**
 * What comes of calling an interface object without `new`, and with `new` and 0, 1, … of the valid arguments.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function construction(session) {
  const { interface: name, args } = session.request;
  const object = session.globals[name];
  const withArguments = [];
  for (let count = 0; count <= args.length; count++) {
    const construct = () => session.construct(name, build(args.slice(0, count), session));
    withArguments.push((await outcome(construct, session)).facts);
  }
  const withoutNew = await outcome(() => object(...build(args, session)), session);
  return { type: typeof object, withoutNew: withoutNew.facts, withArguments };
}

/**
 * An instance of a class that extends the interface: new.target decides its prototype, and members work on it.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function subclass(session) {
  const { interface: name, args, attributes = [] } = session.request;
  /** @type {new (...args: any[]) => any} */
  const parent = session.globals[name];
  class Derived extends parent {}
  const object = new Derived(...build(args, session));
  session.made.push(object);
  return {
    derived: object instanceof Derived,
    base: object instanceof parent,
    prototype: Reflect.getPrototypeOf(object) === Derived.prototype,
    attributes: Object.fromEntries(
      attributes.map((/** @type {string} */ each) => [each, describe(object[each], session)]),
    ),
  };
}

/**
 * Which of the names exist on the global object or among the implementation's exports.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function names(session) {
  /** @type {string[]} */
  const wanted = session.request.names;
  return { types: Object.fromEntries(wanted.map((name) => [name, typeof session.globals[name]])) };
}

/**
 * One property, on the interface object, its prototype or the global object, and whether an instance has its own.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function property(session) {
  const { request } = session;
  const key = propertyKey(request.member);
  const type = session.globals[request.interface];
  const holder = { interface: type, prototype: type?.prototype, global: globalThis }[String(request.on)];
  /** @type {Facts} */
  const facts = { property: describeProperty(holder, key) };
  if (request.alias !== undefined) facts.sameAsAlias = holder[key] === holder[propertyKey(request.alias)];
  if (request.instance !== undefined) {
    const { object } = await instance(request.instance, session);
    facts.own = Object.hasOwn(object, key);
    facts.inherits = Reflect.has(object, key);
  }
  return facts;
}
