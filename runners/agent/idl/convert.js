/** The probe of conversions: calls one constructor or operation with values that tell how they were converted. */

import { describe, propertyKey } from "./describe.js";
import { instance, walk } from "./instances.js";
import { outcome } from "./outcome.js";
import { build } from "./recipes.js";
import { isPromise, nextTask, settled } from "./session.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./describe.js").Facts} Facts */

/**
 * Calls `interface`'s constructor, or the operation at the path `member` of an instance, with `args`.
 *
 * The facts: what came of it; `log`, the reads and conversions during the call; `late`, those after it; `reported`,
 * the values at paths from what was returned, or from the instance.
 *
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
export async function convert(session) {
  const { interface: name, member, args, instance: recipe, settle, report = [], wait } = session.request;
  const object = recipe === undefined ? undefined : (await instance(recipe, session)).object;
  const values = build(args, session);
  const call = caller(name, member, object, values, session);
  /** @type {string[]} */
  let log = [];
  session.log = [];
  const { facts, value } = await outcome(
    () => {
      try {
        return call();
      } finally {
        log = session.log;
        session.log = [];
      }
    },
    session,
    { wait },
  );
  const seen = object ?? (isPromise(value) ? undefined : value);
  /** @type {Facts} */
  const reported = {};
  if (facts.outcome !== "threw") {
    if (settle !== undefined) await Promise.allSettled([walk(seen, settle)]);
    for (const path of report) reported[path] = await reportOn(walk(seen, path), session);
  }
  await nextTask();
  return { ...facts, log, late: session.log, reported };
}

/**
 * @param {unknown} value
 * @param {Session} session
 * @returns {Promise<Facts>}
 */
async function reportOn(value, session) {
  if (!isPromise(value)) return describe(value, session);
  const { state, value: result } = await settled(value);
  return { state, value: describe(result, session) };
}

/**
 * @param {string} name
 * @param {string} member
 * @param {any} object
 * @param {any[]} values
 * @param {Session} session
 * @returns {() => unknown}
 */
function caller(name, member, object, values, session) {
  if (member === "constructor") return () => session.construct(name, values);
  const steps = member.split(".");
  const key = propertyKey(steps.pop());
  const receiver = walk(object, steps.join("."));
  return () => receiver[key](...values);
}
