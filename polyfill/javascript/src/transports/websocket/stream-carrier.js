/**
 * A connection over TCP or TLS at the far end of a WebSocket with the subprotocol "commonsocket.v1".
 *
 * A WebSocket of a page cannot be told to wait: whatever arrives is delivered. So each side grants the other a window,
 * and sends no more than it was granted. What was granted and is not wanted yet waits here, as it would in the buffer of
 * a socket of the operating system.
 */

import { ReceiveQueue } from "../../core/receive-queue.js";
import { encode, failureIn, optionsOf, tlsDetails, tlsOf } from "./messages.js";

/**
 * @typedef {import("./tunnel-transport.js").Carrier} Carrier
 * @typedef {import("./tunnel-transport.js").Link} Link
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").TransportClient} TransportClient
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 * @typedef {import("../../core/init.js").TLSInit} TLSInit
 * @typedef {import("../../socket-tls-info.js").TLSDetails} TLSDetails
 */

/** How many bytes the tunnel may send before any of them is taken. */
const window = 262_144;

/** @implements {Carrier} */
export class StreamCarrier {
  #link;
  #client;

  /** The tunnel was told where to. Nothing is sent before. */
  #begun = false;

  // Down, from the tunnel.

  /** What has arrived and the client has no room for. */
  #queue = new ReceiveQueue();

  /** How much the client took since the tunnel was last told. */
  #taken = 0;

  #finArrived = false;

  // Up, to the tunnel.

  #credit = 0;

  /** What waits for credit. @type {Uint8Array | null} */
  #rest = null;

  /** What the tunnel was last told. */
  #options;

  /** While the connection is being upgraded, what of plaintext nobody has read. @type {Uint8Array[] | null} */
  #unread = null;

  /** @type {((details: TLSDetails) => void) | null} */
  #secured = null;

  /**
   * @param {Link} link
   * @param {TransportClient} client
   * @param {SocketOptions} options
   * @param {Promise<Record<string, unknown>>} init
   */
  constructor(link, client, options, init) {
    this.#link = link;
    this.#client = client;
    this.#options = JSON.stringify(optionsOf(options));
    this.#begin(init);
  }

  /** @param {import("./messages.js").Control} message */
  control(message) {
    this.#handlers[message.type]?.(message);
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  data(bytes) {
    if (this.#unread) return this.#keep(bytes);
    if (this.#queue.size === 0 && this.#client.room > 0) return this.#pass(bytes);
    this.#queue.adopt(bytes);
    if (this.#queue.size <= window) return;
    const message = "The tunnel sends more than it was granted";
    this.#link.fail({ phase: "established", code: null, message, cause: undefined });
  }

  /** @type {import("./messages.js").Handlers} */
  #handlers = {
    connected: ({ remote, local, tls, credit }) => {
      this.#credit = credit;
      this.#client.connected({ remote, local, ...(tls && { tls: tlsDetails(tls) }) });
    },
    credit: ({ bytes }) => {
      this.#credit += bytes;
      if (this.#rest && this.#send(this.#rest)) this.#client.accepted();
    },
    fin: () => {
      this.#finArrived = true;
      this.#drain();
    },
    finished: () => this.#client.finAccepted(),
    held: () => this.#giveBack(),
    secured: ({ tls }) => this.#secured?.(tlsDetails(tls)),
    failed: (message) => {
      this.#passAll();
      this.#link.fail(failureIn(message));
    },
  };

  /** The WebSocket broke: what becomes of the connection behind it, nobody can tell. */
  lost() {
    const message = "The connection to the tunnel was lost";
    this.#passAll();
    this.#link.fail({ phase: "established", code: "ECONNABORTED", message, cause: undefined });
  }

  /** @param {Message} bytes */
  write(bytes) {
    return this.#send(/** @type {Uint8Array} */ (bytes));
  }

  writeFin() {
    this.#link.send(encode("fin"));
  }

  resume() {
    this.#drain();
  }

  /** @param {TransportOptions} options */
  configure(options) {
    const members = optionsOf(/** @type {any} */ (options));
    const text = JSON.stringify(members);
    if (text === this.#options) return;
    this.#options = text;
    this.#link.send(encode("configure", { options: members }));
  }

  /**
   * @param {TLSInit} init
   * @param {Uint8Array} unread
   * @returns {Promise<TLSDetails>}
   */
  async secure(init, unread) {
    this.#unread = [unread];
    while (this.#queue.size > 0) this.#keep(this.#queue.shift());
    let tls;
    try {
      tls = await tlsOf(init);
    } catch (cause) {
      const { message } = /** @type {Error} */ (cause);
      this.#link.fail({ phase: "tls-handshake", code: null, message, cause });
      return new Promise(() => {});
    }
    this.#link.send(encode("secure", { tls }));
    return new Promise((resolve) => {
      this.#secured = resolve;
    });
  }

  close() {
    return this.#end("close");
  }

  reset() {
    return this.#end("reset");
  }

  /** @param {Promise<Record<string, unknown>>} init */
  async #begin(init) {
    try {
      this.#link.send(encode("connect", { init: await init, credit: window }));
      this.#begun = true;
    } catch (cause) {
      const { message } = /** @type {Error} */ (cause);
      // A key that cannot be taken out of this realm.
      this.#link.fail({ phase: "tls-handshake", code: null, message, cause });
    }
  }

  /** @param {"close" | "reset"} how */
  #end(how) {
    if (this.#begun) this.#link.send(encode(how));
    return this.#begun;
  }

  /** Passes on what the client has room for. */
  #drain() {
    if (this.#unread) return;
    while (this.#queue.size > 0 && this.#client.room > 0) this.#pass(this.#queue.shift());
    if (this.#queue.size > 0 || !this.#finArrived) return;
    this.#finArrived = false;
    this.#client.ended();
  }

  /** "Bytes that the platform received before the failure are passed on before it", whatever room there is. */
  #passAll() {
    while (this.#queue.size > 0) this.#client.received(this.#queue.shift(), true);
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes with a buffer of their own */
  #pass(bytes) {
    const { length } = bytes;
    this.#client.received(bytes, true);
    this.#take(length);
  }

  /** @param {number} count */
  #take(count) {
    this.#taken += count;
    if (this.#taken * 2 < window) return;
    this.#link.send(encode("credit", { bytes: this.#taken }));
    this.#taken = 0;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {boolean} whether all of them are sent
   */
  #send(bytes) {
    const count = Math.min(bytes.length, this.#credit);
    if (count > 0) {
      this.#credit -= count;
      // What a WebSocket is given is copied before send() returns.
      this.#link.send(/** @type {Uint8Array<ArrayBuffer>} */ (bytes.subarray(0, count)));
      this.#client.sent(count);
    }
    this.#rest = count < bytes.length ? bytes.subarray(count) : null;
    return this.#rest === null;
  }

  // An upgrade to TLS.

  /** @param {Uint8Array} bytes of plaintext that belong to the handshake */
  #keep(bytes) {
    this.#unread?.push(bytes);
    this.#take(bytes.length);
  }

  /** The tunnel reads no more plaintext: what nobody has read goes back, and the handshake begins. */
  #giveBack() {
    const unread = this.#unread ?? [];
    this.#unread = null;
    // It was the end of plaintext, and is an end within the handshake now.
    this.#finArrived = false;
    const size = unread.reduce((sum, { length }) => sum + length, 0);
    this.#link.send(encode("handshake", { unread: size }));
    for (const bytes of unread) {
      if (bytes.length > 0) this.#link.send(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    }
  }
}
