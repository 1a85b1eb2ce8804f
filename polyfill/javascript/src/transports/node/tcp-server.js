import net from "node:net";
import process from "node:process";
import { plainAddress } from "./address.js";
import { accepting } from "./tcp.js";

/**
 * @typedef {import("../transport.js").Server} Server
 * @typedef {import("../transport.js").ServerClient} ServerClient
 * @typedef {import("../../core/listener-init.js").ListenerOptions} ListenerOptions
 * @typedef {import("./stream.js").Streams} Streams
 * @typedef {NodeJS.ErrnoException} NodeError
 */

/** @implements {Server} */
class TCPServer {
  #client;
  #streams;

  // The core ends each direction by itself, and decides when a connection is read from.
  #server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });

  /**
   * @param {Streams} streams
   * @param {ListenerOptions} options
   * @param {ServerClient} client
   */
  constructor(streams, { local, backlog, reusePort }, client) {
    this.#streams = streams;
    this.#client = client;
    const server = this.#server;
    server.once("listening", () => this.#listening());
    server.on("connection", (socket) => this.#accept(socket));
    server.on("error", (error) => this.#broke(error));
    try {
      streams.checkLocal(local.address, local.port);
      // Only without an address does Node listen in both families.
      server.listen({ host: local.address, port: local.port, backlog, ...sharing(reusePort) });
    } catch (error) {
      process.nextTick(() => this.#broke(/** @type {NodeError} */ (error)));
    }
  }

  close() {
    // Node frees the port at once, and waits for the connections only with its event.
    this.#server.close();
    process.nextTick(() => this.#client.released());
  }

  #listening() {
    const { address, port } = /** @type {net.AddressInfo} */ (this.#server.address());
    this.#client.listening({ local: { address, port } });
  }

  /** @param {net.Socket} socket */
  #accept(socket) {
    const { remoteAddress, remotePort = 0, localAddress = "", localPort = 0 } = socket;
    // "A connection that fails while it is being accepted is skipped": it has no remote end any more.
    if (remoteAddress === undefined) return socket.destroy();
    if (!this.#client.wanted) return socket.resetAndDestroy();
    const ends = {
      remote: { address: plainAddress(remoteAddress), port: remotePort },
      local: { address: plainAddress(localAddress), port: localPort },
    };
    const connection = this.#streams.take(socket);
    return this.#client.incoming(accepting(this.#streams, { connection, ends }));
  }

  /** @param {NodeError} error */
  #broke(error) {
    // "Accept errors are skipped": Node goes on accepting when it can again.
    if (this.#server.listening) return;
    const { code = null, message } = error;
    this.#client.failed({ phase: "bind", code, message, cause: error });
  }
}

/**
 * "With reusePort several listeners may be bound to the same port where the operating system has it": Node has it since
 * 22.12 and 23.1. Apart from that, processes of a cluster share ports unless told otherwise.
 * @param {boolean} reusePort
 * @returns {object} options of listen() and bind()
 */
export function sharing(reusePort) {
  return reusePort ? { reusePort } : { exclusive: true };
}

/**
 * @param {Streams} streams
 * @returns {(options: ListenerOptions, client: ServerClient) => Server}
 */
export function listening(streams) {
  return (options, client) => new TCPServer(streams, options, client);
}
