/**
 * Sending datagrams, one per write. A write of Direct Sockets fulfils when the system has the datagram. One that fails
 * takes the whole socket with it, so that what is known to fail is not tried.
 */

import { failureOf } from "./failure.js";

/**
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../../core/failure.js").TransportFailure} TransportFailure
 * @typedef {import("../../core/init.js").Remote} Remote
 * @typedef {import("./direct-sockets.js").UDPMessage} UDPMessage
 */

/** The most that fits into a datagram by the length fields of RFC 768 and RFC 791, or RFC 8200. */
const largest = { 4: 65_507, 6: 65_527 };

/**
 * Finds the address of a host, which only opening a socket does: no name, no port and nothing sent by it.
 * @param {Remote} remote
 * @returns {Promise<string>} rejects with the error of Direct Sockets
 */
export async function resolve({ host, port }) {
  if (isAddress(host)) return host;
  const socket = new UDPSocket({ remoteAddress: host, remotePort: port });
  const { remoteAddress } = await socket.opened;
  socket.close().catch(() => {});
  return remoteAddress;
}

/** @param {string} host in canonical spelling */
function isAddress(host) {
  return host.includes(":") || /^[\d.]+$/.test(host);
}

/** The outgoing datagrams of one socket, or one flow. */
export class DatagramSender {
  #writer;
  #client;
  #family;
  #destination;

  /**
   * @param {WritableStreamDefaultWriter<UDPMessage>} writer which those of other flows share
   * @param {DatagramClient} client
   * @param {{family: 4 | 6, destination: Remote | null}} where everything goes, unless the socket or the datagram
   *   itself knows
   */
  constructor(writer, client, { family, destination }) {
    this.#writer = writer;
    this.#client = client;
    this.#family = family;
    this.#destination = destination;
  }

  /**
   * @param {Message} message
   * @returns {boolean} whether it is accepted; if not, the client will be told, and nothing is written before
   */
  write(message) {
    const data = /** @type {Uint8Array<ArrayBuffer>} */ (message instanceof Uint8Array ? message : message.data);
    const to = message instanceof Uint8Array ? this.#destination : message;
    const refused = refusal(data.length, largest[this.#family]);
    if (refused) {
      this.#client.failedSoftly(refused, true);
      return true;
    }
    this.#send(data, to);
    return false;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} data
   * @param {Remote | null} to
   */
  async #send(data, to) {
    try {
      const address = to && { remoteAddress: await resolve(to), remotePort: to.port };
      await this.#writer.write({ data, ...address });
      this.#client.datagramSent(data.length);
    } catch (error) {
      this.#client.failedSoftly(failureOf("established", error), true);
    }
    this.#client.accepted();
  }
}

/**
 * @param {number} size
 * @param {number} most
 * @returns {TransportFailure | null} what a datagram of this size fails with
 */
function refusal(size, most) {
  if (size > 0 && size <= most) return null;
  const message =
    size === 0 ? "Direct Sockets has no empty datagrams" : `send EMSGSIZE: ${size} bytes do not fit into a datagram`;
  return { phase: "established", code: size === 0 ? null : "EMSGSIZE", message, cause: undefined };
}
