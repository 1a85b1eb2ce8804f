/** A UDP socket at the far end of a WebSocket with the subprotocol "commonsocket.v1": a binary message is a datagram. */

import { Departure } from "./departure.js";
import { decodeDatagram, encode, encodeDatagram, failureIn } from "./messages.js";

/**
 * @typedef {import("./tunnel-transport.js").Carrier} Carrier
 * @typedef {import("./tunnel-transport.js").Link} Link
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 */

/** The most that fits into a datagram by the length fields of RFC 768 and RFC 791, or RFC 8200. */
const largest = { 4: 65_507, 6: 65_527 };

/** @implements {Carrier} */
export class DatagramCarrier {
  #link;
  #client;
  #departure;

  /** Where datagrams come from and go to, for a socket that is connected. @type {Endpoint | null} */
  #remote = null;

  #largest = largest[4];
  #ttl;
  #begun = false;

  /**
   * @param {Link} link
   * @param {DatagramClient} client
   * @param {SocketOptions} options
   * @param {Promise<Record<string, unknown>>} init
   */
  constructor(link, client, options, init) {
    this.#link = link;
    this.#client = client;
    this.#ttl = options.ttl;
    this.#departure = new Departure(link, () => client.accepted());
    init.then((members) => {
      this.#begun = true;
      link.send(encode("connect", { init: members, credit: 0 }));
    });
  }

  /** @param {import("./messages.js").Control} message */
  control(message) {
    this.#handlers[message.type]?.(message);
  }

  /** @param {Uint8Array<ArrayBuffer>} message */
  data(message) {
    if (this.#remote) return this.#client.datagram(message, this.#remote);
    const { data, source } = decodeDatagram(message);
    this.#client.datagram(data, source);
  }

  /** @type {import("./messages.js").Handlers} */
  #handlers = {
    connected: ({ remote, local }) => {
      this.#remote = remote;
      this.#largest = local.address.includes(":") ? largest[6] : largest[4];
      this.#client.connected({ remote, local });
    },
    refused: (message) => {
      this.#client.datagramUnsent(message.bytes);
      this.#client.failedSoftly(failureIn(message), true);
    },
    unreachable: (message) => this.#client.failedSoftly(failureIn(message), false),
    failed: (message) => this.#link.fail(failureIn(message)),
  };

  lost() {
    this.#departure.stop();
    const message = "The connection to the tunnel was lost";
    this.#link.fail({ phase: "established", code: "ECONNABORTED", message, cause: undefined });
  }

  /** @param {Message} message */
  write(message) {
    const addressed = !(message instanceof Uint8Array);
    const data = addressed ? message.data : message;
    if (data.length > this.#largest) {
      const words = `send EMSGSIZE: ${data.length} bytes do not fit into a datagram`;
      this.#client.failedSoftly({ phase: "established", code: "EMSGSIZE", message: words, cause: undefined }, true);
      return true;
    }
    const bytes = addressed ? encodeDatagram(data, message.host, message.port) : data;
    this.#link.send(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    this.#client.datagramSent(data.length);
    return this.#departure.isPrompt();
  }

  writeFin() {
    this.#client.finAccepted();
  }

  /** Datagrams that nobody reads are dropped by the client. */
  resume() {}

  /** @param {TransportOptions} options */
  configure({ ttl }) {
    if (ttl === this.#ttl) return;
    this.#ttl = ttl;
    this.#link.send(encode("configure", { options: { ttl } }));
  }

  close() {
    this.#departure.stop();
    if (this.#begun) this.#link.send(encode("close"));
    return this.#begun;
  }

  reset() {
    return this.close();
  }
}
