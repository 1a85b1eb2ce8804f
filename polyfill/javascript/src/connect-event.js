import { isBeingDispatched } from "./core/connect-dispatch.js";
import { invalidState } from "./core/failure.js";
import { coreOf } from "./socket.js";
import { convertDictionary, toDOMString } from "./webidl/convert.js";
import { defineInterface, requireArguments } from "./webidl/interface.js";

/** The promises that a worker lives on for. @type {(event: ConnectEvent) => ReadonlySet<Promise<unknown>>} */
export let extensionsOf;

/** The event that brings a connection from outside. */
export class ConnectEvent extends Event {
  /** @type {import("./socket.js").Socket} */
  #socket;

  /** What waits for the promises that were passed to waitUntil(). @type {Set<Promise<unknown>>} */
  #extensions = new Set();

  /**
   * @param {string} type
   * @param {EventInit & {socket: import("./socket.js").Socket}} eventInitDict
   */
  constructor(type, eventInitDict) {
    // biome-ignore lint/complexity/noArguments: a type that is undefined counts as given.
    requireArguments(arguments.length, 2);
    const name = toDOMString(type);
    const { socket, ...init } = convertDictionary("ConnectEventInit", eventInitDict);
    super(name, init);
    this.#socket = socket;
  }

  get socket() {
    return this.#socket;
  }

  /** @param {unknown} [reason] */
  reject(reason = undefined) {
    const core = coreOf(this.#socket);
    if (!isBeingDispatched(this)) throw invalidState("The event is not being dispatched");
    core.abort(reason);
  }

  /**
   * As ExtendableEvent has it: a promise may be added while the event is dispatched or another one is pending.
   * @param {Promise<unknown>} promise
   */
  waitUntil(promise) {
    // biome-ignore lint/complexity/noArguments: undefined is a promise, too, by conversion.
    requireArguments(arguments.length, 1);
    if (this.#extensions.size === 0 && !isBeingDispatched(this)) {
      throw invalidState("The event has been dispatched and nothing is waited for");
    }
    const given = Promise.resolve(promise);
    // "A promise that rejects is reported": the one that is made here rejects as well, and nobody handles it.
    given.then(() => {});
    const settled = () => void this.#extensions.delete(extension);
    const extension = /** @type {Promise<void>} */ (given.then(settled, settled));
    this.#extensions.add(extension);
  }

  static {
    extensionsOf = (event) => event.#extensions;
  }
}

defineInterface("ConnectEvent", ConnectEvent);
