/**
 * Event handler attributes, such as `onclose`.
 * https://html.spec.whatwg.org/multipage/webappapis.html#event-handlers
 */

import { isObject } from "./convert.js";

/** @typedef {Pick<EventTarget, "addEventListener" | "removeEventListener">} Registering */

/**
 * Whether the platform's event targets call the member `on…` of an object by themselves, whatever it is: before any
 * listener, and on no receiver. So it is with workerd (cloudflare/workerd#6022), and what is called here would be called
 * twice.
 */
const meddles = (() => {
  let read = false;
  class Probe extends EventTarget {
    get onprobe() {
      read = true;
      return null;
    }
  }
  new Probe().dispatchEvent(new Event("probe"));
  return read;
})();

/** The handler that the platform is about to read, and is not to see. @type {{target: unknown, type: string} | null} */
let hidden = null;

/**
 * Dispatches an event at a target that may have event handlers.
 * @param {EventTarget} target
 * @param {Event} event
 * @returns {boolean}
 */
export function dispatch(target, event) {
  if (meddles) hidden = { target, type: event.type };
  try {
    return EventTarget.prototype.dispatchEvent.call(target, event);
  } finally {
    hidden = null;
  }
}

/** The event handlers of one target. */
export class EventHandlers {
  /** @type {Registering} */
  #target;

  #receiver;

  /** @type {Map<string, {value: any, listener: (event: Event) => void}>} */
  #handlers = new Map();

  /**
   * @param {Registering} target
   * @param {unknown} [receiver] what the handlers are called on, where that is not the target itself
   */
  constructor(target, receiver = target) {
    this.#target = target;
    this.#receiver = receiver;
  }

  /**
   * @param {string} type
   * @returns {any} the value that was set, or null
   */
  get(type) {
    if (hidden?.target === this.#receiver && hidden?.type === type) {
      hidden = null;
      return null;
    }
    return this.#handlers.get(type)?.value ?? null;
  }

  /**
   * The handler takes its place among the listeners when it goes from null to something, and keeps it until null.
   * @param {string} type
   * @param {unknown} value EventHandler has [LegacyTreatNonObjectAsNull]: an object that is no function is kept, and
   *   not called
   */
  set(type, value) {
    const handler = this.#handlers.get(type);
    if (!isObject(value)) {
      if (handler) this.#target.removeEventListener(type, handler.listener);
      this.#handlers.delete(type);
    } else if (handler) {
      handler.value = value;
    } else {
      const listener = (/** @type {Event} */ event) => this.#handle(event);
      this.#handlers.set(type, { value, listener });
      this.#target.addEventListener(type, listener);
      if (meddles && this.#receiver instanceof EventTarget) hideHandlers(this.#receiver);
    }
  }

  /**
   * "The event handler processing algorithm".
   * @param {Event} event
   */
  #handle(event) {
    hidden = null;
    const value = this.get(event.type);
    // The current target of the event, which Node 20 forgets after the first listener.
    if (typeof value === "function" && value.call(this.#receiver, event) === false) event.preventDefault();
  }
}

/** @param {EventTarget} target whose events scripts dispatch, too */
function hideHandlers(target) {
  if (Object.hasOwn(target, "dispatchEvent")) return;
  const value = (/** @type {Event} */ event) => dispatch(target, event);
  Object.defineProperty(target, "dispatchEvent", { value, writable: true, configurable: true });
}
