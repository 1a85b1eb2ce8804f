/**
 * A socket's way through the tunnel: one WebSocket for each socket. What the tunnel can do shows when the WebSocket is
 * open: with the subprotocol "commonsocket.v1" everything, without it the plain bytes of one TCP connection.
 */

import { accessDenied } from "./access-denied.js";
import { openingFor } from "./configuration.js";
import { DatagramCarrier } from "./datagram-carrier.js";
import { decode, initOf, subprotocol } from "./messages.js";
import { PlainCarrier } from "./plain-carrier.js";
import { queueTask } from "./queue-task.js";
import { StreamCarrier } from "./stream-carrier.js";

/**
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").TransportClient} TransportClient
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 * @typedef {import("../../core/failure.js").TransportFailure} TransportFailure
 * @typedef {import("../../core/init.js").TLSInit} TLSInit
 *
 * @typedef {object} Carrier what the WebSocket carries, once it is open
 * @property {(bytes: Uint8Array<ArrayBuffer>) => void} data takes a binary message, with its memory
 * @property {(message: import("./messages.js").Control) => void} control takes a text message of "commonsocket.v1"
 * @property {(event: CloseEvent) => void} lost the WebSocket has closed, and nobody here wanted that
 * @property {(message: Message) => boolean} write
 * @property {() => void} writeFin
 * @property {() => void} resume
 * @property {(options: TransportOptions) => void} configure
 * @property {(tls: TLSInit, unread: Uint8Array) => Promise<import("../../socket-tls-info.js").TLSDetails>} [secure]
 * @property {() => boolean} close lets go; whether the tunnel will close the WebSocket by itself
 * @property {() => boolean} reset ends it abruptly; whether the tunnel will close the WebSocket by itself
 *
 * @typedef {object} Link the WebSocket, for its carrier
 * @property {(data: string | Uint8Array<ArrayBuffer>) => void} send
 * @property {number} unsent bytes that wait to be sent
 * @property {(failure: TransportFailure) => void} fail
 */

/** How long the tunnel has for the last words. A browser itself waits for longer. */
const partingTime = 3000;

/** @implements {Transport} */
export class TunnelTransport {
  #client;

  /** @type {WebSocket | null} */
  #webSocket = null;

  /** @type {Carrier | null} */
  #carrier = null;

  /** It was let go of. */
  #over = false;

  #failed = false;
  #released = false;

  /**
   * @param {SocketOptions} options
   * @param {TransportClient} client
   */
  constructor(options, client) {
    this.#client = client;
    // What a message will need is made while the WebSocket opens.
    const init = initOf(options);
    init.catch(() => {});
    // A task later: what the script does at once belongs to the time before.
    queueTask(() => this.#open(options, init));
  }

  /** @param {Message} message */
  write(message) {
    return /** @type {Carrier} */ (this.#carrier).write(message);
  }

  writeFin() {
    this.#carrier?.writeFin();
  }

  resume() {
    this.#carrier?.resume();
  }

  /** @param {TransportOptions} options */
  configure(options) {
    this.#carrier?.configure(options);
  }

  /**
   * @param {TLSInit} tls
   * @param {Uint8Array} unread
   */
  secure(tls, unread) {
    const carrier = /** @type {Carrier} */ (this.#carrier);
    if (carrier.secure) return carrier.secure(tls, unread);
    const message = "This tunnel carries plain connections only, and cannot encrypt one";
    this.#fail({ phase: "tls-handshake", code: null, message, cause: undefined });
    return /** @type {Promise<never>} */ (new Promise(() => {}));
  }

  close() {
    if (this.#over) this.#cut();
    else this.#part(this.#carrier?.close() ?? false);
  }

  reset() {
    this.#part(this.#carrier?.reset() ?? false);
  }

  /**
   * @param {SocketOptions} options
   * @param {Promise<Record<string, unknown>>} init
   */
  #open(options, init) {
    if (this.#over) return;
    let opening;
    try {
      opening = openingFor(options.remote);
      if (!opening) throw new TypeError("No tunnel is configured: call useTunnel() of commonsocket/tunnel first");
      this.#webSocket = new opening.WebSocket(opening.url, opening.protocols);
    } catch (cause) {
      const { message } = /** @type {Error} */ (cause);
      return this.#fail({ phase: "connect", code: accessDenied, message, cause });
    }
    const webSocket = this.#webSocket;
    // Nothing of the query, in which there may be a token.
    const { origin, pathname } = new URL(opening.url);
    webSocket.binaryType = "arraybuffer";
    webSocket.addEventListener("open", () => this.#opened(webSocket, options, init));
    webSocket.addEventListener("message", ({ data }) => this.#received(data));
    // Every error is followed by this.
    webSocket.addEventListener("close", (event) => this.#closed(event, `${origin}${pathname}`));
    webSocket.addEventListener("error", () => {});
  }

  /**
   * @param {WebSocket} webSocket
   * @param {SocketOptions} options
   * @param {Promise<Record<string, unknown>>} init
   */
  #opened(webSocket, options, init) {
    if (this.#over) return;
    /** @type {Link} */
    const link = {
      send: (data) => webSocket.send(data),
      get unsent() {
        return webSocket.bufferedAmount;
      },
      fail: (failure) => this.#fail(failure),
    };
    const client = this.#client;
    if (webSocket.protocol === subprotocol) {
      this.#carrier =
        options.type === "udp"
          ? new DatagramCarrier(link, /** @type {DatagramClient} */ (client), options, init)
          : new StreamCarrier(link, client, options, init);
    } else if (options.type === "tcp") {
      const carrier = new PlainCarrier(link, client);
      this.#carrier = carrier;
      // What was written meanwhile comes within.
      carrier.begin();
    } else {
      const message = `This tunnel carries plain TCP only: it has no subprotocol ${subprotocol}`;
      this.#fail({ phase: "connect", code: accessDenied, message, cause: undefined });
    }
  }

  /** @param {string | ArrayBuffer} data */
  #received(data) {
    const carrier = this.#carrier;
    if (this.#over || !carrier) return;
    if (typeof data !== "string") return carrier.data(new Uint8Array(data));
    let message;
    try {
      message = decode(data);
    } catch (cause) {
      const message = "What the tunnel says is none of its protocol";
      return this.#fail({ phase: "established", code: null, message, cause });
    }
    carrier.control(message);
  }

  /**
   * @param {CloseEvent} event
   * @param {string} url
   */
  #closed(event, url) {
    this.#webSocket = null;
    if (this.#over) return this.#release();
    if (this.#carrier) return this.#carrier.lost(event);
    const message = `The tunnel ${url} cannot be reached, or does not let this client in`;
    this.#fail({ phase: "connect", code: null, message, cause: undefined });
  }

  /** @param {TransportFailure} failure */
  #fail(failure) {
    if (this.#failed || this.#over) return;
    this.#failed = true;
    // Lets go of it.
    this.#client.failed(failure);
  }

  /** @param {boolean} told whether the tunnel will close the WebSocket by itself */
  #part(told) {
    if (this.#over) return;
    this.#over = true;
    if (!this.#webSocket) {
      queueTask(() => this.#release());
      return;
    }
    const timer = setTimeout(() => this.#cut(), partingTime);
    /** @type {any} */ (timer).unref?.();
    if (!told) this.#webSocket.close();
  }

  #cut() {
    this.#webSocket?.close();
    this.#release();
  }

  #release() {
    if (this.#released) return;
    this.#released = true;
    this.#client.released();
  }
}

/**
 * @param {SocketOptions} options
 * @param {TransportClient} client
 * @returns {Transport}
 */
export function connect(options, client) {
  return new TunnelTransport(options, client);
}
