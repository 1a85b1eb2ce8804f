import { isBeingDispatched } from "./core/connect-dispatch.js";
import { invalidState } from "./core/failure.js";
import { coreOf } from "./socket.js";
import { convertDictionary, toDOMString } from "./webidl/convert.js";
import { defineInterface, requireArguments } from "./webidl/interface.js";

/** The event that brings a connection from outside. */
export class ConnectEvent extends Event {
  /** @type {import("./socket.js").Socket} */
  #socket;

  /** How many promises that were passed to waitUntil() are pending. */
  #pending = 0;

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
    if (this.#pending === 0 && !isBeingDispatched(this)) {
      throw invalidState("The event has been dispatched and nothing is waited for");
    }
    this.#pending += 1;
    // "A promise that rejects is reported": the one that is made here rejects as well, and nobody handles it.
    Promise.resolve(promise).finally(() => {
      this.#pending -= 1;
    });
  }
}

defineInterface("ConnectEvent", ConnectEvent);
