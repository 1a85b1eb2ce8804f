import { handled, state } from "./promises.js";
import { turn } from "./time.js";
import { Outcome } from "./words.js";

let readNow = [];
let readDuringTheCall = [];

/** Says what came of a call: returned, threw, or how its promise stands when all that is due has run. */
export async function outcome(call, { wait = false } = {}) {
  readNow = [];
  let value;
  try {
    value = call();
  } catch (error) {
    return new Outcome("threw", error);
  } finally {
    readDuringTheCall = readNow;
    readNow = [];
  }
  if (!(value instanceof Promise)) return Object.assign(new Outcome("returned", value), { briefly: true });
  handled(value);
  if (wait) await value.then(turn, turn);
  const standing = await state(value);
  return Object.assign(standing, { briefly: standing.how.startsWith("fulfilled") });
}

/** Returns what the last call read of watched values, and which of their hooks it called. */
export function reads() {
  return readDuringTheCall;
}

/** Returns what was read after the last call had returned. */
export function lateReads() {
  return readNow;
}

/** Makes an object that notes every access; `raises` names members whose getter throws, and its message. */
export function watched(path, members, { raises = {}, callable = false, heir = false } = {}) {
  const place = (name) => (path === "" ? String(name) : `${path}.${String(name)}`);
  const noting = new Proxy(callable ? () => {} : {}, {
    get(target, name) {
      readNow.push(place(name));
      if (Object.hasOwn(raises, name)) throw raised(raises[name]);
      return Object.hasOwn(members, name) ? members[name] : Reflect.get(target, name);
    },
    has(target, name) {
      readNow.push(`has ${place(name)}`);
      return Object.hasOwn(members, name) || Object.hasOwn(raises, name) || Reflect.has(target, name);
    },
    ownKeys(target) {
      readNow.push(`keys of ${path}`);
      return [...new Set([...Reflect.ownKeys(target), ...Object.keys(members), ...Object.keys(raises)])];
    },
    getOwnPropertyDescriptor(target, name) {
      const known = Object.hasOwn(members, name) || Object.hasOwn(raises, name);
      const described = { value: undefined, writable: true, enumerable: true, configurable: true };
      return known ? described : Reflect.getOwnPropertyDescriptor(target, name);
    },
  });
  return heir ? Object.create(noting) : noting;
}

const errors = new Map();

/** Returns the one error with this message. */
function raised(message) {
  if (!errors.has(message)) errors.set(message, new Error(message));
  return errors.get(message);
}

/** Makes an object with a conversion hook that notes its call, and returns a value or throws. */
export function coercible(label, hook, value, { raises } = {}) {
  const key = hook.startsWith("@@") ? Symbol[hook.slice(2)] : hook;
  return {
    [key]() {
      readNow.push(`${label}.${hook}()`);
      if (raises !== undefined) throw raised(raises);
      return value;
    },
  };
}

/** Makes something with elements: by default an object with its own iterator, which notes every step. */
export function iterable(label, items, { style, raises } = {}) {
  if (style === "generator") return items.values();
  if (style === "set") return new Set(items);
  if (style === "array-like") return { ...items, length: items.length };
  if (style === "uncallable") return { [Symbol.iterator]: label };
  return {
    get [Symbol.iterator]() {
      readNow.push(`${label}.@@iterator`);
      return () => {
        let index = 0;
        return {
          next() {
            readNow.push(`${label}.next()`);
            if (raises !== undefined && index === items.length) throw raised(raises);
            return index < items.length ? { value: items[index++], done: false } : { value: undefined, done: true };
          },
        };
      };
    },
  };
}

/** Makes a buffer or a view of one, on ordinary, shared or resizable memory. */
export function buffer(kind, { memory = "ordinary", content = [1, 2, 3, 4, 5, 6, 7, 8] } = {}) {
  const size = content.length;
  const resizable = memory === "resizable" ? [{ maxByteLength: size * 2 }] : [];
  const store = memory === "shared" ? new SharedArrayBuffer(size) : new ArrayBuffer(size, ...resizable);
  new Uint8Array(store).set(content);
  return kind === "ArrayBuffer" ? store : new globalThis[kind](store);
}

/** Makes an object that only inherits from the prototype of a class. */
export function forged(type) {
  return Object.create(type.prototype);
}

/** Makes the object of a primitive. */
export function boxed(value) {
  return Object(value);
}

/** Makes a key of Web Cryptography. */
export function cryptoKey() {
  return crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]);
}
