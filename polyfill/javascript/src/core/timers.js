/** The longest that the platforms' timers can wait; with more than that they expire at once. */
const longest = 2 ** 31 - 1;

/**
 * A timer for `readyTimeout` and `idleTimeout`: cheap to restart, never early, and no reason for a process to live on
 * (the connection it watches is one).
 */
export class Deadline {
  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;

  /** The duration in ms; 0 while it does not run. */
  #duration = 0;

  #due = 0;

  #expire;

  /** @param {(duration: number) => void} expire called with the duration that has passed */
  constructor(expire) {
    this.#expire = expire;
  }

  get running() {
    return this.#duration > 0;
  }

  /**
   * @param {number} duration ms; 0 stops the timer
   * @param {number} [since] the time, by performance.now(), that the duration counts from
   */
  start(duration, since = performance.now()) {
    this.stop();
    if (duration === 0) return;
    this.#duration = duration;
    this.#due = since + duration;
    this.#wait();
  }

  /** Starts the duration anew. The platform's timer stays as it is and finds out when it fires. */
  restart() {
    this.#due = performance.now() + this.#duration;
  }

  stop() {
    this.#duration = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wait() {
    const rest = Math.max(0, Math.min(Math.ceil(this.#due - performance.now()), longest));
    this.#timer = setTimeout(() => {
      // A platform's timer may fire a fraction of a millisecond early, and restart() makes it fire early on purpose.
      if (performance.now() < this.#due) return this.#wait();
      const duration = this.#duration;
      this.stop();
      this.#expire(duration);
    }, rest);
    this.#timer.unref?.();
  }
}
