/**
 * Event handler attributes, such as `onclose`.
 * https://html.spec.whatwg.org/multipage/webappapis.html#event-handlers
 */

import { isObject } from "./convert.js";

/** @typedef {Pick<EventTarget, "addEventListener" | "removeEventListener">} Registering */

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
    }
  }

  /**
   * "The event handler processing algorithm".
   * @param {Event} event
   */
  #handle(event) {
    const value = this.get(event.type);
    // The current target of the event, which Node 20 forgets after the first listener.
    if (typeof value === "function" && value.call(this.#receiver, event) === false) event.preventDefault();
  }
}
