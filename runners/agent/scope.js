/** What one test has in the agent: its handles and its log. */

/** @typedef {import("./handles.js").Handles} Handles */

/**
 * @typedef {{as: string, kind: string, type?: string} & Record<string, unknown>} Happening
 * @typedef {Happening & {seq: number, at: number}} LogEntry
 * @typedef {object} Waiter
 * @property {Record<string, string>} until
 * @property {() => void} wake
 */

export class Scope {
  /** @type {Map<object, number>} */
  #ids = new Map();
  /** @type {Set<Waiter>} */
  #waiters = new Set();
  #released = false;
  /** @type {LogEntry[]} */
  log = [];

  /** @param {Handles} handles */
  constructor(handles) {
    this.handles = handles;
  }

  /**
   * Returns the number of an object: the same object has the same number as long as the scope lives.
   *
   * @param {object} object
   * @returns {number}
   */
  idOf(object) {
    let id = this.#ids.get(object);
    if (id === undefined) {
      id = this.#released ? 0 : this.handles.add(object);
      this.#ids.set(object, id);
    }
    return id;
  }

  /** @param {Happening} happening */
  append(happening) {
    if (this.#released) return;
    const entry = { seq: this.log.length, at: performance.now(), ...happening };
    this.log.push(entry);
    for (const waiter of this.#waiters) {
      if (matches(entry, waiter.until)) {
        this.#waiters.delete(waiter);
        waiter.wake();
      }
    }
  }

  /**
   * Resolves when the log has an entry from `since` on with the fields `until`, or after `limit` milliseconds.
   *
   * @param {Record<string, string>} until
   * @param {number} since
   * @param {number} limit
   * @returns {Promise<void>}
   */
  entry(until, since, limit) {
    if (this.log.slice(since).some((entry) => matches(entry, until))) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        resolve();
      }, limit);
      const waiter = {
        until,
        wake() {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** Drops the handles and the log; what happens later to the objects is no longer written down. */
  release() {
    this.#released = true;
    this.handles.drop(this.#ids.values());
    this.#ids.clear();
    this.log = [];
    for (const waiter of this.#waiters) waiter.wake();
    this.#waiters.clear();
  }
}

/**
 * @param {LogEntry} entry
 * @param {Record<string, string>} fields
 */
function matches(entry, fields) {
  return Object.entries(fields).every(([name, value]) => entry[name] === value);
}
