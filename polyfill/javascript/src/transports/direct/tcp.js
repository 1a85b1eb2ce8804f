import { plainAddress } from "./address.js";
import { failureOf } from "./failure.js";
import { SendPipe } from "./send-pipe.js";

/**
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").TransportClient} TransportClient
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../../core/init.js").Remote} Remote
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("./direct-sockets.js").TCPSocket} TCPSocket
 * @typedef {import("./direct-sockets.js").TCPSocketOpenInfo} TCPSocketOpenInfo
 */

/** The most that Linux takes for TCP_KEEPIDLE, in ms. With more, no connection is made. */
const longestKeepAlive = 32_767_000;

/**
 * How much is read that there is no room for. Chromium throws away what is still in its own buffer when the peer ends
 * (seen in 156), so that nothing may stay there: reading stops only here, where memory would.
 */
const mostAhead = 64 * 1024 * 1024;

/**
 * A connection of Direct Sockets.
 *
 * There is no FIN for one direction: Chromium lets go of the connection when both its streams are closed, and only that
 * ends our direction on the wire. Nor is there a RST, unless the system sends one for bytes that were never read.
 * @implements {Transport}
 */
class TCPTransport {
  #client;
  #socket;
  #local;

  /** @type {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | null} */
  #reader = null;

  /** @type {SendPipe | null} */
  #pipe = null;

  /** The peer has ended its direction. */
  #ended = false;

  /** A read is under way. */
  #reading = false;

  /** How much was received since there was room. */
  #ahead = 0;

  /** Nobody wants to know any more. */
  #over = false;

  /**
   * @param {() => TCPSocket} open
   * @param {TransportClient} client
   * @param {Endpoint | null} [local] the local end where the socket itself does not tell
   */
  constructor(open, client, local = null) {
    this.#client = client;
    this.#local = local;
    this.#socket = Promise.resolve().then(open);
    this.#socket
      .then((socket) => socket.opened)
      .then(
        (opened) => this.#established(opened),
        (error) => this.#refused(error),
      );
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    return /** @type {SendPipe} */ (this.#pipe).write(bytes);
  }

  writeFin() {
    /** @type {SendPipe} */ (this.#pipe).finish();
  }

  resume() {
    this.#read();
  }

  /** Options are for the constructor of a TCPSocket, and stay as they are. */
  configure() {}

  close() {
    this.#letGo();
  }

  reset() {
    this.#letGo();
  }

  #letGo() {
    if (this.#over) return;
    this.#over = true;
    // An attempt to connect cannot be broken off. What comes of it is let go of when it has come.
    if (this.#pipe) this.#discard();
  }

  /** @param {TCPSocketOpenInfo} opened */
  #established({ readable, writable, remoteAddress, remotePort, localAddress, localPort }) {
    this.#reader = readable.getReader();
    this.#pipe = new SendPipe(writable, {
      sent: (count) => this.#client.sent(count),
      accepted: () => this.#client.accepted(),
      finished: () => this.#client.finAccepted(),
    });
    this.#pipe.closed.catch((error) => this.#broke(error));
    this.#reader.closed.then(
      () => this.#streamClosed(),
      (error) => this.#broke(error),
    );
    if (this.#over) return this.#discard();
    this.#client.connected({
      remote: { address: plainAddress(remoteAddress), port: remotePort },
      local: this.#local ?? { address: plainAddress(localAddress), port: localPort },
    });
    this.#read();
  }

  /** @param {unknown} error */
  #refused(error) {
    if (!this.#over) this.#client.failed(failureOf("connect", error));
    this.#client.released();
  }

  async #read() {
    if (this.#reading || this.#ended || !this.#reader) return;
    this.#reading = true;
    try {
      while (this.#mayRead) await this.#readOnce(this.#reader);
    } catch (error) {
      this.#broke(error);
    }
    this.#reading = false;
  }

  get #mayRead() {
    if (this.#client.room > 0) this.#ahead = 0;
    return this.#ahead < mostAhead && !this.#over && !this.#ended;
  }

  /** @param {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>} reader */
  async #readOnce(reader) {
    const { done, value } = await reader.read();
    if (this.#over) return;
    if (value) {
      this.#ahead += value.length;
      this.#client.received(value, true);
    }
    if (!done) return;
    this.#ended = true;
    this.#client.ended();
  }

  /** The stream is closed. Where nothing was being read, something may have been thrown away. */
  #streamClosed() {
    if (this.#reading || this.#ended) return;
    const message = "The peer has ended the connection, and Chromium may have lost what it sent last";
    this.#broke(new DOMException(`${message}: net::ERR_CONNECTION_ABORTED`, "NetworkError"));
  }

  /** @param {unknown} error */
  #broke(error) {
    if (!this.#over) this.#client.failed(failureOf("established", error));
  }

  /** Both streams have to be closed, even where the connection has failed. */
  async #discard() {
    this.#reader?.cancel().catch(() => {});
    this.#pipe?.drop();
    const socket = await this.#socket;
    await socket.closed.catch(() => {});
    this.#client.released();
  }
}

/**
 * @param {SocketOptions} options
 * @param {TransportClient} client
 * @returns {Transport}
 */
export function connect({ remote, noDelay, keepAliveDelay }, client) {
  const { host, port } = /** @type {Remote} */ (remote);
  const options = {
    noDelay,
    ...(keepAliveDelay > 0 && { keepAliveDelay: Math.min(keepAliveDelay, longestKeepAlive) }),
  };
  return new TCPTransport(() => new TCPSocket(host, port, options), client);
}

/**
 * @param {TCPSocket} socket
 * @param {Endpoint} local where it came in
 * @returns {(options: SocketOptions, client: TransportClient) => Transport}
 */
export function accept(socket, local) {
  return (_options, client) => new TCPTransport(() => socket, client, local);
}
