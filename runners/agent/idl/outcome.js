/** What came of a call: returned, threw, or how the promise that came back stands. */

import { describe, describeError } from "./describe.js";
import { isPromise, nextTask, settled } from "./session.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./describe.js").Facts} Facts */

/**
 * @typedef {object} Outcome
 * @property {Facts} facts
 * @property {unknown} [value] what was returned
 */

/**
 * Runs `action` and describes what came of it. A promise is looked at when everything that is due has run, or waited
 * for with `wait`; then it is up to the harness's limit how long that may take.
 *
 * @param {() => unknown} action
 * @param {Session} session
 * @param {{wait?: boolean}} [options]
 * @returns {Promise<Outcome>}
 */
export async function outcome(action, session, { wait = false } = {}) {
  let value;
  try {
    value = action();
  } catch (error) {
    return { facts: { outcome: "threw", error: describeError(error, session) } };
  }
  if (!isPromise(value)) return { facts: { outcome: "returned", value: describe(value, session) }, value };
  if (wait) await value.then(nextTask, nextTask);
  const { state, value: result } = await settled(value);
  if (state === "pending") return { facts: { outcome: "pending" }, value };
  if (state === "fulfilled") return { facts: { outcome: "fulfilled", value: describe(result, session) }, value };
  return { facts: { outcome: "rejected", error: describeError(result, session) }, value };
}
