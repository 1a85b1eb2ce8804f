import { convertDictionary, toDOMString } from "./webidl/convert.js";
import { defineInterface, requireArguments } from "./webidl/interface.js";

/** The event that tells of a failure: a fatal one, or one that the socket survives. */
export class SocketErrorEvent extends Event {
  /** @type {unknown} */
  #error;

  /** @type {boolean} */
  #fatal;

  /**
   * @param {string} type
   * @param {EventInit & {error?: unknown, fatal?: boolean}} [eventInitDict]
   */
  constructor(type, eventInitDict = {}) {
    // biome-ignore lint/complexity/noArguments: a type that is undefined counts as given, and the length must be 1.
    requireArguments(arguments.length, 1);
    const name = toDOMString(type);
    const { error, fatal, ...init } = convertDictionary("SocketErrorEventInit", eventInitDict);
    super(name, init);
    this.#error = error;
    this.#fatal = fatal;
  }

  get error() {
    return this.#error;
  }

  get fatal() {
    return this.#fatal;
  }
}

defineInterface("SocketErrorEvent", SocketErrorEvent);
