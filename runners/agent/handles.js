/** Objects that the harness holds by number. Each belongs to a scope, and leaves with it. */

import { Fault } from "./faults.js";

export class Handles {
  /** @type {Map<number, object>} */
  #objects = new Map();
  #last = 0;

  /**
   * @param {object} object
   * @returns {number}
   */
  add(object) {
    this.#last += 1;
    this.#objects.set(this.#last, object);
    return this.#last;
  }

  /**
   * @param {unknown} id
   * @returns {object}
   */
  get(id) {
    const object = this.#objects.get(/** @type {number} */ (id));
    if (object === undefined) throw new Fault("unknown-handle", `there is no object ${JSON.stringify(id)}`);
    return object;
  }

  /** @param {Iterable<number>} ids */
  drop(ids) {
    for (const id of ids) this.#objects.delete(id);
  }
}
