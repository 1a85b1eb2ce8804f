import dns from "node:dns";
import net from "node:net";
import process from "node:process";
import { plainAddress } from "./address.js";
import { DatagramSender } from "./datagram-sender.js";

/**
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../../core/failure.js").Phase} Phase
 * @typedef {import("../../core/init.js").Local} Local
 * @typedef {import("node:dgram").Socket} Socket
 * @typedef {import("node:dgram").RemoteInfo} RemoteInfo
 * @typedef {import("./datagram-socket.js").DatagramSockets} DatagramSockets
 * @typedef {NodeJS.ErrnoException} NodeError
 */

/** What binding to every address of both families fails with where there is no IPv6. */
const withoutIPv6 = ["EAFNOSUPPORT", "EADDRNOTAVAIL"];

/**
 * Numeric addresses need no resolver, which would answer a tick later. A socket of both families wants IPv4 addresses
 * in the form of the newer one.
 * @type {(hostname: string, options: any, callback: any) => void}
 */
function lookup(hostname, family, callback) {
  const kind = net.isIP(hostname);
  if (kind === 0) dns.lookup(hostname, { family, hints: family === 6 ? dns.V4MAPPED : 0 }, callback);
  else callback(null, kind === 4 && family === 6 ? `::ffff:${hostname}` : hostname, family);
}

/**
 * @typedef {object} Binding
 * @property {Local} [local]
 * @property {4 | 6} family
 * @property {boolean} both whether the socket is to take both families where that is possible
 * @property {boolean} [reusePort]
 */

/**
 * @param {DatagramSockets} sockets
 * @param {Binding} binding
 * @param {(socket: Socket, error: NodeError | null) => void} callback called later; without an error the socket
 *   is bound
 */
export function bind(sockets, binding, callback) {
  const { local, family, both, reusePort = false } = binding;
  const type = family === 6 ? "udp6" : "udp4";
  const socket = sockets.create({ type, lookup, ipv6Only: family === 6 && !both, ...(reusePort && { reusePort }) });
  const failed = (/** @type {NodeError} */ error) => {
    socket.removeListener("listening", bound);
    if (!both || family === 4 || !withoutIPv6.includes(error.code ?? "")) return callback(socket, error);
    socket.close();
    bind(sockets, { ...binding, family: 4 }, callback);
  };
  const bound = () => {
    socket.removeListener("error", failed);
    callback(socket, null);
  };
  socket.once("error", failed);
  socket.once("listening", bound);
  // The processes of a cluster share ports unless told otherwise.
  const place = { port: local?.port ?? 0, address: local?.address, exclusive: true };
  process.nextTick(() => socket.bind(place));
}

/** @implements {Transport} */
class UDPTransport {
  #client;
  #sockets;

  /** @type {Socket | null} */
  #socket = null;

  /** @type {DatagramSender | null} */
  #sender = null;

  /** @type {Phase} */
  #phase = "connect";

  /** It was let go of. */
  #over = false;

  /** Where datagrams have to come from, as the system spells it; null takes them from anywhere. */
  #source = /** @type {{address: string, port: number} | null} */ (null);

  /**
   * @param {DatagramSockets} sockets
   * @param {SocketOptions} options
   * @param {DatagramClient} client
   */
  constructor(sockets, options, client) {
    this.#client = client;
    this.#sockets = sockets;
    // A task later: binding may be done in no time, and what the script does at once belongs to the time before.
    setImmediate(() => this.#open(options));
  }

  /** @param {SocketOptions} options */
  #open(options) {
    const { remote, local } = options;
    const localFamily = local?.address ? net.isIP(local.address) : 0;
    if (this.#over) return;
    if (remote) this.#lookup(remote.host, localFamily, options);
    else this.#bind(options, null, /** @type {4 | 6} */ (localFamily || 6));
  }

  /**
   * @param {string} host
   * @param {number} wanted the family of the address that the datagrams are to come from; 0 leaves the choice
   * @param {SocketOptions} options
   */
  #lookup(host, wanted, options) {
    dns.lookup(host, { family: wanted }, (error, address, family) => {
      if (error) this.#fail(error);
      else if (!this.#over) this.#bind(options, address, /** @type {4 | 6} */ (family));
    });
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

  /** @param {TransportOptions} options */
  configure(options) {
    configure(/** @type {Socket} */ (this.#socket), options);
  }

  /** @param {boolean} needed */
  keepProcess(needed) {
    if (needed) this.#socket?.ref();
    else this.#socket?.unref();
  }

  close() {
    if (this.#over) return;
    this.#over = true;
    if (this.#socket) this.#socket.close();
    else process.nextTick(() => this.#client.released());
  }

  reset() {
    this.close();
  }

  /**
   * @param {SocketOptions} options
   * @param {string | null} address of the remote end
   * @param {4 | 6} family
   */
  #bind({ remote, local }, address, family) {
    const from = local?.address ?? (address ? this.#sockets.sourceTowards(address) : undefined);
    const place = { address: from, port: local?.port ?? 0 };
    bind(this.#sockets, { local: place, family, both: !address && !from }, (socket, error) => {
      if (this.#over) return socket.close();
      this.#adopt(socket);
      if (error) {
        this.#phase = "bind";
        return this.#fail(error);
      }
      if (!address || !remote) return this.#connected(null);
      const connected = (/** @type {NodeError | undefined} */ failure) => {
        if (failure) this.#fail(failure);
        else if (!this.#over) this.#connected(socket.remoteAddress());
      };
      return socket.connect(remote.port, address, /** @type {() => void} */ (connected));
    });
  }

  /** @param {Socket} socket */
  #adopt(socket) {
    this.#socket = socket;
    socket.once("close", () => this.#client.released());
    socket.on("error", (error) => this.#broke(error));
  }

  /** @param {{address: string, port: number} | null} source */
  #connected(source) {
    const socket = /** @type {Socket} */ (this.#socket);
    const { address, port } = socket.address();
    this.#phase = "established";
    this.#source = source;
    this.#sender = new DatagramSender(socket, this.#client, net.isIPv4(address) ? 4 : 6);
    socket.on("message", (message, info) => this.#received(/** @type {Buffer<ArrayBuffer>} */ (message), info));
    const remote = source && { address: source.address, port: source.port };
    this.#client.connected({ remote, local: { address, port } });
  }

  /**
   * @param {Buffer<ArrayBuffer>} message
   * @param {RemoteInfo} info
   */
  #received(message, { address, port }) {
    const source = this.#source;
    // What came before the socket was connected may be from anybody.
    if (source && (source.port !== port || source.address !== address)) return;
    this.#client.datagram(bytesOf(message), { address: plainAddress(address), port });
  }

  /** @param {NodeError} error */
  #broke(error) {
    if (this.#phase !== "established") return this.#fail(error);
    this.#client.failedSoftly(failureOf(error), false);
  }

  /** @param {NodeError} error */
  #fail(error) {
    if (!this.#over) this.#client.failed({ ...failureOf(error), phase: this.#phase });
  }
}

/**
 * @param {Socket} socket
 * @param {TransportOptions} options
 */
export function configure(socket, { ttl, receiveBufferSize }) {
  if (ttl !== undefined) socket.setTTL(ttl);
  // "Buffer sizes may be handed to the operating system as hints": a burst waits there until it is read. By itself the
  // system has more than the default of the option.
  if (receiveBufferSize > socket.getRecvBufferSize()) socket.setRecvBufferSize(receiveBufferSize);
}

/**
 * @param {NodeError} error of an established socket
 * @returns {import("../../core/failure.js").TransportFailure}
 */
export function failureOf(error) {
  const { code = null, message } = error;
  return { phase: "established", code, message, cause: error };
}

/**
 * @param {Buffer<ArrayBuffer>} message whose memory nobody else uses, if it fills it
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf({ buffer, byteOffset, length }) {
  if (length === buffer.byteLength) return new Uint8Array(buffer);
  return new Uint8Array(buffer.slice(byteOffset, byteOffset + length));
}

/**
 * @param {DatagramSockets} sockets
 * @returns {(options: SocketOptions, client: DatagramClient) => Transport}
 */
export function connecting(sockets) {
  return (options, client) => new UDPTransport(sockets, options, client);
}
