/** The agent: takes request lines, keeps the scopes, gives answers. Knows no platform: main.js brings the bytes. */

import { Handles } from "./handles.js";
import { carryOut } from "./operations.js";
import { Scope } from "./scope.js";
import { encode } from "./values.js";

export const PROTOCOL = 1;

/**
 * @typedef {object} Surroundings
 * @property {Record<string, any>} globals the implementation's exports over those of globalThis
 * @property {import("./operations.js").Agent["host"]} host
 * @property {import("./operations.js").Agent["probes"]} probes
 * @property {() => unknown} readTree gives the IDL tree, when it is first needed
 * @property {(message: object) => void} send
 * @property {() => void} leave lets go of what keeps the process alive for the sake of the agent
 */

export class Agent {
  #handles = new Handles();
  /** @type {Map<string, Scope>} */
  #scopes = new Map();
  #surroundings;
  /** @type {unknown} */
  #tree;

  /** @param {Surroundings} surroundings */
  constructor(surroundings) {
    this.#surroundings = surroundings;
    this.host = surroundings.host;
    this.probes = surroundings.probes;
    this.leave = surroundings.leave;
  }

  get tree() {
    this.#tree ??= this.#surroundings.readTree();
    return this.#tree;
  }

  /**
   * Takes one line without its end.
   *
   * @param {string} line
   */
  receive(line) {
    const { id, ...request } = JSON.parse(line);
    const { globals, send } = this.#surroundings;
    const answer = carryOut(request, { scope: this.#scope(request.scope), globals }, this);
    if (answer instanceof Promise) answer.then((late) => send({ id, ...late }));
    else send({ id, ...answer });
  }

  /**
   * Writes an unhandled rejection or an uncaught error into the log of every scope: whose it is cannot be known.
   *
   * @param {unknown} reason
   */
  unhandled(reason) {
    for (const scope of this.#scopes.values()) {
      scope.append({ as: "agent", kind: "unhandled", value: encode(reason, scope) });
    }
  }

  /** @param {string} name */
  release(name) {
    this.#scopes.get(name)?.release();
    this.#scopes.delete(name);
  }

  /** @param {string} [name] */
  #scope(name = "") {
    let scope = this.#scopes.get(name);
    if (scope === undefined) {
      scope = new Scope(this.#handles);
      this.#scopes.set(name, scope);
    }
    return scope;
  }
}
