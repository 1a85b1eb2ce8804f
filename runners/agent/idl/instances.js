/** Gets the object that a probe looks at, and proves that the implementation works at all. */

import { propertyKey } from "./describe.js";
import { build } from "./recipes.js";
import { settled } from "./session.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./describe.js").Facts} Facts */

/**
 * Follows a path from an object: names with dots, "()" behind one calls it without arguments.
 *
 * @param {any} object
 * @param {string} path
 * @returns {any}
 */
export function walk(object, path) {
  let current = object;
  for (const step of path === "" ? [] : path.split(".")) {
    const call = step.endsWith("()");
    const key = propertyKey(call ? step.slice(0, -2) : step);
    current = call ? current[key]() : current[key];
  }
  return current;
}

/**
 * Builds `{construct, args, settle, path}`: an object, after the promise named by `settle` has settled, and what lies
 * at `path` from there.
 *
 * @param {any} recipe
 * @param {Session} session
 * @returns {Promise<{root: any, object: any}>}
 */
export async function instance({ construct, args = [], settle, path = "" }, session) {
  const root = session.construct(construct, build(args, session));
  if (settle !== undefined) {
    // Waiting is bounded by the harness's limit: only it knows how slow a target may be.
    await Promise.allSettled([walk(root, settle)]);
  }
  return { root, object: walk(root, path) };
}

/**
 * Shows that a Socket works: one whose signal is aborted already is errored with that reason and sends nothing.
 * The reason carries a word that only this request has.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function witness(session) {
  const { AbortSignal } = session.globals;
  const reason = { word: session.request.token };
  const remote = { address: "127.0.0.1", port: 9 };
  const socket = session.construct("Socket", [{ remote, signal: AbortSignal.abort(reason) }]);
  const aborted = socket.signal.aborted;
  const ready = await settled(socket.ready);
  const closed = await settled(socket.closed);
  return {
    aborted,
    word: socket.signal.reason.word,
    same: socket.signal.reason === reason,
    ready: [ready.state, ready.value === reason],
    closed: [closed.state, closed.value === reason],
  };
}
