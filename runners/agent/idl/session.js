/**
 * What one probe works with: the implementation's globals, the identity objects of the request and a log of everything
 * that the implementation reads or calls on values which the probe handed to it.
 */

/**
 * @typedef {object} Env
 * @property {Record<string, any>} globals the implementation's exports over those of globalThis
 * @property {{decode: (value: any, ...more: any[]) => any}} values the agent protocol's tagged values
 */

/** @typedef {Record<string, any>} Request the fields of an `idl` message */

export class Session {
  /**
   * @param {Request} request
   * @param {Env} env
   */
  constructor(request, env) {
    this.request = request;
    this.globals = env.globals;
    this.values = env.values;
    /** The object whose identity, and whose word, an implementation has to hand through. */
    this.token = { token: request.token };
    /** @type {string[]} */
    this.log = [];
    /** @type {Map<string, Error>} */
    this.raised = new Map();
    /** @type {any[]} */
    this.made = [];
    /** @type {unknown} */
    this.cryptoKey = undefined;
  }

  /** Makes ready what can only be made asynchronously: recipes are built at once. */
  async prepare() {
    if (!JSON.stringify(this.request).includes('"crypto-key"')) return;
    const { subtle } = this.globals.crypto;
    this.cryptoKey = await subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]);
  }

  /**
   * Returns the error with this label, always the same object, so that a later `catch` can tell it from a copy.
   *
   * @param {string} label
   * @returns {Error}
   */
  error(label) {
    let error = this.raised.get(label);
    if (error === undefined) {
      error = new Error(label);
      this.raised.set(label, error);
    }
    return error;
  }

  /**
   * Calls the constructor `name` of the implementation and remembers the object, so that `close` can end it.
   *
   * @param {string} name
   * @param {any[]} args
   */
  construct(name, args) {
    const object = Reflect.construct(this.globals[name], args);
    this.made.push(object);
    return object;
  }

  /** Aborts the sockets and closes the listeners that were made; what they answer is of no interest here. */
  async close() {
    for (const object of this.made.splice(0)) {
      const { Socket, SocketListener } = this.globals;
      const end = isInstance(object, Socket) ? "abort" : isInstance(object, SocketListener) ? "close" : undefined;
      if (end === undefined) continue;
      try {
        await settled(object[end]());
      } catch {
        // A broken implementation may throw here; the probe has its facts already.
      }
    }
  }
}

/**
 * @param {unknown} object
 * @param {unknown} type
 * @returns {boolean}
 */
export function isInstance(object, type) {
  return typeof type === "function" && object instanceof type;
}

const nothing = () => {};

/**
 * Returns whether `value` is a promise by its internal slot, not by its looks.
 *
 * @param {unknown} value
 * @returns {value is Promise<unknown>}
 */
export function isPromise(value) {
  if (typeof value !== "object" || value === null) return false;
  try {
    // The standard's IsPromise, reachable only through a method that insists on it. Handled, so nothing is reported.
    Reflect.apply(Promise.prototype.then, value, [nothing, nothing]);
    return true;
  } catch {
    return false;
  }
}

/** Resolves in a later task: everything that is settled by then was settled without waiting for anything. */
export function nextTask() {
  return new Promise((resolve) => {
    // A timer of 0 ms takes 1 ms or more; where there is a faster way to a task, hundreds of probes gain from it.
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/**
 * Returns how a promise stands when the reactions that are due now and those of one more task have run.
 *
 * @param {any} promise
 * @returns {Promise<{state: "fulfilled" | "rejected" | "pending", value?: unknown}>}
 */
export async function settled(promise) {
  /** @type {{state: "fulfilled" | "rejected" | "pending", value?: unknown}} */
  let standing = { state: "pending" };
  Promise.resolve(promise).then(
    (value) => {
      standing = { state: "fulfilled", value };
    },
    (value) => {
      standing = { state: "rejected", value };
    },
  );
  await nextTask();
  return standing;
}
