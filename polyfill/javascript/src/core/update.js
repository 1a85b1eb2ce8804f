/**
 * `update()`: calls take effect one after the other, each wholly or not at all (decisions of requirements update/*).
 */

import { invalidModification, invalidState, notSupported } from "./failure.js";
import { socketChanges } from "./init.js";

/**
 * @typedef {import("./init.js").Changes} Changes
 * @typedef {import("./init.js").SocketOptions} SocketOptions
 * @typedef {import("./socket-core.js").SocketCore} SocketCore
 */

/**
 * Whether a member that cannot change would.
 * @type {[member: string, differs: (changes: Changes, options: SocketOptions) => boolean][]}
 */
const immutable = [
  ["local", ({ local }, options) => local?.address !== options.local?.address || local?.port !== options.local?.port],
  ["remote", ({ remote }, options) => remote?.host !== options.remote?.host || remote?.port !== options.remote?.port],
  ["signal", ({ signal }, options) => signal !== options.signal],
  ["type", ({ type }, options) => type !== options.type],
  // Without an upgrade there is nothing that could use it.
  ["tls", () => true],
];

/** The chain of one socket's updates: `[[ops]]`. */
export class Updates {
  #core;

  #last = Promise.resolve();

  /** @param {SocketCore} core */
  constructor(core) {
    this.#core = core;
  }

  /**
   * @param {unknown} init read before this returns, and not kept
   * @returns {Promise<undefined>}
   */
  update(init) {
    const began = !this.#core.lifecycle.terminal;
    const changes = attempt(() => socketChanges(init));
    // Even a fault of the argument waits for its turn: the promises settle in the order of the calls.
    const turn = this.#last.then(() => this.#perform(changes, began));
    this.#last = turn.catch(() => {});
    // The catch has marked that promise as handled, and the user's must not be.
    return turn.then(() => undefined);
  }

  /**
   * @param {() => Changes} changes
   * @param {boolean} began whether the socket was alive when update() was called
   */
  #perform(changes, began) {
    const given = changes();
    const { lifecycle, failure, options } = this.#core;
    if (lifecycle.state === "errored" && began) throw failure;
    if (lifecycle.terminal) throw invalidState(`The socket is ${lifecycle.state}`);
    this.#check(given, options);
    this.#core.apply(given);
  }

  /**
   * @param {Changes} changes
   * @param {SocketOptions} options
   */
  #check(changes, options) {
    const { state } = this.#core.lifecycle;
    if (changes.type === "tls" && options.type === "tcp") {
      if (state !== "open" && state !== "connecting") throw invalidState("A direction of the connection is closed");
      throw notSupported("This platform cannot upgrade a connection to TLS");
    }
    for (const [member, differs] of immutable) {
      if (member in changes && differs(changes, options)) throw invalidModification(member);
    }
    const { allowHalfOpen = options.allowHalfOpen } = changes;
    if (allowHalfOpen !== options.allowHalfOpen && state === "remote-closed")
      throw invalidModification("allowHalfOpen");
  }
}

/**
 * @template T
 * @param {() => T} steps run now
 * @returns {() => T} gives the result of the steps, or throws what they threw
 */
function attempt(steps) {
  try {
    const result = steps();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
