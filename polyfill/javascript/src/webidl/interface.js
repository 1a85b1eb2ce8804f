/**
 * What the Web IDL standard says of interfaces and a JavaScript class does not do by itself.
 * https://webidl.spec.whatwg.org/#js-interfaces
 *
 * Brand checks need no code of their own: a private member that an object lacks throws a TypeError when it is read.
 */

/**
 * Gives a class the shape of an interface: its name, enumerable members, and a toStringTag on the prototype.
 * @param {string} name
 * @param {Function & {prototype: object}} interfaceObject
 */
export function defineInterface(name, interfaceObject) {
  const { prototype } = interfaceObject;
  expose(prototype, ["constructor"]);
  expose(interfaceObject, ["length", "name", "prototype"]);
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  // Bundlers call the class itself something else where it speaks of itself.
  Object.defineProperty(interfaceObject, "name", { value: name, configurable: true });
}

/**
 * @param {object} object
 * @param {string[]} except the properties that JavaScript itself put there
 */
function expose(object, except) {
  for (const name of Object.getOwnPropertyNames(object)) {
    if (!except.includes(name)) Object.defineProperty(object, name, { enumerable: true });
  }
}

/**
 * Says that this package itself constructs an object of an interface that has no constructor for scripts.
 * @template T
 */
class Grant {
  /** @param {T} slots */
  constructor(slots) {
    this.slots = slots;
  }
}

/**
 * @template T
 * @param {T} slots what the new object holds inside
 * @returns {any} the argument for the constructor
 */
export function grant(slots) {
  return new Grant(slots);
}

/**
 * The arguments are taken as a rest parameter, because the length of such an interface object is 0.
 * @param {unknown[]} args
 * @returns {any} the slots that the package passed
 * @throws {TypeError} if a script called the constructor
 */
export function granted([given]) {
  if (!(given instanceof Grant)) throw new TypeError("Illegal constructor");
  return given.slots;
}

/**
 * "If the operation has a return type that is a promise type, then return ! Call(%Promise.reject%, %Promise%, «E»)":
 * also for attributes, and for a receiver of the wrong kind.
 * @template T
 * @param {() => Promise<T>} steps
 * @returns {Promise<T>}
 */
export function promised(steps) {
  try {
    return steps();
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * @param {number} given
 * @param {number} required
 * @throws {TypeError} if arguments are missing
 */
export function requireArguments(given, required) {
  if (given < required) throw new TypeError(`${required} arguments are required, but only ${given} present`);
}
