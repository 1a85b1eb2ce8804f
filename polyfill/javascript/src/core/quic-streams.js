/** All streams of a QUIC connection but the primary one, and its datagrams: what is behind `socket.quic`. */

import { QuicSession } from "../quic-session.js";
import { grant } from "../webidl/interface.js";
import { Deferred } from "./deferred.js";
import { invalidState } from "./failure.js";
import { IncomingStreams } from "./incoming-streams.js";
import { QuicDatagrams } from "./quic-datagrams.js";
import { QuicStreamCore } from "./quic-stream-core.js";

/**
 * @typedef {import("./quic-core.js").QuicCore} QuicCore
 * @typedef {import("../quic-session.js").Session} Session
 * @typedef {import("../quic-stream.js").QuicStream} QuicStream
 * @typedef {import("../transports/transport.js").Platform} Platform
 * @typedef {import("../transports/transport.js").QuicTransport} QuicTransport
 * @typedef {import("../transports/transport.js").StreamConnect} StreamConnect
 *
 * @typedef {object} Ending how the connection ends
 * @property {boolean} failed
 * @property {unknown} [reason] where it failed
 * @property {boolean} drop whether what is unread is lost
 *
 * @typedef {{unidirectional: boolean, deferred: Deferred<any>}} Wish a stream that a script has asked for
 */

/** @implements {Session} */
export class QuicStreams {
  #owner;
  #platform;

  /** @type {Set<QuicStreamCore>} */
  #open = new Set();

  /** @type {Set<Wish>} */
  #wishes = new Set();

  #connected = false;

  /** Why no stream begins any more. @type {{reason: unknown} | null} */
  #over = null;

  #datagrams;

  #bidirectional = new IncomingStreams((change) => this.#owner.connection?.claim?.(false, change));
  #unidirectional = new IncomingStreams((change) => this.#owner.connection?.claim?.(true, change));

  /**
   * @param {QuicCore} owner
   * @param {Platform} platform
   */
  constructor(owner, platform) {
    this.#owner = owner;
    this.#platform = platform;
    this.#datagrams = new QuicDatagrams(owner, platform);
    this.session = new QuicSession(grant(this));
  }

  // What scripts ask for.

  /** @returns {Promise<QuicStream>} */
  createBidirectionalStream() {
    return this.#create(false);
  }

  /** @returns {Promise<WritableStream>} */
  createUnidirectionalStream() {
    return this.#create(true);
  }

  get incomingBidirectionalStreams() {
    return this.#bidirectional.stream;
  }

  get incomingUnidirectionalStreams() {
    return this.#unidirectional.stream;
  }

  get datagrams() {
    return this.#datagrams.stream;
  }

  get maxDatagramSize() {
    return this.#connected ? (this.#owner.connection?.maxDatagramSize ?? 0) : 0;
  }

  /** @param {boolean} unidirectional */
  #create(unidirectional) {
    if (this.#over) return Promise.reject(this.#over.reason);
    const wish = { unidirectional, deferred: new Deferred() };
    this.#wishes.add(wish);
    if (this.#connected) this.#ask(wish);
    return wish.deferred.promise;
  }

  /** @param {Wish} wish */
  #ask(wish) {
    const { unidirectional, deferred } = wish;
    /** @type {QuicTransport} */ (this.#owner.connection).openStream(unidirectional, (connect) => {
      const stream = this.#add({ connect, readable: !unidirectional, writable: true });
      if (this.#wishes.delete(wish)) deferred.resolve(stream.face());
      else stream.refuse();
    });
  }

  // What the socket tells.

  /** How many streams are not finished. */
  get unfinished() {
    return this.#open.size;
  }

  /** Whether nothing is missing of any stream, though perhaps not everything is read. */
  get complete() {
    return [...this.#open].every((stream) => stream.complete);
  }

  /** Does what was asked for before there was a connection. */
  connected() {
    this.#connected = true;
    this.#datagrams.connected();
    for (const wish of this.#wishes) this.#ask(wish);
  }

  /**
   * Takes a stream that the peer has opened.
   * @param {boolean} unidirectional
   * @param {StreamConnect} connect
   */
  opened(unidirectional, connect) {
    const stream = this.#add({ connect, readable: true, writable: !unidirectional });
    if (this.#over) stream.refuse();
    else if (unidirectional) this.#unidirectional.add(stream);
    else this.#bidirectional.add(stream);
  }

  /** @param {Uint8Array<ArrayBuffer>} data with its memory */
  datagram(data) {
    this.#datagrams.received(data);
  }

  datagramsAccepted() {
    this.#datagrams.accepted();
  }

  /** Ends all streams gracefully. */
  close() {
    this.#refuseWishes(closed());
    for (const stream of [...this.#open]) stream.close();
  }

  /** @param {Ending} ending */
  end({ failed, reason = closed(), drop }) {
    this.#refuseWishes(reason);
    for (const stream of this.#open) stream.fail(reason, drop);
    this.#open.clear();
    const failure = failed ? { reason } : null;
    this.#bidirectional.end(failure, drop);
    this.#unidirectional.end(failure, drop);
    this.#datagrams.end(failure, drop);
  }

  /** @param {import("./init.js").Changes} changes of the socket's options */
  apply(changes) {
    for (const stream of this.#open) stream.apply(changes);
    this.#datagrams.apply(changes);
  }

  /** @param {{connect: StreamConnect, readable: boolean, writable: boolean}} given */
  #add(given) {
    const stream = new QuicStreamCore(this.#owner, this.#platform, given, (finished) => {
      this.#open.delete(finished);
      this.#owner.streamFinished();
    });
    this.#open.add(stream);
    return stream;
  }

  /** @param {unknown} reason */
  #refuseWishes(reason) {
    this.#over = { reason };
    for (const { deferred } of this.#wishes) deferred.reject(reason);
    this.#wishes.clear();
  }
}

/** @returns {DOMException} */
function closed() {
  return invalidState("The socket is closed");
}
