import { ask, draw, failureFrom, forget } from "./host.js";

/**
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").TLSInit} TLSInit
 * @typedef {import("../transport.js").TLSDetails} TLSDetails
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").TransportClient} TransportClient
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 * @typedef {{server: number, arrival: number}} Arrival a connection that came in at a server
 */

/** What is given to the host at once, so that a slow connection shows progress. */
const sliceSize = 256 * 1024;

/** After so many bytes other tasks get their turn, however fast the system takes them. */
const turnSize = 4 * 1024 * 1024;

/**
 * A connection over TCP, with TLS or without.
 * @implements {Transport}
 */
export class Connection {
  #client;
  #handle;
  #paused = false;
  #released = false;

  /** What of the chunk that is being written the host was not given yet. */
  #rest = /** @type {Uint8Array} */ (new Uint8Array());

  /** How many bytes of it the host was given and has not got rid of. */
  #inFlight = 0;

  /** How many bytes were accepted since the writer last waited. */
  #turn = 0;

  /** What a handshake agreed on, before the connection is told of. @type {TLSDetails | undefined} */
  #tls;

  /** Fulfils an upgrade. @type {((details: TLSDetails) => void) | null} */
  #secured = null;

  /**
   * @param {SocketOptions} options
   * @param {TransportClient} client
   * @param {Arrival} [arrival] what came in; left out to connect
   */
  constructor(options, client, arrival = undefined) {
    this.#client = client;
    this.#handle = draw({
      secured: (details) => this.#handshakeDone(details),
      connected: (ends) => client.connected({ ...ends, tls: this.#tls }),
      failed: (details) => client.failed(failureFrom(details)),
      data: (_, bytes) => this.#received(bytes),
      fin: () => client.ended(),
      "write-finished": () => this.#writeFinished(),
      released: () => {
        forget(this.#handle);
        client.released();
      },
    });
    this.options = options;
    if (arrival) ask("take", this.#handle, arrival);
    else ask("connect", this.#handle, connectDetails(options));
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    this.#rest = bytes;
    return this.#pump() && this.#mayGoOn();
  }

  writeFin() {
    if (ask("send-fin", this.#handle)) queueMicrotask(() => this.#client.finAccepted());
  }

  resume() {
    if (!this.#paused || this.#client.room === 0) return;
    this.#paused = false;
    ask("resume", this.#handle);
  }

  /** @param {TransportOptions} options */
  configure({ noDelay, keepAliveDelay, ttl }) {
    ask("apply", this.#handle, { noDelay, keepAliveDelay, ttl });
  }

  /**
   * @param {TLSInit} tls
   * @param {Uint8Array} unread
   * @returns {Promise<TLSDetails>}
   */
  secure(tls, unread) {
    const { remote } = this.options;
    ask("secure", this.#handle, { tls, remote }, unread);
    this.#paused = false;
    ask("resume", this.#handle);
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
    ask("release", this.#handle, { reset });
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  #received(bytes) {
    this.#client.received(bytes, true);
    if (this.#paused || this.#client.room > 0) return;
    this.#paused = true;
    ask("pause", this.#handle);
  }

  /** @param {any} details */
  #handshakeDone({ peerCertificates, ...details }) {
    const certificates = peerCertificates.map((/** @type {Uint8Array} */ { buffer }) => buffer);
    this.#tls = { ...details, peerCertificates: Object.freeze(certificates) };
    this.#secured?.(/** @type {TLSDetails} */ (this.#tls));
  }

  /** @returns {boolean} whether everything there was has been taken */
  #pump() {
    while (this.#rest.length > 0) {
      const slice = this.#rest.subarray(0, sliceSize);
      this.#rest = this.#rest.subarray(slice.length);
      this.#inFlight = slice.length;
      if (!ask("send", this.#handle, undefined, slice)) return false;
      this.#sent();
    }
    return true;
  }

  #sent() {
    const count = this.#inFlight;
    this.#inFlight = 0;
    this.#turn += count;
    this.#client.sent(count);
  }

  #writeFinished() {
    this.#sent();
    if (this.#pump()) this.#client.accepted();
  }

  /** A loop of writes that the system takes at once runs in microtasks alone. Now and then it has to wait. */
  #mayGoOn() {
    if (this.#turn < turnSize) return true;
    this.#turn = 0;
    setTimeout(() => this.#client.accepted(), 0);
    return false;
  }
}

/**
 * @param {SocketOptions} options
 * @returns {object} what the host is told of them
 */
export function connectDetails({ type, remote, local, tls, noDelay, keepAliveDelay, ttl }) {
  return { type, remote, local, tls, noDelay, keepAliveDelay, ttl };
}
