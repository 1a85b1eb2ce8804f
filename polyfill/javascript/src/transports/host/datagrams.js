import { connectDetails } from "./connection.js";
import { ask, draw, failureFrom, forget } from "./host.js";

/**
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").Message} Message
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 * @typedef {import("./connection.js").Arrival} Arrival
 */

/** After so many datagrams other tasks get their turn, however fast the system takes them. */
const turnSize = 64;

/**
 * A UDP socket, or a flow of a listener.
 * @implements {Transport}
 */
export class Datagrams {
  #client;
  #handle;
  #released = false;

  /** The size of a datagram that the host has been given and has not answered for. */
  #inFlight = 0;

  /** How many were accepted since the writer last waited. */
  #turn = 0;

  /**
   * @param {SocketOptions} options
   * @param {DatagramClient} client
   * @param {Arrival} [arrival] the flow that came in; left out for a socket of its own
   */
  constructor(options, client, arrival = undefined) {
    this.#client = client;
    this.#handle = draw({
      connected: (ends) => client.connected(ends),
      failed: (details) => client.failed(failureFrom(details)),
      datagram: (source, bytes) => client.datagram(bytes, source),
      unreachable: (details) => client.failedSoftly(failureFrom(details), false),
      refused: (details) => this.#lost(details),
      "write-finished": () => this.#writeFinished(),
      released: () => {
        forget(this.#handle);
        client.released();
      },
    });
    if (arrival) ask("take", this.#handle, arrival);
    else ask("connect", this.#handle, connectDetails(options));
  }

  /** @param {Message} message */
  write(message) {
    const addressed = !(message instanceof Uint8Array);
    const data = addressed ? message.data : message;
    const remote = addressed ? { host: message.host, port: message.port } : null;
    this.#inFlight = data.length;
    if (!ask("send-datagram", this.#handle, { remote }, data)) return false;
    this.#client.datagramSent(this.#inFlight);
    return this.#mayGoOn();
  }

  writeFin() {
    queueMicrotask(() => this.#client.finAccepted());
  }

  /** Datagrams that nobody reads are dropped by the client, so that reading never stops. */
  resume() {}

  /** @param {TransportOptions} options */
  configure({ ttl }) {
    if (ttl !== undefined) ask("apply", this.#handle, { ttl });
  }

  /** @param {boolean} needed */
  keepProcess(needed) {
    ask("keep", this.#handle, { needed });
  }

  close() {
    if (this.#released) return;
    this.#released = true;
    ask("release", this.#handle, { reset: false });
  }

  reset() {
    this.close();
  }

  /** @param {any} details */
  #lost(details) {
    this.#client.failedSoftly(failureFrom(details), true);
    this.#client.accepted();
  }

  #writeFinished() {
    this.#client.datagramSent(this.#inFlight);
    this.#client.accepted();
  }

  #mayGoOn() {
    this.#turn += 1;
    if (this.#turn < turnSize) return true;
    this.#turn = 0;
    setTimeout(() => this.#client.accepted(), 0);
    return false;
  }
}
