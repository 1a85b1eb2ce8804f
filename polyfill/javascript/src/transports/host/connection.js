import { ByteStream } from "./byte-stream.js";
import { ask, draw, failureFrom, forget } from "./host.js";

/**
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").TLSInit} TLSInit
 * @typedef {import("../transport.js").TLSDetails} TLSDetails
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").TransportClient} TransportClient
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 * @typedef {import("./host.js").Reactions} Reactions
 * @typedef {{server: number, arrival: number}} Arrival a connection that came in at a server
 */

/**
 * A connection over TCP, with TLS or without.
 * @implements {Transport}
 */
export class Connection extends ByteStream {
  #remote;
  #released = false;

  /** What a handshake agreed on, before the connection is told of. @type {TLSDetails | undefined} */
  #tls;

  /** Fulfils an upgrade. @type {((details: TLSDetails) => void) | null} */
  #secured = null;

  /**
   * @param {SocketOptions} options
   * @param {TransportClient} client
   * @param {Arrival} [arrival] what came in; left out to connect
   * @param {Reactions} [more] reactions to events that other kinds of connections have
   */
  constructor(options, client, arrival = undefined, more = {}) {
    super(
      client,
      draw({
        secured: (details) => this.#handshakeDone(details),
        connected: (ends) => client.connected({ ...ends, tls: this.#tls }),
        failed: (details) => client.failed(failureFrom(details)),
        data: (_, bytes) => this.received(bytes),
        fin: () => client.ended(),
        "write-finished": () => this.writeFinished(),
        released: () => {
          forget(this.handle);
          client.released();
        },
        ...more,
      }),
    );
    this.#remote = options.remote;
    if (arrival) ask("take", this.handle, arrival);
    else ask("connect", this.handle, connectDetails(options));
  }

  /** @param {TransportOptions} options */
  configure({ noDelay, keepAliveDelay, ttl }) {
    ask("apply", this.handle, { noDelay, keepAliveDelay, ttl });
  }

  /**
   * @param {TLSInit} tls
   * @param {Uint8Array} unread
   * @returns {Promise<TLSDetails>}
   */
  secure(tls, unread) {
    ask("secure", this.handle, { tls, remote: this.#remote }, unread);
    this.readOn();
    return new Promise((resolve) => {
      this.#secured = resolve;
    });
  }

  close() {
    this.#release(false);
  }

  reset() {
    this.#release(true);
  }

  /** @param {boolean} reset */
  #release(reset) {
    if (this.#released) return;
    this.#released = true;
    ask("release", this.handle, { reset });
  }

  /** @param {any} details */
  #handshakeDone({ peerCertificates, ...details }) {
    const certificates = peerCertificates.map((/** @type {Uint8Array} */ { buffer }) => buffer);
    this.#tls = { ...details, peerCertificates: Object.freeze(certificates) };
    this.#secured?.(/** @type {TLSDetails} */ (this.#tls));
  }
}

/**
 * @param {SocketOptions} options
 * @returns {object} what the host is told of them
 */
export function connectDetails({ type, remote, local, tls, noDelay, keepAliveDelay, ttl, idleTimeout }) {
  return { type, remote, local, tls, noDelay, keepAliveDelay, ttl, idleTimeout };
}
