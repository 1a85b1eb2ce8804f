import { transitions } from "../generated/lifecycle.js";

/**
 * @typedef {"connecting" | "open" | "local-closed" | "remote-closed" | "closed" | "errored"} State
 */

/** The state of one socket, moved by events along the table of spec/socket/lifecycle.yaml and by nothing else. */
export class Lifecycle {
  /** @type {State} */
  state = "connecting";

  #transitions;

  /** @param {string} transport whose table applies */
  constructor(transport) {
    this.#transitions = transitions[transport];
  }

  /** @param {string} transport whose table applies from now on */
  become(transport) {
    this.#transitions = transitions[transport];
  }

  get terminal() {
    return this.state === "closed" || this.state === "errored";
  }

  /**
   * @param {string} event
   * @returns {State} the new state
   */
  advance(event) {
    this.state = this.next(event);
    return this.state;
  }

  /**
   * @param {string} event
   * @returns {State} what the state would be then
   */
  next(event) {
    const next = this.#transitions[this.state][event];
    if (next === undefined) throw new Error(`"${event}" cannot happen in the state "${this.state}"`);
    return /** @type {State} */ (next);
  }
}
