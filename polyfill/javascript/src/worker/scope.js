/**
 * The global scope of a socket worker: connect events go to it, by `addEventListener` and by `onconnect`, as the mixin
 * SocketWorkerGlobalScope says. Only a host installs it: an ordinary module has no business with global listeners.
 */

import { dispatchConnect, hasConnectListeners, watching } from "../core/connect-dispatch.js";
import { EventHandlers } from "../webidl/event-handlers.js";

/** @typedef {import("../core/connect-dispatch.js").Audience} Audience */

/** Node's global object is no event target, so that another one stands behind it. */
const target = new EventTarget();
const registering = watching(target);
const handlers = new EventHandlers(registering, globalThis);

/** @type {Record<string, (...args: any[]) => any>} */
const methods = {
  ...registering,
  dispatchEvent: (event) => EventTarget.prototype.dispatchEvent.call(target, event),
};

/** The attribute of the mixin. */
const attributes = {
  get onconnect() {
    return handlers.get("connect");
  },
  set onconnect(value) {
    handlers.set("connect", value);
  },
};

let installed = false;

/** Gives the global object what a socket worker expects of it. What it has had by those names keeps its effect. */
export function installScope() {
  if (installed) return;
  installed = true;
  const scope = /** @type {any} */ (globalThis);
  const { onconnect } = scope;
  for (const [name, method] of Object.entries(methods)) {
    const earlier = scope[name];
    const value = earlier
      ? (/** @type {any[]} */ ...args) => (isAboutConnect(args[0]) ? method(...args) : earlier.apply(scope, args))
      : method;
    Object.defineProperty(value, "name", { value: name, configurable: true });
    Object.defineProperty(scope, name, { value, writable: true, enumerable: true, configurable: true });
  }
  Object.defineProperties(scope, Object.getOwnPropertyDescriptors(attributes));
  scope.onconnect = onconnect;
}

/** @param {unknown} argument the first one of a method of an event target: a type, or an event */
function isAboutConnect(argument) {
  return `${argument instanceof Event ? argument.type : argument}` === "connect";
}

/** @type {Audience} */
export const scopeAudience = {
  get present() {
    return hasConnectListeners(target);
  },
  dispatch(event) {
    // The target that scripts see is the global object.
    Object.defineProperties(event, {
      target: { value: globalThis },
      currentTarget: { get: () => (event.eventPhase === Event.NONE ? null : globalThis) },
    });
    return dispatchConnect(target, event, globalThis);
  },
};
