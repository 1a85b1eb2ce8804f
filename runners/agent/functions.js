/** Functions and getters that the harness sends: they log each call, carry out steps, and return or throw. */

import { runSteps } from "./operations.js";
import { decode, encode } from "./values.js";

/**
 * @typedef {import("./values.js").Wire} Wire
 * @typedef {import("./values.js").Context} Context
 */

/** @type {WeakMap<object, string>} */
const labels = new WeakMap();

/**
 * Returns the label of a function that the harness sent.
 *
 * @param {object} value
 */
export function labelOf(value) {
  return labels.get(value);
}

/**
 * @param {Wire} wire
 * @param {Context} context
 * @returns {(...args: unknown[]) => unknown}
 */
export function makeFunction(wire, { scope, globals }) {
  const throws = Object.hasOwn(wire, "throws");
  const result = prepare(throws ? wire.throws : wire.returns, { scope, globals });
  let call = 0;
  /** @param {unknown[]} args */
  const made = (...args) => {
    /** @type {Wire[]} */
    const results = [];
    scope.append({ as: wire.as, kind: "called", args: args.map((value) => encode(value, scope)), results });
    call += 1;
    const context = { scope, globals, args, call, results: /** @type {unknown[]} */ ([]) };
    results.push(...runSteps(wire.does ?? [], context));
    if (throws) throw result(context);
    return result(context);
  };
  labels.set(made, wire.as);
  return made;
}

/**
 * A value is made once, so that every call returns or throws the same object; a reference is looked up at each call.
 *
 * @param {Wire} wire
 * @param {Context} context
 * @returns {(context: Context) => unknown}
 */
function prepare(wire, context) {
  if (wire === undefined) return () => undefined;
  if (wire?.$ === "result" || wire?.$ === "argument") return (called) => decode(wire, called);
  const value = decode(wire, context);
  return () => value;
}
