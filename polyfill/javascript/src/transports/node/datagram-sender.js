/**
 * Sending datagrams, one per write, and when they count as accepted.
 *
 * Node tries to send at once, and tells of the outcome a tick later, even of one that it knows. To wait for that would
 * cost every write. So a datagram that does not stay in Node's queue counts as accepted; in the rare case that it was
 * refused instead, the count is put right when Node says so.
 */

import { isIP } from "node:net";

/**
 * @typedef {import("node:dgram").Socket} Socket
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../../core/failure.js").TransportFailure} TransportFailure
 */

/** The most that fits into a datagram by the length fields of RFC 768 and RFC 791, or RFC 8200. */
const largest = { 4: 65_507, 6: 65_527 };

/** After so many datagrams the event loop gets its turn, however fast the kernel takes them. */
const turnSize = 64;

/** The outgoing datagrams of one socket, or one flow. */
export class DatagramSender {
  #socket;
  #client;
  #family;

  /** Where everything goes, unless the socket or the datagram itself knows. */
  #destination;

  /** How many were accepted since the writer last waited for the event loop. */
  #turn = 0;

  /**
   * @param {Socket} socket
   * @param {DatagramClient} client
   * @param {4 | 6} family
   * @param {{host: string, port: number} | null} [destination]
   */
  constructor(socket, client, family, destination = null) {
    this.#socket = socket;
    this.#client = client;
    this.#family = family;
    this.#destination = destination;
  }

  /**
   * @param {Message} message
   * @returns {boolean} whether it is accepted; if not, the client will be told, and nothing is written before
   */
  write(message) {
    const data = message instanceof Uint8Array ? message : message.data;
    const to = message instanceof Uint8Array ? this.#destination : message;
    const size = data.length;
    if (size > largest[this.#family]) {
      this.#client.failedSoftly(tooLarge(size), true);
      return true;
    }
    /** @type {"unknown" | "waited for" | "accepted"} */
    let state = "unknown";
    const done = (/** @type {NodeJS.ErrnoException | null} */ error) => {
      if (error) this.#lost(error, size, state === "accepted");
      else if (state !== "accepted") this.#client.datagramSent(size);
      if (state === "waited for") this.#client.accepted();
    };
    if (to) this.#socket.send(data, to.port, to.host, done);
    else this.#socket.send(data, done);
    // A name has to be looked up first.
    const tried = to !== message || isIP(to.host) !== 0;
    if (tried && this.#socket.getSendQueueCount() === 0) {
      state = "accepted";
      this.#client.datagramSent(size);
      return this.#mayGoOn();
    }
    state = "waited for";
    return false;
  }

  /**
   * @param {NodeJS.ErrnoException} error
   * @param {number} size
   * @param {boolean} counted whether it has been counted as sent
   */
  #lost(error, size, counted) {
    const { code = null, message } = error;
    if (counted) this.#client.datagramUnsent(size);
    this.#client.failedSoftly({ phase: "established", code, message, cause: error }, true);
  }

  /** @returns {boolean} */
  #mayGoOn() {
    this.#turn += 1;
    if (this.#turn < turnSize) return true;
    this.#turn = 0;
    setImmediate(() => this.#client.accepted());
    return false;
  }
}

/**
 * @param {number} size
 * @returns {TransportFailure}
 */
function tooLarge(size) {
  const message = `send EMSGSIZE: ${size} bytes do not fit into a datagram`;
  return { phase: "established", code: "EMSGSIZE", message, cause: undefined };
}
