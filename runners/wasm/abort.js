/**
 * AbortController and AbortSignal, over the EventTarget that the engine was given: the packages that there are keep no
 * listeners of their own kind, or let a second abort() change the reason. https://dom.spec.whatwg.org/#aborting-ongoing-activities
 */

import { Event, EventTarget } from "./events.js";

const token = Symbol("only the controller may make one");

export class AbortSignal extends EventTarget {
  #aborted = false;

  /** @type {any} */
  #reason;

  /** @type {((event: any) => void) | null} */
  #handler = null;

  /** @param {symbol} [given] */
  constructor(given) {
    if (given !== token) throw new TypeError("Illegal constructor");
    super();
    this.addEventListener("abort", (event) => this.#handler?.call(this, event));
  }

  get aborted() {
    return this.#aborted;
  }

  get reason() {
    return this.#reason;
  }

  get onabort() {
    return this.#handler;
  }

  set onabort(handler) {
    this.#handler = typeof handler === "function" ? handler : null;
  }

  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }

  /** @param {any} [reason] */
  static abort(reason) {
    const controller = new AbortController();
    controller.abort(reason);
    return controller.signal;
  }

  /** @param {number} milliseconds */
  static timeout(milliseconds) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException("The time is over", "TimeoutError")), milliseconds);
    return controller.signal;
  }

  /** @param {Iterable<AbortSignal>} signals */
  static any(signals) {
    const sources = [...signals];
    const controller = new AbortController();
    const aborted = sources.find((signal) => signal.aborted);
    if (aborted) controller.abort(aborted.reason);
    else for (const signal of sources) signal.addEventListener("abort", () => controller.abort(signal.reason));
    return controller.signal;
  }

  /**
   * "Signal abort": the first reason stays. For the controller.
   *
   * @param {AbortSignal} signal
   * @param {any} reason
   */
  static [token](signal, reason) {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason === undefined ? new DOMException("It was aborted", "AbortError") : reason;
    signal.dispatchEvent(new Event("abort"));
  }
}

export class AbortController {
  #signal = new AbortSignal(token);

  get signal() {
    return this.#signal;
  }

  /** @param {any} [reason] */
  abort(reason = undefined) {
    AbortSignal[token](this.#signal, reason);
  }
}

for (const [type, name] of /** @type {[Function, string][]} */ ([
  [AbortSignal, "AbortSignal"],
  [AbortController, "AbortController"],
])) {
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: name, configurable: true });
}
