/** Observers write down what happens: events of event targets, and settlements of promises. */

import { Fault } from "./faults.js";
import { encode } from "./values.js";

/** @typedef {import("./scope.js").Scope} Scope */

// The members of an event that say something about the API; `type` has its own field in the log.
const EVENT_MEMBERS = ["target", "bubbles", "cancelable", "error", "fatal", "socket"];

/**
 * Logs each event of these types.
 *
 * @param {any} target
 * @param {string[]} types
 * @param {string} as
 * @param {Scope} scope
 */
export function observeEvents(target, types, as, scope) {
  if (typeof target?.addEventListener !== "function") {
    throw new Fault("unknown-name", "the object has no addEventListener");
  }
  /** @param {any} event */
  const listener = (event) => {
    const members = EVENT_MEMBERS.filter((name) => name in event).map((name) => [name, encode(event[name], scope)]);
    scope.append({ as, kind: "event", type: event.type, event: Object.fromEntries(members) });
  };
  for (const type of types) target.addEventListener(type, listener);
}

/**
 * Logs how a promise settles. It counts as handled from then on.
 *
 * @param {unknown} promise
 * @param {string} as
 * @param {Scope} scope
 */
export function observePromise(promise, as, scope) {
  asPromise(promise).then(
    (value) => scope.append({ as, kind: "fulfilled", value: encode(value, scope) }),
    (reason) => scope.append({ as, kind: "rejected", value: encode(reason, scope) }),
  );
}

/**
 * Resolves with how a promise stands: when it has settled, or when `elapsed` resolves.
 *
 * @param {unknown} promise
 * @param {Scope} scope
 * @param {(done: () => void) => () => void} wait calls `done` when time is over; returns what ends the waiting
 * @returns {Promise<Record<string, unknown>>}
 */
export function standing(promise, scope, wait) {
  return new Promise((resolve, reject) => {
    const end = wait(() => resolve({ state: "pending" }));
    /** @param {() => Record<string, unknown>} describe */
    const settle = (describe) => {
      end();
      try {
        resolve(describe());
      } catch (error) {
        reject(error);
      }
    };
    asPromise(promise).then(
      (value) => settle(() => ({ state: "fulfilled", value: encode(value, scope) })),
      (reason) => settle(() => ({ state: "rejected", reason: encode(reason, scope) })),
    );
  });
}

/**
 * @param {unknown} value
 * @returns {Promise<unknown>}
 */
export function asPromise(value) {
  if (!(value instanceof Promise)) throw new Fault("invalid-request", "the object is not a promise");
  return value;
}
