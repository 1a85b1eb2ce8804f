/** Says whether two values are one and the same. */
export function same(one, other) {
  return Object.is(one, other);
}

/** Describes a property of an object itself: its kind, its attributes and the functions behind it. */
export function describeProperty(object, key) {
  const descriptor = Object(object) === object ? Reflect.getOwnPropertyDescriptor(object, key) : undefined;
  if (descriptor === undefined) return { kind: "absent" };
  const facts = { attributes: attributesOf(descriptor) };
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

function attributesOf(descriptor) {
  return ["writable", "enumerable", "configurable"].filter((name) => descriptor?.[name] === true);
}

function describeFunction(value) {
  if (typeof value !== "function") return null;
  const name = Reflect.getOwnPropertyDescriptor(value, "name");
  const length = Reflect.getOwnPropertyDescriptor(value, "length");
  return {
    name: name?.value ?? null,
    nameAttributes: attributesOf(name),
    length: length?.value ?? null,
    lengthAttributes: attributesOf(length),
    constructor: isConstructor(value),
  };
}

function isConstructor(callable) {
  try {
    Reflect.construct(Object, [], callable);
    return true;
  } catch {
    return false;
  }
}

/** Names the prototypes of an object, the nearest first. */
function chainOf(object) {
  const names = [];
  for (let each = Reflect.getPrototypeOf(object); each !== null; each = Reflect.getPrototypeOf(each)) {
    const isType = typeof each === "function" && each !== Function.prototype;
    names.push(isType ? each.name : `${each.constructor.name}.prototype`);
  }
  return names;
}

/** Describes an interface object and its prototype object. */
export function describeInterface(type) {
  const { prototype } = type;
  return {
    global: globalThis[type.name] === type ? describeProperty(globalThis, type.name).attributes : null,
    function: describeFunction(type),
    chain: chainOf(type),
    prototype: describeProperty(type, "prototype").attributes,
    prototypeChain: chainOf(prototype),
    constructor: { ...describeProperty(prototype, "constructor"), same: prototype.constructor === type },
    tag: {
      ...describeProperty(prototype, Symbol.toStringTag),
      value: Reflect.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.value ?? null,
    },
    text: Object.prototype.toString.call(prototype),
  };
}

/** Describes what the default toJSON operation of an object returns. */
export function describeJson(object) {
  const value = object.toJSON();
  const keys = Reflect.ownKeys(value).map(String);
  return {
    prototype: chainOf(value)[0],
    keys,
    same: keys.map((key) => Object.is(value[key], object[key])),
    attributes: keys.map((key) => describeProperty(value, key).attributes),
    fresh: object.toJSON() !== value,
    text: JSON.stringify(object),
  };
}

/** Returns the function of a member: its getter ("get"), its setter ("set") or the method itself ("value"). */
export function functionOf(object, key, access) {
  return Reflect.getOwnPropertyDescriptor(object, key)?.[access];
}

export function typeName(value) {
  return typeof value;
}

export function applied(callable, receiver, args) {
  return Reflect.apply(callable, receiver, args);
}

export function hasOwn(object, key) {
  return Object.hasOwn(object, key);
}

export function has(object, key) {
  return key in object;
}

/** Makes a class that extends another one. */
export function derive(Parent) {
  return class Derived extends Parent {};
}

export function made(type, ...args) {
  return new type(...args);
}

export function isA(object, type) {
  return object instanceof type;
}

export function isDirectly(object, type) {
  return Reflect.getPrototypeOf(object) === type.prototype;
}

/** Says what `typeof` says of a name, exported by the implementation or global. */
export function typeOfExport(exports, name) {
  return typeof (name in exports ? exports[name] : globalThis[name]);
}

/** Says whether structuredClone keeps the class of a DOMException on this platform. */
export function clonesExceptions() {
  return structuredClone(new DOMException("message", "AbortError")) instanceof DOMException;
}

let recordedCalls = [];
let lastEvent;

/** Makes a function that records its calls. */
export function recorder(who, target) {
  return function (...args) {
    recordedCalls.push({ who, receiver: this === target, event: args[0] === lastEvent, count: args.length });
  };
}

/** Sends an event to a target and returns the calls that came of it. */
export function dispatched(target, event) {
  recordedCalls = [];
  lastEvent = event;
  target.dispatchEvent(event);
  return recordedCalls;
}

/** Sends an event to a target and names who was called. */
export function callers(target, event) {
  return dispatched(target, event).map(({ who }) => who);
}
