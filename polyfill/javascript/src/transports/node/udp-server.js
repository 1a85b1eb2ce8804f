import net from "node:net";
import { plainAddress } from "./address.js";
import { DatagramSender } from "./datagram-sender.js";
import { bind, bytesOf, configure, failureOf } from "./udp.js";

/**
 * @typedef {import("node:dgram").Socket} Socket
 * @typedef {import("./datagram-socket.js").DatagramSockets} DatagramSockets
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../transport.js").Server} Server
 * @typedef {import("../transport.js").ServerClient} ServerClient
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 * @typedef {import("../../core/listener-init.js").ListenerOptions} ListenerOptions
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 */

/**
 * How many flows one listener has at most. Whoever forges the source of datagrams can begin any number of them; what
 * begins one more is thrown away.
 */
const mostFlows = 16_384;

/**
 * The datagrams of one source, over the socket that all flows of a listener share.
 * @implements {Transport}
 */
class Flow {
  #client;
  #sender;
  #server;
  #over = false;

  /** What names the source. */
  key;

  /** Whether the flow is a reason for the process to live on. */
  needed = true;

  /**
   * @param {UDPServer} server
   * @param {Socket} socket
   * @param {DatagramClient} client
   * @param {{key: string, remote: Endpoint, family: 4 | 6}} source
   */
  constructor(server, socket, client, { key, remote, family }) {
    this.#server = server;
    this.#client = client;
    this.key = key;
    this.#sender = new DatagramSender(socket, client, family, { host: remote.address, port: remote.port });
  }

  /** @param {{remote: Endpoint, local: Endpoint}} ends */
  open(ends) {
    this.#client.connected(ends);
  }

  /** @param {Message} message */
  write(message) {
    return this.#sender.write(message);
  }

  writeFin() {
    this.#client.finAccepted();
  }

  resume() {}

  /** The options are those of the listener's socket. */
  configure() {}

  /** @param {boolean} needed */
  keepProcess(needed) {
    this.needed = needed;
    this.#server.keepProcess();
  }

  close() {
    if (this.#over) return;
    this.#over = true;
    this.#server.forget(this);
    process.nextTick(() => this.#client.released());
  }

  reset() {
    this.close();
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} data
   * @param {Endpoint} source
   */
  received(data, source) {
    this.#client.datagram(data, source);
  }
}

/**
 * "A udp listener groups datagrams by the address and port of their source."
 * @implements {Server}
 */
class UDPServer {
  #client;
  #options;

  /** @type {Socket | null} */
  #socket = null;

  /** @type {Map<string, Flow>} */
  #flows = new Map();

  #closing = false;

  /** @type {Endpoint} */
  #local = { address: "", port: 0 };

  /**
   * @param {DatagramSockets} sockets
   * @param {ListenerOptions} options
   * @param {ServerClient} client
   */
  constructor(sockets, options, client) {
    this.#client = client;
    this.#options = options;
    const { local, reusePort } = options;
    const family = local.address && net.isIPv4(local.address) ? 4 : 6;
    bind(sockets, { local, family, both: !local.address, reusePort }, (socket, error) => {
      if (this.#closing) return socket.close();
      this.#socket = socket;
      socket.once("close", () => client.released());
      if (error) return client.failed({ ...failureOf(error), phase: "bind" });
      return this.#listening(socket);
    });
  }

  /** Ends when the last flow has ended, which lives on. */
  close() {
    if (this.#closing) return;
    this.#closing = true;
    if (!this.#socket) process.nextTick(() => this.#client.released());
    else this.#closeIfUnused();
    this.keepProcess();
  }

  /** @param {Flow} flow that has ended */
  forget(flow) {
    if (this.#flows.get(flow.key) === flow) this.#flows.delete(flow.key);
    this.#closeIfUnused();
    this.keepProcess();
  }

  /** The process lives on for the listener, or for a flow that needs it. */
  keepProcess() {
    if (!this.#closing) return;
    if ([...this.#flows.values()].some(({ needed }) => needed)) this.#socket?.ref();
    else this.#socket?.unref();
  }

  /** @param {Socket} socket */
  #listening(socket) {
    const { address, port } = socket.address();
    this.#local = { address, port };
    configure(socket, this.#options.accept);
    // What a flow could not send is told to the flow; the rest is about nobody in particular.
    socket.on("error", () => {});
    socket.on("message", (message, info) => this.#received(/** @type {Buffer<ArrayBuffer>} */ (message), info));
    this.#client.listening({ local: this.#local });
  }

  /**
   * @param {Buffer<ArrayBuffer>} message
   * @param {{address: string, port: number}} info
   */
  #received(message, { address, port }) {
    const key = `${address} ${port}`;
    const source = { address: plainAddress(address), port };
    if (!this.#flows.has(key)) this.#begin(key, source);
    // Nobody may have wanted it, or somebody has rejected it.
    this.#flows.get(key)?.received(bytesOf(message), source);
  }

  /**
   * @param {string} key
   * @param {Endpoint} source
   */
  #begin(key, source) {
    if (this.#closing || this.#flows.size >= mostFlows || !this.#client.wanted) return;
    const socket = /** @type {Socket} */ (this.#socket);
    const family = net.isIPv4(this.#local.address) ? 4 : 6;
    this.#client.incoming((_options, client) => {
      const flow = new Flow(this, socket, /** @type {DatagramClient} */ (client), { key, remote: source, family });
      this.#flows.set(key, flow);
      return flow;
    });
    this.#flows.get(key)?.open({ remote: source, local: this.#local });
  }

  #closeIfUnused() {
    if (this.#closing && this.#flows.size === 0) this.#socket?.close();
  }
}

/**
 * @param {DatagramSockets} sockets
 * @returns {(options: ListenerOptions, client: ServerClient) => Server}
 */
export function listening(sockets) {
  return (options, client) => new UDPServer(sockets, options, client);
}
