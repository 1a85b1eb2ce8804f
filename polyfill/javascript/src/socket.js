import { platform } from "#platform";
import { DatagramCore } from "./core/datagram-core.js";
import { socketOptions } from "./core/init.js";
import { QuicCore } from "./core/quic-core.js";
import { SocketCore } from "./core/socket-core.js";
import { Updates } from "./core/update.js";
import { SocketInfo } from "./socket-info.js";
import { SocketStats } from "./socket-stats.js";
import { registerInterface } from "./webidl/convert.js";
import { EventHandlers } from "./webidl/event-handlers.js";
import { defineInterface, grant, promised } from "./webidl/interface.js";

/**
 * @typedef {import("./core/init.js").SocketOptions} SocketOptions
 * @typedef {import("./core/socket-core.js").Incoming} Incoming
 */

/** Symbol.asyncDispose, or what stands in for it on Node 20. */
const asyncDispose = /** @type {typeof Symbol.asyncDispose} */ (
  Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose")
);

/** What the sockets of each type are inside. */
const cores = { tcp: SocketCore, tls: SocketCore, udp: DatagramCore, quic: QuicCore };

/** "The same FrozenArray object each time". */
const supportedTypes = Object.freeze([...platform.supportedTypes]);

/** A constructor that returns its argument: the private members of a class that extends it land there. */
class Given {
  /** @param {object} object */
  constructor(object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is the point.
    return object;
  }
}

/**
 * The slots of a socket. They are private members of the object that scripts get, which need not be the one that the
 * constructor of Socket began with: see `uncloneable` of the platform.
 */
class Slots extends Given {
  /** @type {SocketCore} */
  #core;

  // What most sockets never need is made on first use.

  /** @type {Updates | null} */
  #updates = null;

  /** @type {EventHandlers | null} */
  #handlers = null;

  /** @type {SocketStats | null} */
  #stats = null;

  /** @type {SocketInfo | null} */
  #info = null;

  /**
   * @param {EventTarget} socket
   * @param {SocketCore} core
   */
  constructor(socket, core) {
    super(socket);
    this.#core = core;
  }

  /** @param {any} socket */
  static has(socket) {
    return #core in socket;
  }

  /** @param {any} socket */
  static core(socket) {
    return /** @type {Slots} */ (socket).#core;
  }

  /** @param {any} socket */
  static updates(socket) {
    const slots = /** @type {Slots} */ (socket);
    slots.#updates ??= new Updates(slots.#core, platform);
    return slots.#updates;
  }

  /** @param {any} socket */
  static handlers(socket) {
    const slots = /** @type {Slots} */ (socket);
    slots.#handlers ??= new EventHandlers(socket);
    return slots.#handlers;
  }

  /** @param {any} socket */
  static stats(socket) {
    const slots = /** @type {Slots} */ (socket);
    slots.#stats ??= new SocketStats(grant(slots.#core.stats));
    return slots.#stats;
  }

  /** @param {any} socket */
  static info(socket) {
    const slots = /** @type {Slots} */ (socket);
    slots.#info ??= new SocketInfo(grant(slots.#core.info));
    return slots.#info;
  }
}

/** What the package itself constructs a socket from that came from outside; no script has one. */
class Accepted {
  /**
   * @param {SocketOptions} options
   * @param {Incoming} incoming
   */
  constructor(options, incoming) {
    this.options = options;
    this.incoming = incoming;
  }
}

/** A connection to another end of the network. */
export class Socket extends EventTarget {
  /** @param {import("../types/socket.d.ts").SocketInit} init */
  constructor(init) {
    const accepted = init instanceof Accepted ? init : null;
    const options = accepted?.options ?? socketOptions(init, platform);
    super();
    const socket = platform.uncloneable(this);
    const core = new cores[options.type](socket, options, platform, accepted?.incoming);
    new Slots(socket, core);
    core.start();
    // biome-ignore lint/correctness/noConstructorReturn: the object that structuredClone() refuses is the socket.
    return socket;
  }

  static get supportedTypes() {
    return supportedTypes;
  }

  /** @param {import("../types/socket.d.ts").SocketInit} init */
  update(init) {
    return promised(() => Slots.updates(this).update(init));
  }

  get readable() {
    return Slots.core(this).readSide.stream;
  }

  get writable() {
    return Slots.core(this).writeSide.stream;
  }

  get ready() {
    return promised(() => Slots.core(this).ready);
  }

  get closed() {
    return promised(() => Slots.core(this).closed);
  }

  /** @param {unknown} [reason] */
  abort(reason = undefined) {
    return promised(() => Slots.core(this).abort(reason));
  }

  get signal() {
    return Slots.core(this).signal;
  }

  get stats() {
    return Slots.stats(this);
  }

  get info() {
    return Slots.info(this);
  }

  /** @returns {import("./quic-session.js").QuicSession | null} */
  get quic() {
    return Slots.core(this).quic;
  }

  get onready() {
    return Slots.handlers(this).get("ready");
  }

  set onready(value) {
    Slots.handlers(this).set("ready", value);
  }

  get onend() {
    return Slots.handlers(this).get("end");
  }

  set onend(value) {
    Slots.handlers(this).set("end", value);
  }

  get onerror() {
    return Slots.handlers(this).get("error");
  }

  set onerror(value) {
    Slots.handlers(this).set("error", value);
  }

  get onclose() {
    return Slots.handlers(this).get("close");
  }

  set onclose(value) {
    Slots.handlers(this).set("close", value);
  }

  [asyncDispose]() {
    return promised(() => Slots.core(this).dispose());
  }
}

defineInterface("Socket", Socket);
registerInterface("Socket", Slots.has);

/**
 * Begins a socket for a connection that came from outside.
 * @param {SocketOptions} options
 * @param {Incoming} incoming
 * @returns {Socket} for the user when `incoming.opened()` has been called
 */
export function acceptSocket(options, incoming) {
  return new Socket(/** @type {any} */ (new Accepted(options, incoming)));
}

/**
 * @param {Socket} socket
 * @returns {SocketCore}
 */
export function coreOf(socket) {
  return Slots.core(socket);
}
