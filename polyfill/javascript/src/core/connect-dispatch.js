/**
 * Dispatching connect events. "The exception of a listener is reported as that of any listener", and it ends the
 * socket of the event too; but an event target keeps to itself what its listeners throw. So they are called by way of a
 * function that notes it. https://dom.spec.whatwg.org/#concept-event-listener-inner-invoke
 */

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

/** What is registered in place of each callback: always the same, so that it can be removed, and is not added twice. */
const watched = /** @type {WeakMap<object, EventListener>} */ (new WeakMap());

/**
 * @param {any} callback
 * @returns {any} the function to register in its place
 */
function watch(callback) {
  const isObject = typeof callback === "function" || (typeof callback === "object" && callback !== null);
  if (!isObject) return callback;
  let listener = watched.get(callback);
  if (!listener) {
    listener = /** @this {unknown} */ function (event) {
      const dispatch = dispatches.get(event);
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
  /** @type {(method: Function, args: any[]) => any} */
  const register = (method, args) => {
    const [type, callback, ...options] = args;
    // Too few arguments are refused by the method itself.
    if (args.length < 2 || `${type}` !== "connect") return method.apply(target, args);
    return method.call(target, "connect", watch(callback), ...options);
  };
  return {
    addEventListener: (...args) => register(addEventListener, args),
    removeEventListener: (...args) => register(removeEventListener, args),
  };
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
  EventTarget.prototype.dispatchEvent.call(target, event);
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
