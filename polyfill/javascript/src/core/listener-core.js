/**
 * What a listener is, without its interface and without I/O: it makes sockets of the connections that a server of the
 * platform brings, and hands them to listeners of the connect event and to whoever iterates.
 */

import { ConnectEvent } from "../connect-event.js";
import { acceptSocket, coreOf } from "../socket.js";
import { SocketEndpoint } from "../socket-endpoint.js";
import { grant } from "../webidl/interface.js";
import { Deferred } from "./deferred.js";
import { failureOf } from "./failure.js";
import { follow, unfollow } from "./follow-signal.js";

/**
 * @typedef {import("./connect-dispatch.js").Audience} Audience
 * @typedef {import("./failure.js").TransportFailure} TransportFailure
 * @typedef {import("./listener-init.js").ListenerOptions} ListenerOptions
 * @typedef {import("./socket-core.js").SocketCore} SocketCore
 * @typedef {import("../socket.js").Socket} Socket
 * @typedef {import("../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("../transports/transport.js").Platform} Platform
 * @typedef {import("../transports/transport.js").Server} Server
 * @typedef {import("../transports/transport.js").ServerClient} ServerClient
 *
 * @typedef {object} Waiting a socket that nobody has taken out of the iteration
 * @property {Socket} socket
 * @property {boolean} attended whether a listener of the connect event has got it
 */

/** How many sockets wait for whoever iterates, unless `backlog` says so. */
const defaultBacklog = 511;

/** @implements {ServerClient} */
export class ListenerCore {
  /** @type {"binding" | "listening" | "closing" | "closed" | "failed"} */
  #state = "binding";

  #audience;

  #options;
  #platform;

  /** @type {Server | null} */
  #server = null;

  #ready = /** @type {Deferred<undefined>} */ (new Deferred()).markAsHandled();
  #closed = /** @type {Deferred<undefined>} */ (new Deferred()).markAsHandled();
  #released = /** @type {Deferred<undefined>} */ (new Deferred());

  /** Aborts the listener with the reason of its signal. */
  #followSignal = () => this.#fail(this.#options.signal?.reason);

  #failure = /** @type {unknown} */ (undefined);

  /** Whether somebody iterates, who gets the sockets from then on. */
  #iterated = false;

  /** @type {Waiting[]} */
  #waiting = [];

  /** Who waits for the next socket. @type {Deferred<IteratorResult<Socket, undefined>>[]} */
  #takers = [];

  /**
   * @param {Audience} audience
   * @param {ListenerOptions} options
   * @param {Platform} platform
   */
  constructor(audience, options, platform) {
    this.#audience = audience;
    this.#options = options;
    this.#platform = platform;
    /** @type {import("../socket-info.js").Details} */
    this.info = { type: options.type, remote: null, local: null, tls: null };
  }

  /** Begins to listen. Whatever comes of it comes later, except for a signal that is aborted already. */
  start() {
    const { signal } = this.#options;
    if (signal?.aborted) return this.#followSignal();
    if (signal) follow(signal, this.#followSignal);
    this.#server = this.#platform.listen(this.#options, this);
  }

  get ready() {
    return this.#ready.promise;
  }

  get closed() {
    return this.#closed.promise;
  }

  /** @returns {Promise<undefined>} fulfils when the port is free, and never rejects */
  close() {
    if (this.#state === "binding") this.#state = "closing";
    else if (this.#state === "listening") this.#stop("closing");
    return this.#released.promise;
  }

  /** @returns {Promise<IteratorResult<Socket, undefined>>} the next socket that comes in */
  async next() {
    const waiting = this.#waiting.shift();
    if (waiting) return { value: waiting.socket, done: false };
    if (this.#state === "failed") throw this.#failure;
    if (this.#state !== "binding" && this.#state !== "listening") return { value: undefined, done: true };
    const taker = /** @type {Deferred<IteratorResult<Socket, undefined>>} */ (new Deferred());
    this.#takers.push(taker);
    return taker.promise;
  }

  /** Whoever calls this wants to have the sockets. */
  iterate() {
    this.#iterated = true;
  }

  /** The iteration was left: "break closes". */
  leave() {
    this.#dropWaiting();
    return this.close();
  }

  // What the server reports.

  /** @param {{local: Endpoint}} details */
  listening({ local }) {
    this.info.local = new SocketEndpoint(grant(local));
    const closing = this.#state === "closing";
    if (this.#state === "failed") return;
    this.#state = "listening";
    this.#ready.resolve(undefined);
    if (closing) this.#stop("closing");
  }

  /** @param {TransportFailure} failure */
  failed(failure) {
    this.#fail(failureOf(failure));
  }

  get wanted() {
    if (this.#state !== "listening") return false;
    return this.#audience.present || this.#hasPlace;
  }

  /** @param {Platform["connect"]} connect */
  incoming(connect) {
    // Each socket has options of its own, which it may update.
    const options = { ...this.#options.accept };
    const socket = acceptSocket(options, { connect, opened: (core) => this.#opened(socket, core) });
  }

  released() {
    if (this.#state === "closing") this.#state = "closed";
    this.#closed.resolve(undefined);
    this.#released.resolve(undefined);
  }

  // What becomes of a connection.

  /**
   * @param {Socket} socket
   * @param {SocketCore} core
   */
  #opened(socket, core) {
    // Nobody may be left who wanted it, now that its handshakes are done.
    if (!this.wanted) return core.abort(undefined);
    const attended = this.#audience.present;
    const exception = attended && this.#audience.dispatch(new ConnectEvent("connect", { socket }));
    if (exception) core.abort(exception.reason);
    if (!core.lifecycle.terminal && this.#hasPlace) this.#give({ socket, attended });
  }

  /** Whether the iteration takes one more socket. */
  get #hasPlace() {
    return this.#iterated && this.#waiting.length < Math.max(1, this.#options.backlog ?? defaultBacklog);
  }

  /** @param {Waiting} waiting */
  #give(waiting) {
    const taker = this.#takers.shift();
    if (taker) taker.resolve({ value: waiting.socket, done: false });
    else this.#waiting.push(waiting);
  }

  // Ends.

  /** @param {unknown} reason */
  #fail(reason) {
    if (this.#state === "closed" || this.#state === "failed") return;
    this.#failure = reason;
    this.#ready.reject(reason);
    this.#closed.reject(reason);
    this.#stop("failed");
    this.#dropWaiting();
  }

  /** @param {"closing" | "failed"} state the new one */
  #stop(state) {
    this.#state = state;
    const { signal } = this.#options;
    if (signal) unfollow(signal, this.#followSignal);
    for (const taker of this.#takers.splice(0)) {
      if (state === "failed") taker.reject(this.#failure);
      else taker.resolve({ value: undefined, done: true });
    }
    if (this.#server) this.#server.close();
    else this.released();
  }

  /** An open connection that nobody attends to would stay open. */
  #dropWaiting() {
    for (const { socket, attended } of this.#waiting.splice(0)) {
      if (!attended) coreOf(socket).abort(undefined);
    }
  }
}
