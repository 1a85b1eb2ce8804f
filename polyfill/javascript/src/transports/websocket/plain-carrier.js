/**
 * A TCP connection as the plain bytes of a WebSocket, which is all that websockify and daemons like it carry. There is no
 * half-close, no failure has a name, and nothing makes the daemon wait.
 */

import { ReceiveQueue } from "../../core/receive-queue.js";
import { Departure } from "./departure.js";

/**
 * @typedef {import("./tunnel-transport.js").Carrier} Carrier
 * @typedef {import("./tunnel-transport.js").Link} Link
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../transport.js").TransportClient} TransportClient
 */

/** The codes of a WebSocket that was closed on purpose; 1005 says that there was none. */
const normalCodes = [1000, 1001, 1005];

/** @implements {Carrier} */
export class PlainCarrier {
  #link;
  #client;
  #departure;
  #queue = new ReceiveQueue();

  /** How it ended: the failure, or null for the end of the data. @type {{code: string | null} | null} */
  #end = null;

  /**
   * @param {Link} link
   * @param {TransportClient} client
   */
  constructor(link, client) {
    this.#link = link;
    this.#client = client;
    this.#departure = new Departure(link, () => client.accepted());
  }

  begin() {
    // What the connection's ends are only the daemon knows.
    this.#client.connected({ remote: null, local: null });
  }

  control() {}

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  data(bytes) {
    if (bytes.length === 0) return;
    if (this.#queue.size > 0 || this.#client.room === 0) this.#queue.adopt(bytes);
    else this.#client.received(bytes, true);
  }

  /** @param {CloseEvent} event */
  lost({ code, wasClean }) {
    this.#departure.stop();
    this.#end = { code: wasClean && normalCodes.includes(code) ? null : "ECONNRESET" };
    this.#drain();
  }

  /** @param {Message} bytes */
  write(bytes) {
    const { length } = /** @type {Uint8Array} */ (bytes);
    if (this.#end) {
      const message = "The tunnel has closed the connection";
      this.#link.fail({ phase: "established", code: "EPIPE", message, cause: undefined });
      return false;
    }
    this.#link.send(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    this.#client.sent(length);
    return this.#departure.isPrompt();
  }

  /** The daemon has no word for it, and to close the WebSocket would throw away what the other end answers. */
  writeFin() {
    this.#client.finAccepted();
  }

  resume() {
    this.#drain();
  }

  configure() {}

  close() {
    this.#departure.stop();
    return false;
  }

  reset() {
    return this.close();
  }

  #drain() {
    while (this.#queue.size > 0 && this.#client.room > 0) this.#client.received(this.#queue.shift(), true);
    if (!this.#end) return;
    if (this.#end.code !== null) {
      while (this.#queue.size > 0) this.#client.received(this.#queue.shift(), true);
      const { code } = this.#end;
      this.#link.fail({ phase: "established", code, message: "The tunnel broke the connection", cause: undefined });
    } else if (this.#queue.size === 0) {
      this.#client.ended();
    }
  }
}
