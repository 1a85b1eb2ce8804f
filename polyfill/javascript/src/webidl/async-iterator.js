/**
 * The objects that an asynchronously iterable interface gives: "default asynchronous iterator objects".
 * https://webidl.spec.whatwg.org/#js-asynchronous-iterator-prototype-object
 */

import { promised } from "./interface.js";

/**
 * @template T
 * @typedef {object} Source what an iterator asks
 * @property {() => Promise<IteratorResult<T, undefined>>} next "get the next iteration result"
 * @property {() => Promise<unknown>} finish "asynchronous iterator return": the iteration was left early
 */

/** %AsyncIteratorPrototype%, which has no name. */
const AsyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype));

/**
 * @param {string} name of the interface
 * @returns {new (source: Source<any>) => AsyncIterableIterator<any>}
 */
export function asyncIteratorOf(name) {
  class Iterator {
    /** @type {Source<unknown>} */
    #source;

    #finished = false;

    /** What the calls so far come to; each waits for the one before. @type {Promise<unknown>} */
    #ongoing = Promise.resolve();

    /** @param {Source<unknown>} source */
    constructor(source) {
      this.#source = source;
    }

    next() {
      return promised(() => this.#inTurn(() => this.#next()));
    }

    /** @param {unknown} value */
    return(value) {
      return promised(() => this.#inTurn(() => this.#return(value)));
    }

    async #next() {
      if (this.#finished) return { value: undefined, done: true };
      try {
        const result = await this.#source.next();
        if (result.done) this.#finished = true;
        return result;
      } catch (error) {
        this.#finished = true;
        throw error;
      }
    }

    /** @param {unknown} value */
    async #return(value) {
      if (!this.#finished) {
        this.#finished = true;
        await this.#source.finish();
      }
      return { value, done: true };
    }

    /**
     * @template T
     * @param {() => Promise<T>} steps
     * @returns {Promise<T>}
     */
    #inTurn(steps) {
      const turn = this.#ongoing.then(steps, steps);
      this.#ongoing = turn;
      return turn;
    }
  }
  const { prototype } = Iterator;
  Object.setPrototypeOf(prototype, AsyncIteratorPrototype);
  for (const method of ["next", "return"]) Object.defineProperty(prototype, method, { enumerable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: `${name} AsyncIterator`, configurable: true });
  // "It does not have a constructor property": nobody makes one but the interface.
  Reflect.deleteProperty(prototype, "constructor");
  return /** @type {any} */ (Iterator);
}
