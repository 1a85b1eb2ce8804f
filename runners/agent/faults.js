/** The two ways an operation ends other than with a value. */

/** The request cannot be carried out; becomes the answer's `fault`. */
export class Fault extends Error {
  /**
   * @param {"unsupported-operation" | "invalid-request" | "unknown-handle" | "unknown-name"} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The API under test threw; becomes the answer's `threw`. Only `attempt` makes one, so the agent's own errors never do. */
export class Threw {
  /** @param {unknown} thrown */
  constructor(thrown) {
    this.thrown = thrown;
  }
}

/**
 * Runs code of the API under test.
 *
 * @template T
 * @param {() => T} action
 * @returns {T}
 */
export function attempt(action) {
  try {
    return action();
  } catch (thrown) {
    throw new Threw(thrown);
  }
}
