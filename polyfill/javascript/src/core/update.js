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

/** Which members have no meaning for sockets of a type. @type {Partial<Record<string, (keyof Changes)[]>>} */
const meaningless = { udp: ["allowHalfOpen", "keepAliveDelay", "noDelay"], quic: ["keepAliveDelay", "noDelay"] };

/** What an upgrade changes. */
const upgraded = new Set(["tls", "type"]);

/** @param {() => Changes} changes */
function isUpgrade(changes) {
  try {
    return changes().type === "tls";
  } catch {
    return false;
  }
}

/** The chain of one socket's updates: `[[ops]]`. */
export class Updates {
  #core;

  #platform;

  #last = Promise.resolve();

  /**
   * @param {SocketCore} core
   * @param {import("./init.js").Platform} platform
   */
  constructor(core, platform) {
    this.#core = core;
    this.#platform = platform;
  }

  /**
   * @param {unknown} init read before this returns, and not kept
   * @returns {Promise<undefined>}
   */
  update(init) {
    const began = !this.#core.lifecycle.terminal;
    const changes = attempt(() => socketChanges(init, this.#platform));
    const flushed = this.#hold(changes);
    // Even a fault of the argument waits for its turn: the promises settle in the order of the calls.
    const turn = this.#last.then(() => this.#perform(changes, began, flushed));
    this.#last = turn.catch(() => {});
    // The catch has marked that promise as handled, and the user's must not be.
    return turn.then(() => undefined);
  }

  /**
   * "Writes that were issued before the call go out unencrypted", and from the call on nothing is read as plaintext.
   * @param {() => Changes} changes
   * @returns {Promise<void> | null} fulfils when those writes are accepted; null where the call is no upgrade
   */
  #hold(changes) {
    const { lifecycle, options } = this.#core;
    if (lifecycle.terminal || options.type !== "tcp" || !isUpgrade(changes)) return null;
    return this.#core.hold();
  }

  /**
   * @param {() => Changes} changes
   * @param {boolean} began whether the socket was alive when update() was called
   * @param {Promise<void> | null} flushed
   */
  async #perform(changes, began, flushed) {
    try {
      this.#refuseTerminal(began, changes);
      const given = changes();
      if (flushed) await this.#untilFailure(this.#core.ready.then(() => flushed));
      this.#refuseTerminal(began, changes);
      this.#check(given, this.#core.options);
      if (flushed) await this.#untilFailure(this.#core.secure(given));
      else this.#core.apply(given);
    } finally {
      if (flushed) this.#core.release();
    }
  }

  /**
   * @param {boolean} began
   * @param {() => Changes} changes whose own fault comes first
   */
  #refuseTerminal(began, changes) {
    const { lifecycle, failure } = this.#core;
    if (!lifecycle.terminal) return;
    changes();
    if (lifecycle.state === "errored" && began) throw failure;
    throw invalidState(`The socket is ${lifecycle.state}`);
  }

  /**
   * @param {Promise<void>} steps that stop where the socket fails
   * @returns {Promise<void>} rejects with the failure of the socket
   */
  #untilFailure(steps) {
    // A socket that closes meanwhile has nothing left to upgrade; the state is looked at next.
    return Promise.race([steps, this.#core.closed]);
  }

  /**
   * @param {Changes} changes
   * @param {SocketOptions} options
   */
  #check(changes, options) {
    const { state } = this.#core.lifecycle;
    if (changes.type === "tls" && options.type !== "udp" && options.type !== "quic") {
      if (options.type === "tls") throw invalidState("The connection is encrypted already");
      if (state !== "open") throw invalidState("A direction of the connection is closed");
      const tls = { ...options.tls, ...changes.tls };
      this.#platform.checkOptions?.({ ...options, type: "tls", tls });
      if (this.#core.incoming) requireCredentials(tls);
    } else if ("tls" in changes && options.type === "tls") {
      throw notSupported("A connection cannot be renegotiated: TLS 1.3 does not have that any more");
    }
    const unsupported = meaningless[options.type]?.find((member) => member in changes);
    if (unsupported) throw notSupported(`${unsupported} has no meaning for type ${options.type}`);
    const upgrades = changes.type === "tls";
    for (const [member, differs] of immutable) {
      if (upgrades && upgraded.has(member)) continue;
      if (member in changes && differs(changes, options)) throw invalidModification(member);
    }
    const { allowHalfOpen = options.allowHalfOpen } = changes;
    if (allowHalfOpen !== options.allowHalfOpen && state === "remote-closed")
      throw invalidModification("allowHalfOpen");
  }
}

/**
 * "An upgrade of an accepted socket without key and cert rejects with a TypeError": it is the server.
 * @param {import("./init.js").TLSInit} tls
 */
function requireCredentials({ key, cert }) {
  if (key === undefined || cert === undefined) throw new TypeError("tls.key and tls.cert are missing");
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
