import { plainAddress } from "./address.js";
import { DatagramSender, resolve } from "./datagram-sender.js";
import { failureOf } from "./failure.js";

/**
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../../core/init.js").Local} Local
 * @typedef {import("../../core/init.js").Remote} Remote
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("./direct-sockets.js").UDPMessage} UDPMessage
 * @typedef {import("./direct-sockets.js").UDPSocketOptions} UDPSocketOptions
 */

/**
 * @param {Partial<Local>} local
 * @returns {UDPSocketOptions} those of a socket that exchanges datagrams with anybody; without an address, of both
 *   families
 */
function binding({ address, port = 0 }) {
  const ipv6Only = address === undefined ? { ipv6Only: false } : address === "::" ? { ipv6Only: true } : {};
  return { localAddress: address ?? "::", ...(port > 0 && { localPort: port }), ...ipv6Only };
}

/** A UDPSocket with its streams taken. */
export class OpenSocket {
  /**
   * @param {import("./direct-sockets.js").UDPSocket} socket
   * @param {import("./direct-sockets.js").UDPSocketOpenInfo} opened
   */
  constructor(socket, { readable, writable, localAddress, localPort, remoteAddress, remotePort }) {
    this.socket = socket;
    this.reader = readable.getReader();
    this.writer = writable.getWriter();
    this.writer.closed.catch(() => {});
    this.local = { address: localAddress, port: localPort };
    this.remote = remoteAddress ? { address: remoteAddress, port: remotePort } : null;
    this.family = /** @type {4 | 6} */ (localAddress.includes(":") ? 6 : 4);
  }

  /**
   * @param {Partial<Local> | Remote} end to bind, or to connect to
   * @returns {Promise<OpenSocket>} rejects with the error of Direct Sockets
   */
  static async open(end) {
    const remote = "host" in end && { remoteAddress: end.host, remotePort: end.port };
    const socket = new UDPSocket(remote || binding(/** @type {Partial<Local>} */ (end)));
    return new OpenSocket(socket, await socket.opened);
  }

  /**
   * Receives until the socket is closed.
   * @param {(data: Uint8Array<ArrayBuffer>, source?: any) => void} received the source is an Endpoint, unless there is
   *   but one
   * @returns {Promise<void>} rejects with the error of Direct Sockets
   */
  async receive(received) {
    for (;;) {
      const { done, value } = await this.reader.read();
      if (done) return;
      const { data, remoteAddress, remotePort = 0 } = /** @type {UDPMessage} */ (value);
      if (remoteAddress) received(data, { address: plainAddress(remoteAddress), port: remotePort });
      else received(data);
    }
  }

  /** @returns {Promise<void>} fulfils when the port is free */
  async close() {
    this.reader.cancel().catch(() => {});
    this.writer.abort().catch(() => {});
    await this.socket.closed.catch(() => {});
  }
}

/** @implements {Transport} */
class UDPTransport {
  #client;

  /** @type {OpenSocket | null} */
  #socket = null;

  /** @type {DatagramSender | null} */
  #sender = null;

  #over = false;

  /**
   * @param {SocketOptions} options
   * @param {DatagramClient} client
   */
  constructor(options, client) {
    this.#client = client;
    this.#open(options);
  }

  /** @param {Message} message */
  write(message) {
    return /** @type {DatagramSender} */ (this.#sender).write(message);
  }

  writeFin() {
    this.#client.finAccepted();
  }

  /** Datagrams that nobody reads are dropped by the client, so that reading never stops. */
  resume() {}

  configure() {}

  close() {
    if (this.#over) return;
    this.#over = true;
    if (this.#socket) this.#release(this.#socket);
  }

  reset() {
    this.close();
  }

  /** @param {SocketOptions} options */
  async #open({ remote, local }) {
    let destination = null;
    try {
      // A socket that is both bound and connected is one that is bound, and knows whom it listens to.
      if (remote && local) destination = { host: await resolve(remote), port: remote.port };
      this.#socket = await OpenSocket.open(local ?? /** @type {Remote} */ (remote));
    } catch (error) {
      if (!this.#over) this.#client.failed(failureOf(local ? "bind" : "connect", error));
      return this.#client.released();
    }
    if (this.#over) await this.#release(this.#socket);
    else await this.#receive(this.#socket, destination);
  }

  /**
   * @param {OpenSocket} socket
   * @param {Remote | null} destination
   */
  async #receive(socket, destination) {
    const remote = destination ? { address: destination.host, port: destination.port } : socket.remote;
    this.#sender = new DatagramSender(socket.writer, this.#client, { family: socket.family, destination });
    this.#client.connected({ remote, local: socket.local });
    try {
      await socket.receive((data, source = remote) => {
        const stranger = destination && (source.address !== destination.host || source.port !== destination.port);
        if (!this.#over && !stranger) this.#client.datagram(data, source);
      });
    } catch (error) {
      if (!this.#over) this.#client.failed(failureOf("established", error));
    }
  }

  /** @param {OpenSocket} socket */
  async #release(socket) {
    await socket.close();
    this.#client.released();
  }
}

/**
 * @param {SocketOptions} options
 * @param {DatagramClient} client
 * @returns {Transport}
 */
export function connect(options, client) {
  return new UDPTransport(options, client);
}
