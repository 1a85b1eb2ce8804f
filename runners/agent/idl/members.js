/** Probes of members: what their functions do with receivers, what attributes hold, what handlers are called with. */

import { describe, describeProperty, nameOf, propertyKey } from "./describe.js";
import { instance, walk } from "./instances.js";
import { outcome } from "./outcome.js";
import { build } from "./recipes.js";
import { nextTask } from "./session.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./describe.js").Facts} Facts */

/**
 * What the function of a member (`access`: "get", "set", "value") does on receivers that are no such object, and on
 * one that is.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function receivers(session) {
  const { interface: name, member, access, args = [], instance: recipe, wait } = session.request;
  const { EventTarget } = session.globals;
  const prototype = session.globals[name].prototype;
  const callable = Reflect.getOwnPropertyDescriptor(prototype, propertyKey(member))?.[/** @type {"get"} */ (access)];
  if (typeof callable !== "function") return { function: typeof callable };
  /** @type {[string, unknown][]} */
  const wrong = [
    ["undefined", undefined],
    ["null", null],
    ["number", 1],
    ["object", {}],
    ["prototype", prototype],
    ["heir", Object.create(prototype)],
    ["other", new EventTarget()],
  ];
  /** @type {Facts} */
  const facts = { function: "function", wrong: {} };
  for (const [label, receiver] of wrong) {
    const call = () => Reflect.apply(callable, receiver, build(args, session));
    facts.wrong[label] = (await outcome(call, session)).facts;
  }
  if (recipe !== undefined) {
    const { object } = await instance(recipe, session);
    const call = () => Reflect.apply(callable, object, build(args, session));
    facts.right = (await outcome(call, session, { wait })).facts;
  }
  return facts;
}

/**
 * What an attribute holds, whether it is the same each time and later, and what becomes of an assignment.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function attribute(session) {
  const { member, instance: recipe, interface: name } = session.request;
  const object = recipe === undefined ? session.globals[name] : (await instance(recipe, session)).object;
  const first = object[member];
  const facts = { value: describe(first, session), again: Object.is(object[member], first) };
  const write = await outcome(() => {
    object[member] = session.token;
  }, session);
  const reflected = Reflect.set(object, member, session.token);
  await nextTask();
  return { ...facts, write: write.facts, reflected, later: Object.is(object[member], first) };
}

/**
 * The life of an event handler attribute: what it takes, and what is called for which event.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function handler(session) {
  const { member, event: type, values, instance: recipe } = session.request;
  const { Event } = session.globals;
  const target = recipe === undefined ? globalThis : (await instance(recipe, session)).object;
  /** @type {Facts[]} */
  let calls = [];
  /** @type {Event | undefined} */
  let sent;
  /** @type {(who: string) => (this: unknown, ...args: unknown[]) => void} */
  const recorder = (who) =>
    function (...args) {
      calls.push({ who, receiver: this === target, event: args[0] === sent, count: args.length });
    };
  const dispatch = () => {
    calls = [];
    sent = new Event(type);
    target.dispatchEvent(sent);
    return calls;
  };
  const [first, second, listener] = [recorder("first"), recorder("second"), recorder("listener")];
  const there = Reflect.has(target, member);
  /** @type {Facts} */
  const facts = { initially: describe(target[member], session) };
  target[member] = first;
  facts.kept = target[member] === first;
  facts.called = dispatch();
  target.addEventListener(type, listener);
  target[member] = second;
  facts.replaced = dispatch().map(({ who }) => who);
  target[member] = null;
  facts.removed = dispatch().map(({ who }) => who);
  target.removeEventListener(type, listener);
  facts.values = [];
  for (const value of build(values, session)) {
    target[member] = first;
    target[member] = value;
    facts.values.push(describe(target[member], session));
  }
  const callback = { handleEvent: recorder("handleEvent") };
  target[member] = callback;
  facts.object = { kept: target[member] === callback, calls: dispatch().length };
  target[member] = null;
  // On a global object a property that only the probe made would look like the attribute to the next one.
  if (!there) Reflect.deleteProperty(target, member);
  return facts;
}

/**
 * What a default toJSON operation returns, beside the attributes that it is made of.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function json(session) {
  const { instance: recipe } = session.request;
  const { object } = await instance(recipe, session);
  const value = object.toJSON();
  if (typeof value !== "object" || value === null) return { value: describe(value, session) };
  const keys = Reflect.ownKeys(value).map(String);
  return {
    prototype: nameOf(Reflect.getPrototypeOf(value), session),
    keys,
    same: keys.map((key) => Object.is(value[key], object[key])),
    attributes: keys.map((key) => describeProperty(value, key).attributes),
    fresh: object.toJSON() !== value,
    text: JSON.stringify(object),
  };
}

/**
 * An asynchronous iterator of an object: its prototypes, its functions, and what they do on a wrong receiver.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function iterator(session) {
  const { instance: recipe } = session.request;
  const { object } = await instance(recipe, session);
  const iterated = object.values();
  const prototype = Reflect.getPrototypeOf(iterated);
  const generated = Reflect.getPrototypeOf(async function* () {}.prototype);
  const common = generated === null ? null : Reflect.getPrototypeOf(generated);
  const facts = {
    own: Reflect.ownKeys(iterated).map(String),
    fresh: object.values() !== iterated,
    itself: iterated[Symbol.asyncIterator]?.() === iterated,
    // %AsyncIteratorPrototype% has no name: it is reached from the prototype of asynchronous generators.
    inherits: prototype !== null && Reflect.getPrototypeOf(prototype) === common,
    next: describeProperty(prototype, "next"),
    return: describeProperty(prototype, "return"),
    tag: Object.prototype.toString.call(iterated),
    wrong: (await outcome(() => Reflect.apply(iterated.next, {}, []), session)).facts,
  };
  const returned = await outcome(() => iterated.return("done"), session, { wait: true });
  return { ...facts, returned: returned.facts, value: await returned.value };
}

/**
 * A structured clone of an object beside that of a plain DOMException, which shows what the platform can do.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function clone(session) {
  const { instance: recipe, report } = session.request;
  const { structuredClone, DOMException } = session.globals;
  const { object } = await instance(recipe, session);
  const platform = structuredClone(new DOMException("message", "AbortError"));
  const copy = await outcome(() => structuredClone(object), session);
  /** @type {Facts} */
  const reported = {};
  for (const path of copy.facts.outcome === "returned" ? report : []) {
    reported[path] = describe(walk(copy.value, path), session);
  }
  return {
    platform: platform instanceof DOMException && platform.name === "AbortError" && platform.message === "message",
    copy: copy.facts,
    reported,
  };
}
