/**
 * Dispatching connect events. "The exception of a listener is reported as that of any listener", and it ends the
 * socket of the event too; but an event target keeps to itself what its listeners throw. So they are called by way of a
 * function that notes it. https://dom.spec.whatwg.org/#concept-event-listener-inner-invoke
 */

import { dispatch as dispatchEvent } from "../webidl/event-handlers.js";
import { ConnectListeners } from "./connect-listeners.js";

/**
 * @typedef {Pick<EventTarget, "addEventListener" | "removeEventListener">} Registering
 * @typedef {{reason: unknown}} Exception
 *
 * @typedef {object} Audience who gets the connect events
 * @property {boolean} present whether anybody listens
 * @property {(event: import("../connect-event.js").ConnectEvent) => Exception | undefined} dispatch returns what the
 *   first listener that threw threw
 *
 * @typedef {object} Dispatch
 * @property {boolean} under whether it is under way
 * @property {unknown} receiver what listeners are called on
 * @property {Exception} [exception] the first one of the listeners
 */

/** @type {WeakMap<Event, Dispatch>} */
const dispatches = new WeakMap();

/** Those of each target that is watched. @type {WeakMap<object, ConnectListeners>} */
const listeners = new WeakMap();

/** What is registered in place of each callback: always the same, so that it can be removed, and is not added twice. */
const watched = /** @type {WeakMap<object, EventListener>} */ (new WeakMap());

/**
 * @param {any} callback
 * @returns {callback is EventListenerOrEventListenerObject}
 */
function isCallback(callback) {
  return typeof callback === "function" || (typeof callback === "object" && callback !== null);
}

/**
 * @param {any} callback
 * @returns {any} the function to register in its place
 */
function watch(callback) {
  if (!isCallback(callback)) return callback;
  let listener = watched.get(callback);
  if (!listener) {
    listener = /** @this {unknown} */ function (event) {
      const dispatch = dispatches.get(event);
      if (this instanceof EventTarget) listeners.get(this)?.called(callback);
      try {
        if (typeof callback === "function") return callback.call(dispatch?.receiver ?? this, event);
        return callback.handleEvent(event);
      } catch (error) {
        if (dispatch) dispatch.exception ??= { reason: error };
        throw error;
      }
    };
    watched.set(callback, listener);
  }
  return listener;
}

/**
 * @param {EventTarget} target of the connect events
 * @returns {Registering} its two methods, for listeners whose exceptions are noted
 */
export function watching(target) {
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const known = new ConnectListeners();
  listeners.set(target, known);
  /** @type {(method: Function, note: (callback: object, options: any) => void, args: any[]) => any} */
  const register = (method, note, args) => {
    const [type, callback, ...options] = args;
    // Too few arguments are refused by the method itself.
    if (args.length < 2 || `${type}` !== "connect") return method.apply(target, args);
    const registered = method.call(target, "connect", watch(callback), ...options);
    if (isCallback(callback)) note(callback, options[0]);
    return registered;
  };
  return {
    addEventListener: (...args) => register(addEventListener, (...one) => known.add(...one), args),
    removeEventListener: (...args) => register(removeEventListener, (...one) => known.remove(...one), args),
  };
}

/**
 * @param {EventTarget} target
 * @returns {boolean} whether anybody listens for its connect events. Of a class that registers in ways of its own it is
 *   not known, and believed
 */
export function hasConnectListeners(target) {
  return listeners.get(target)?.present ?? true;
}

/**
 * @param {EventTarget} target
 * @param {Event} event
 * @param {unknown} [receiver] what listeners are called on, where that is not the target itself
 * @returns {Exception | undefined} what the first listener that threw threw
 */
export function dispatchConnect(target, event, receiver = target) {
  const dispatch = /** @type {Dispatch} */ ({ under: true, receiver });
  dispatches.set(event, dispatch);
  dispatchEvent(target, event);
  dispatch.under = false;
  return dispatch.exception;
}

/**
 * @param {Event} event dispatched by this package or by a script
 * @returns {boolean}
 */
export function isBeingDispatched(event) {
  // The phase alone does not tell: Node 20 sets it back after the first listener.
  return event.eventPhase !== Event.NONE || dispatches.get(event)?.under === true;
}
