import { DatagramSender } from "./datagram-sender.js";
import { failureOf } from "./failure.js";
import { OpenSocket } from "./udp.js";

/**
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../transport.js").Server} Server
 * @typedef {import("../transport.js").ServerClient} ServerClient
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../../core/listener-init.js").ListenerOptions} ListenerOptions
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 */

/**
 * How many flows one listener has at most. Whoever forges the source of datagrams can begin any number of them; what
 * begins one more is thrown away.
 */
const mostFlows = 16_384;

/** @param {Endpoint} source */
const keyOf = ({ address, port }) => `${address} ${port}`;

/**
 * The datagrams of one source, over the socket that all flows of a listener share.
 * @implements {Transport}
 */
class Flow {
  #client;
  #sender;
  #over = false;

  /** @type {(flow: Flow) => void} */
  #forget;

  /**
   * @param {OpenSocket} socket
   * @param {DatagramClient} client
   * @param {{remote: Endpoint, forget: (flow: Flow) => void}} flow where it comes from, and who is told of its end
   */
  constructor(socket, client, { remote, forget }) {
    this.remote = remote;
    this.#client = client;
    this.#forget = forget;
    const destination = { host: remote.address, port: remote.port };
    this.#sender = new DatagramSender(socket.writer, client, { family: socket.family, destination });
  }

  /** @param {Endpoint} local */
  open(local) {
    this.#client.connected({ remote: this.remote, local });
  }

  /** @param {Message} message */
  write(message) {
    return this.#sender.write(message);
  }

  writeFin() {
    this.#client.finAccepted();
  }

  resume() {}

  configure() {}

  close() {
    if (this.#over) return;
    this.#over = true;
    this.#forget(this);
    queueMicrotask(() => this.#client.released());
  }

  reset() {
    this.close();
  }

  /** @param {Uint8Array<ArrayBuffer>} data */
  received(data) {
    this.#client.datagram(data, this.remote);
  }
}

/**
 * "A udp listener groups datagrams by the address and port of their source."
 * @implements {Server}
 */
class UDPServer {
  #client;

  /** @type {OpenSocket | null} */
  #socket = null;

  /** @type {Map<string, Flow>} */
  #flows = new Map();

  #closing = false;

  /**
   * @param {ListenerOptions} options
   * @param {ServerClient} client
   */
  constructor({ local }, client) {
    this.#client = client;
    this.#listen(local);
  }

  /** Ends when the last flow has ended, which lives on. */
  close() {
    if (this.#closing) return;
    this.#closing = true;
    this.#releaseIfUnused();
  }

  /** @param {import("../../core/init.js").Local} local */
  async #listen(local) {
    let socket;
    try {
      socket = await OpenSocket.open(local);
    } catch (error) {
      if (!this.#closing) this.#client.failed(failureOf("bind", error));
      return this.#client.released();
    }
    this.#socket = socket;
    if (this.#closing) return this.#releaseIfUnused();
    this.#client.listening({ local: socket.local });
    // What a flow could not send is told to the flow; the rest is about nobody in particular.
    await socket.receive((data, source) => this.#received(data, source)).catch(() => {});
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} data
   * @param {Endpoint} source
   */
  #received(data, source) {
    const key = keyOf(source);
    if (!this.#flows.has(key)) this.#begin(key, source);
    // Nobody may have wanted it, or somebody has rejected it.
    this.#flows.get(key)?.received(data);
  }

  /**
   * @param {string} key
   * @param {Endpoint} remote
   */
  #begin(key, remote) {
    if (this.#closing || this.#flows.size >= mostFlows || !this.#client.wanted) return;
    const socket = /** @type {OpenSocket} */ (this.#socket);
    this.#client.incoming((_options, client) => {
      const flow = new Flow(socket, /** @type {DatagramClient} */ (client), {
        remote,
        forget: (ended) => this.#forget(ended),
      });
      this.#flows.set(key, flow);
      return flow;
    });
    this.#flows.get(key)?.open(socket.local);
  }

  /** @param {Flow} flow that has ended */
  #forget(flow) {
    const key = keyOf(flow.remote);
    if (this.#flows.get(key) === flow) this.#flows.delete(key);
    this.#releaseIfUnused();
  }

  #releaseIfUnused() {
    if (!this.#closing || this.#flows.size > 0 || !this.#socket) return;
    const socket = this.#socket;
    this.#socket = null;
    socket.close().then(() => this.#client.released());
  }
}

/**
 * @param {ListenerOptions} options
 * @param {ServerClient} client
 * @returns {Server}
 */
export function listen(options, client) {
  return new UDPServer(options, client);
}
