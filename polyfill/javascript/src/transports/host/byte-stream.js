import { ask } from "./host.js";

/** @typedef {import("../transport.js").StreamClient} StreamClient */

/** What is given to the host at once, so that a slow connection shows progress. */
const sliceSize = 256 * 1024;

/** After so many bytes other tasks get their turn, however fast the system takes them. */
const turnSize = 4 * 1024 * 1024;

/** Bytes in both directions over one handle: those of a connection, or of one stream of a connection. */
export class ByteStream {
  #client;

  /** Names it to the host. */
  handle;

  #paused = false;

  /** What of the chunk that is being written the host was not given yet. */
  #rest = /** @type {Uint8Array} */ (new Uint8Array());

  /** How many bytes of it the host was given and has not got rid of. */
  #inFlight = 0;

  /** How many bytes were accepted since the writer last waited. */
  #turn = 0;

  /**
   * @param {Pick<StreamClient, "room" | "received" | "sent" | "accepted" | "finAccepted">} client
   * @param {number} handle
   */
  constructor(client, handle) {
    this.#client = client;
    this.handle = handle;
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    this.#rest = bytes;
    return this.#pump() && this.#mayGoOn();
  }

  writeFin() {
    if (ask("send-fin", this.handle)) queueMicrotask(() => this.#client.finAccepted());
  }

  resume() {
    if (this.#paused && this.#client.room > 0) this.readOn();
  }

  readOn() {
    this.#paused = false;
    ask("resume", this.handle);
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  received(bytes) {
    this.#client.received(bytes, true);
    if (this.#paused || this.#client.room > 0) return;
    this.#paused = true;
    ask("pause", this.handle);
  }

  writeFinished() {
    this.#sent();
    if (this.#pump()) this.#client.accepted();
  }

  /** @returns {boolean} whether everything there was has been taken */
  #pump() {
    while (this.#rest.length > 0) {
      const slice = this.#rest.subarray(0, sliceSize);
      this.#rest = this.#rest.subarray(slice.length);
      this.#inFlight = slice.length;
      if (!ask("send", this.handle, undefined, slice)) return false;
      this.#sent();
    }
    return true;
  }

  #sent() {
    const count = this.#inFlight;
    this.#inFlight = 0;
    this.#turn += count;
    this.#client.sent(count);
  }

  /** A loop of writes that the system takes at once runs in microtasks alone. Now and then it has to wait. */
  #mayGoOn() {
    if (this.#turn < turnSize) return true;
    this.#turn = 0;
    setTimeout(() => this.#client.accepted(), 0);
    return false;
  }
}
