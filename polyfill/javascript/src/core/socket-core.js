/**
 * What a socket is, without its interface and without I/O: slots and algorithms. The algorithms have the names of the
 * specification: connected, received, ended, fail, abort.
 */

import { SocketEndpoint } from "../socket-endpoint.js";
import { SocketErrorEvent } from "../socket-error-event.js";
import { SocketTLSInfo } from "../socket-tls-info.js";
import { ReadSide } from "../streams/readable.js";
import { WriteSide } from "../streams/writable.js";
import { dispatch } from "../webidl/event-handlers.js";
import { grant } from "../webidl/interface.js";
import { Deferred } from "./deferred.js";
import { abortError, failureOf, timeoutError } from "./failure.js";
import { follow, unfollow } from "./follow-signal.js";
import { Lifecycle } from "./lifecycle.js";
import { Deadline } from "./timers.js";

/**
 * @typedef {import("./init.js").SocketOptions} SocketOptions
 * @typedef {import("./failure.js").TransportFailure} TransportFailure
 * @typedef {import("../transports/transport.js").Platform} Platform
 * @typedef {import("../transports/transport.js").Transport} Transport
 * @typedef {import("../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("../socket-tls-info.js").TLSDetails} TLSDetails
 *
 * @typedef {"user" | "local" | "peer"} Origin
 *   who ended it: the user on purpose; a timer or a bad chunk; the other end or the network
 *
 * @typedef {import("../transports/transport.js").TransportClient} TransportClient
 *
 * @typedef {Pick<ReadSide, "cancelled" | "limit" | "room" | "fail" | "cancel"> & {stream: ReadableStream}} AnyReadSide
 *   what every kind of read side has
 *
 * @typedef {object} Incoming what a connection that came from outside is made of
 * @property {Platform["connect"]} connect
 * @property {(core: SocketCore) => void} opened called when its handshakes are done and it is for the user to see
 */

/** @implements {TransportClient} */
export class SocketCore {
  /** The event target that scripts see. */
  #target;

  #platform;

  /** @type {Transport | null} */
  transport = null;

  #ready = /** @type {Deferred<undefined>} */ (new Deferred()).markAsHandled();
  #closed = /** @type {Deferred<undefined>} */ (new Deferred()).markAsHandled();
  #released = /** @type {Deferred<undefined>} */ (new Deferred());

  /** The controller of `signal`, made on first use. @type {AbortController | null} */
  #controller = null;

  /** Aborts the socket with the reason of `init.signal`. */
  #followSignal = () => this.fail(this.options.signal?.reason, "user", "signal-aborts");

  #readyDeadline = new Deadline((limit) => this.fail(timeoutError("readyTimeout", limit), "local", "ready-timeout"));
  #idleDeadline = new Deadline((limit) => this.idle(limit));

  /** What only a quic transport has. @type {import("../quic-session.js").QuicSession | null} */
  quic = null;

  /** The one object of the one failure, once the state is "errored". */
  failure = /** @type {unknown} */ (undefined);

  /** What the socket is made of where it came from outside. @type {Incoming | null} */
  incoming;

  /**
   * @param {EventTarget} target
   * @param {SocketOptions} options
   * @param {Platform} platform
   * @param {Incoming | null} [incoming] null for a socket that connects by itself
   */
  constructor(target, options, platform, incoming = null) {
    this.#target = target;
    this.#platform = platform;
    this.incoming = incoming;
    this.options = options;
    this.lifecycle = new Lifecycle(options.type);
    /** @type {import("../socket-info.js").Details} */
    this.info = { type: options.type, remote: null, local: null, tls: null };
    /** @type {import("../socket-stats.js").Counters} */
    this.stats = {
      bytesSent: 0,
      bytesReceived: 0,
      packetsSent: null,
      packetsReceived: null,
      packetsDropped: null,
      createdAt: performance.now(),
      readyAt: null,
      closedAt: null,
    };
    this.readSide = this.makeReadSide(options);
    this.writeSide = this.makeWriteSide(options, {
      send: (message) => /** @type {Transport} */ (this.transport).write(message),
      sendFin: () => this.transport?.writeFin(),
      badChunk: (error) => this.fail(error, "local", "bad-chunk"),
      aborted: (reason) => this.writableAborted(reason),
      streams: platform,
    });
  }

  /**
   * @protected
   * @param {SocketOptions} options
   * @returns {AnyReadSide}
   */
  makeReadSide({ receiveBufferSize }) {
    const observer = {
      finDelivered: () => this.#finDelivered(),
      cancelled: (/** @type {boolean} */ finWaits) => this.cancelled(finWaits),
      roomMade: () => this.transport?.resume(),
    };
    return new ReadSide(receiveBufferSize, observer, this.#platform.chunkSize);
  }

  /**
   * @protected
   * @param {SocketOptions} options
   * @param {import("../streams/writable.js").WriteObserver} observer
   */
  makeWriteSide({ sendBufferSize }, observer) {
    return new WriteSide(sendBufferSize, observer);
  }

  /** Begins to connect. Whatever comes of it comes later, except for a signal that is aborted already. */
  start() {
    const { signal, readyTimeout } = this.options;
    if (signal?.aborted) return this.#followSignal();
    if (signal) follow(signal, this.#followSignal);
    this.#readyDeadline.start(readyTimeout, this.stats.createdAt);
    const { connect } = this.incoming ?? this.#platform;
    this.transport = connect(this.options, this);
  }

  get ready() {
    return this.#ready.promise;
  }

  get closed() {
    return this.#closed.promise;
  }

  get signal() {
    this.#controller ??= new AbortController();
    if (this.lifecycle.state === "errored") this.#controller.abort(this.failure);
    return this.#controller.signal;
  }

  // What the transport reports.

  /** @param {{remote: Endpoint | null, local: Endpoint | null, tls?: TLSDetails}} details */
  connected({ remote, local, tls }) {
    if (this.lifecycle.terminal) return;
    this.#readyDeadline.stop();
    this.info.remote = remote && new SocketEndpoint(grant(remote));
    this.info.local = local && new SocketEndpoint(grant(local));
    if (tls) this.info.tls = new SocketTLSInfo(grant(tls));
    this.stats.readyAt = performance.now();
    this.lifecycle.advance("connected");
    this.#ready.resolve(undefined);
    // "Its socket is past ready" when a script gets to see it.
    if (!this.incoming) this.queueEvent(() => new Event("ready"));
    this.transport?.configure(this.options);
    this.#idleDeadline.start(this.options.idleTimeout);
    this.writeSide.connected();
    this.incoming?.opened(this);
  }

  get room() {
    return this.lifecycle.terminal ? Number.POSITIVE_INFINITY : this.readSide.room;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {boolean} owned
   */
  received(bytes, owned) {
    if (this.lifecycle.terminal) return false;
    this.stats.bytesReceived += bytes.length;
    this.busy();
    return /** @type {ReadSide} */ (this.readSide).receive(bytes, owned);
  }

  ended() {
    if (!this.lifecycle.terminal) /** @type {ReadSide} */ (this.readSide).end();
  }

  /** @param {number} count */
  sent(count) {
    if (this.lifecycle.terminal) return;
    this.stats.bytesSent += count;
    this.busy();
  }

  /** Something was sent or received. */
  busy() {
    if (this.#idleDeadline.running) this.#idleDeadline.restart();
  }

  accepted() {
    if (!this.lifecycle.terminal) this.writeSide.accepted();
  }

  finAccepted() {
    if (this.lifecycle.terminal) return;
    this.writeSide.finAccepted();
    const { state } = this.lifecycle;
    this.advance(state === "open" && this.readSide.cancelled ? "writer-close-after-cancel" : "writer-close");
  }

  /** @param {TransportFailure} failure */
  failed(failure) {
    if (this.lifecycle.terminal) return;
    const upgrading = failure.phase === "tls-handshake";
    const event = this.lifecycle.state === "connecting" ? "connect-fails" : upgrading ? "starttls-fails" : "peer-reset";
    this.fail(failureOf(failure), "peer", event);
  }

  released() {
    this.#released.resolve(undefined);
  }

  // What the read side reports.

  #finDelivered() {
    const { allowHalfOpen } = this.options;
    this.queueEvent(() => new Event("end"));
    if (this.lifecycle.state !== "open") return this.advance("peer-fin");
    if (this.readSide.cancelled) this.advance("peer-fin-after-cancel");
    else this.advance(allowHalfOpen ? "peer-fin" : "peer-fin-no-half-open");
    if (!allowHalfOpen) this.writeSide.end();
  }

  /**
   * @protected
   * @param {boolean} finWaits
   */
  cancelled(finWaits) {
    if (finWaits) this.queueEvent(() => new Event("end"));
    this.advance(finWaits ? "cancel-after-fin" : "cancel");
    if (finWaits && !this.options.allowHalfOpen) this.writeSide.end();
    this.transport?.resume();
  }

  // Ends.

  /**
   * @protected
   * @param {string} event one that does not fail the socket
   */
  advance(event) {
    if (this.lifecycle.advance(event) !== "closed") return;
    this.#becomeTerminal();
    this.#closed.resolve(undefined);
    this.transport?.close();
    this.queueEvent(() => new Event("close"));
  }

  /**
   * @protected
   * @param {unknown} reason
   */
  writableAborted(reason) {
    // Streams abort with undefined where no reason is given. Some platforms' signals for it do so, too.
    this.fail(reason === undefined ? abortError() : reason, "user", "writable-abort");
  }

  /**
   * @protected
   * @param {number} limit ms; so long nothing has been sent or received
   */
  idle(limit) {
    this.fail(timeoutError("idleTimeout", limit), "local", "idle-timeout");
  }

  /**
   * @param {unknown} reason
   * @param {Origin} origin
   * @param {string} event the event of the lifecycle table
   */
  fail(reason, origin, event) {
    if (this.lifecycle.terminal) return;
    this.lifecycle.advance(event);
    this.failure = reason;
    this.#becomeTerminal();
    this.#ready.reject(reason);
    this.#closed.reject(reason);
    this.writeSide.fail(reason);
    this.readSide.fail(reason, origin === "peer");
    this.#controller?.abort(reason);
    if (!this.transport) this.released();
    else if (origin === "peer") this.transport.close();
    else this.transport.reset();
    if (origin !== "user") this.queueEvent(() => new SocketErrorEvent("error", { error: reason, fatal: true }));
    this.queueEvent(() => new Event("close"));
  }

  #becomeTerminal() {
    this.stats.closedAt = performance.now();
    this.#readyDeadline.stop();
    this.#idleDeadline.stop();
    if (this.options.signal) unfollow(this.options.signal, this.#followSignal);
  }

  /**
   * @param {unknown} reason
   * @returns {Promise<undefined>} fulfils when the platform's resources are free, and never rejects
   */
  abort(reason) {
    if (this.lifecycle.state === "closed") this.transport?.close();
    else this.fail(reason === undefined ? abortError() : reason, "user", "abort");
    return this.#released.promise;
  }

  /**
   * `[Symbol.asyncDispose]()`
   * @returns {Promise<undefined>} `closed`, unless there is nothing to wait for
   */
  dispose() {
    const { state, terminal } = this.lifecycle;
    if (terminal) return Promise.resolve(undefined);
    if (state === "connecting") {
      this.fail(abortError(), "user", "dispose");
      return this.#released.promise;
    }
    this.lifecycle.advance("dispose");
    this.readSide.cancel();
    this.writeSide.end();
    return this.closed;
  }

  /**
   * Puts changes into effect that update() has checked.
   * @param {import("./init.js").Changes} changes
   */
  apply(changes) {
    Object.assign(this.options, changes);
    const { sendBufferSize, receiveBufferSize, readyTimeout, idleTimeout } = changes;
    if (sendBufferSize !== undefined) this.writeSide.setHighWaterMark(sendBufferSize);
    if (receiveBufferSize !== undefined) this.readSide.limit = receiveBufferSize;
    if (this.lifecycle.state === "connecting") {
      if (readyTimeout !== undefined) this.#readyDeadline.start(readyTimeout, this.stats.createdAt);
      return;
    }
    if (idleTimeout !== undefined) this.#idleDeadline.start(idleTimeout);
    this.transport?.configure(this.options);
    this.transport?.resume();
  }

  /**
   * Holds both directions for an upgrade.
   * @returns {Promise<void>} fulfils when the writes that were issued before are accepted
   */
  hold() {
    /** @type {ReadSide} */ (this.readSide).hold();
    return this.writeSide.hold();
  }

  release() {
    /** @type {ReadSide} */ (this.readSide).release();
    this.writeSide.release();
  }

  /**
   * Upgrades the connection. Writes issued before are accepted, and both directions are held.
   * @param {import("./init.js").Changes} changes with type "tls"
   */
  async secure({ tls = {}, ...changes }) {
    const members = { ...this.options.tls, ...tls };
    // "Bytes that were received and not read at the call of update() are handed to TLS."
    const unread = /** @type {ReadSide} */ (this.readSide).takeUnread();
    const details = await /** @type {Required<Transport>} */ (this.transport).secure(members, unread);
    this.lifecycle.advance("starttls");
    this.lifecycle.become("tls");
    this.info.type = "tls";
    this.info.tls = new SocketTLSInfo(grant(details));
    this.apply({ ...changes, tls: members });
  }

  /**
   * @protected
   * @param {() => Event} make makes the event, in its task
   */
  queueEvent(make) {
    this.#platform.queueTask(() => dispatch(this.#target, make()));
  }
}
