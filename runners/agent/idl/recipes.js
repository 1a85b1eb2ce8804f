/**
 * Builds the values of a probe from recipes: objects that tell which of their members were read and which of their
 * conversions were called. Tags that are not in the table are those of the agent protocol.
 */

import { propertyKey } from "./describe.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {Record<string, any>} Recipe */

/**
 * @param {any} recipe
 * @param {Session} session
 * @returns {any}
 */
export function build(recipe, session) {
  if (Array.isArray(recipe)) return recipe.map((each) => build(each, session));
  if (typeof recipe !== "object" || recipe === null) return recipe;
  if (!("$" in recipe)) {
    return Object.fromEntries(Object.entries(recipe).map(([name, value]) => [name, build(value, session)]));
  }
  const builder = BUILDERS[recipe.$];
  return builder === undefined ? session.values.decode(recipe) : builder(recipe, session);
}

/** @type {Record<string, (recipe: Recipe, session: Session) => any>} */
const BUILDERS = {
  dictionary,
  coercible,
  iterable,
  buffer,
  instance: ({ construct, args = [], call }, session) => platformObject(construct, call, build(args, session), session),
  forged: ({ of }, session) => Object.create(session.globals[of].prototype),
  boxed: ({ value }, session) => Object(build(value, session)),
  token: (_, session) => session.token,
  "crypto-key": (_, session) => session.cryptoKey,
  promise: ({ value }, session) => Promise.resolve(build(value, session)),
};

/**
 * An object that logs every access, of unknown members too; `raises` names members whose getter throws that error.
 * With `callable` it is a function, with `heir` the members come from its prototype.
 *
 * @param {Recipe} recipe
 * @param {Session} session
 */
function dictionary({ path = "", members = {}, raises = {}, callable = false, heir = false }, session) {
  /** @type {(name: PropertyKey) => string} */
  const place = (name) => (path === "" ? String(name) : `${path}.${String(name)}`);
  const held = new Map(Object.entries(members).map(([name, recipe]) => [name, build(recipe, session)]));
  const logging = new Proxy(callable ? () => {} : {}, {
    get(target, name) {
      session.log.push(place(name));
      if (typeof name === "string" && Object.hasOwn(raises, name)) throw session.error(raises[name]);
      return typeof name === "string" && held.has(name) ? held.get(name) : Reflect.get(target, name);
    },
    has(target, name) {
      session.log.push(`has ${place(name)}`);
      return held.has(String(name)) || Object.hasOwn(raises, name) || Reflect.has(target, name);
    },
    ownKeys(target) {
      session.log.push(`keys of ${path}`);
      return [...new Set([...Reflect.ownKeys(target), ...held.keys(), ...Object.keys(raises)])];
    },
    getOwnPropertyDescriptor(target, name) {
      const known = held.has(String(name)) || Object.hasOwn(raises, name);
      const described = { value: undefined, writable: true, enumerable: true, configurable: true };
      return known ? described : Reflect.getOwnPropertyDescriptor(target, name);
    },
  });
  return heir ? Object.create(logging) : logging;
}

/**
 * An object with one conversion hook that logs its call, and returns a value or throws.
 *
 * @param {Recipe} recipe
 * @param {Session} session
 */
function coercible({ hook, value, raises, label }, session) {
  const result = build(value, session);
  return {
    [propertyKey(hook)]() {
      session.log.push(`${label}.${hook}()`);
      if (raises !== undefined) throw session.error(raises);
      return result;
    },
  };
}

/**
 * Something with elements: by default an object with its own iterator, which logs every step.
 *
 * @param {Recipe} recipe
 * @param {Session} session
 */
function iterable({ style, items = [], label, raises }, session) {
  /** @type {any[]} */
  const values = build(items, session);
  switch (style) {
    case "generator":
      return (function* () {
        yield* values;
      })();
    case "set":
      return new Set(values);
    case "array-like":
      return { ...values, length: values.length };
    case "uncallable":
      return { [Symbol.iterator]: label };
    default:
      return {
        get [Symbol.iterator]() {
          session.log.push(`${label}.@@iterator`);
          return () => {
            let index = 0;
            return {
              next() {
                session.log.push(`${label}.next()`);
                if (raises !== undefined && index === values.length) throw session.error(raises);
                return index < values.length
                  ? { value: values[index++], done: false }
                  : { value: undefined, done: true };
              },
            };
          };
        },
      };
  }
}

/**
 * A buffer or a view of one, on ordinary, shared or resizable memory.
 *
 * @param {Recipe} recipe
 * @param {Session} session
 */
function buffer({ kind, memory = "ordinary", bytes = [1, 2, 3, 4, 5, 6, 7, 8] }, session) {
  const size = bytes.length;
  const store =
    memory === "shared"
      ? new SharedArrayBuffer(size)
      : memory === "resizable"
        ? Reflect.construct(ArrayBuffer, [size, { maxByteLength: size * 2 }])
        : new ArrayBuffer(size);
  new Uint8Array(store).set(bytes);
  return kind === "ArrayBuffer" ? store : new session.globals[kind](store);
}

/**
 * An object of a class of the platform or the implementation, or what one of its static methods returns.
 *
 * @param {string} name
 * @param {string | undefined} method
 * @param {any[]} args
 * @param {Session} session
 */
function platformObject(name, method, args, session) {
  return method === undefined ? session.construct(name, args) : session.globals[name][method](...args);
}
