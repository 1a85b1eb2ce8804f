/**
 * Who listens for the connect events of a target: an event target does not tell, and a connection that nobody listens
 * for is reset. The rules are those of the event listener list. https://dom.spec.whatwg.org/#concept-event-listener
 */

/** @typedef {boolean | AddEventListenerOptions | undefined} Options */

export class ConnectListeners {
  /** Callback, then capture, of each listener; and whether it is one for the next event only. */
  #listeners = /** @type {Map<object, Map<boolean, boolean>>} */ (new Map());

  /** Whether there is any. */
  get present() {
    return this.#listeners.size > 0;
  }

  /**
   * @param {object} callback
   * @param {Options} options
   */
  add(callback, options) {
    const { once = false, signal } = typeof options === "object" && options !== null ? options : {};
    if (signal?.aborted) return;
    const byCapture = this.#listeners.get(callback) ?? new Map();
    const capture = captureOf(options);
    // A listener that is there already is not added again, whatever its options.
    if (byCapture.has(capture)) return;
    this.#listeners.set(callback, byCapture.set(capture, once));
    signal?.addEventListener("abort", () => this.#forget(callback, capture), { once: true });
  }

  /**
   * @param {object} callback
   * @param {Options} options
   */
  remove(callback, options) {
    this.#forget(callback, captureOf(options));
  }

  /** @param {object} callback that is being called for an event */
  called(callback) {
    for (const [capture, once] of this.#listeners.get(callback) ?? []) if (once) this.#forget(callback, capture);
  }

  /**
   * @param {object} callback
   * @param {boolean} capture
   */
  #forget(callback, capture) {
    const byCapture = this.#listeners.get(callback);
    byCapture?.delete(capture);
    if (byCapture?.size === 0) this.#listeners.delete(callback);
  }
}

/** @param {Options} options */
function captureOf(options) {
  return Boolean(typeof options === "object" && options !== null ? options.capture : options);
}
