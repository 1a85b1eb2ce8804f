/**
 * What a udp socket is beyond any socket: there is no FIN, so that each direction ends by itself alone; datagrams are
 * lost without anything failing; and a flow that a listener has brought ends cleanly when it is idle.
 */

import { SocketErrorEvent } from "../socket-error-event.js";
import { boundChunks, DatagramReadSide } from "../streams/datagrams.js";
import { byteChunks, WriteSide } from "../streams/writable.js";
import { failureOf } from "./failure.js";
import { SocketCore } from "./socket-core.js";

/**
 * @typedef {import("./init.js").SocketOptions} SocketOptions
 * @typedef {import("./failure.js").TransportFailure} TransportFailure
 * @typedef {import("../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("../transports/transport.js").DatagramClient} DatagramClient
 */

/** @implements {DatagramClient} */
export class DatagramCore extends SocketCore {
  /** The writable was aborted before there was anything to write to. */
  #abortedEarly = false;

  /**
   * @param {EventTarget} target
   * @param {SocketOptions} options
   * @param {import("../transports/transport.js").Platform} platform
   * @param {import("./socket-core.js").Incoming | null} [incoming]
   */
  constructor(target, options, platform, incoming = null) {
    super(target, options, platform, incoming);
    Object.assign(this.stats, { packetsSent: 0, packetsReceived: 0, packetsDropped: 0 });
  }

  /**
   * @override
   * @protected
   * @param {SocketOptions} options
   */
  makeReadSide({ receiveBufferSize }) {
    return new DatagramReadSide(receiveBufferSize, {
      cancelled: () => this.cancelled(false),
      wishChanged: () => this.#keepProcess(),
    });
  }

  /**
   * @override
   * @protected
   * @param {SocketOptions} options
   * @param {import("../streams/writable.js").WriteObserver} observer
   */
  makeWriteSide(options, observer) {
    return new WriteSide(options.sendBufferSize, observer, isBound(options) ? boundChunks() : byteChunks);
  }

  /**
   * @override
   * @param {{remote: Endpoint | null, local: Endpoint | null}} details
   */
  connected(details) {
    super.connected(details);
    if (this.#abortedEarly) this.#writeSideAborted();
  }

  /**
   * A datagram arrived, whose memory belongs to the socket from now on.
   * @param {Uint8Array<ArrayBuffer>} data
   * @param {Endpoint} source
   */
  datagram(data, source) {
    if (this.lifecycle.terminal) return;
    const { readSide } = this;
    const chunk = isBound(this.options) ? { data, remote: source } : data;
    if (!(/** @type {DatagramReadSide} */ (readSide).receive(chunk, data.length))) return this.#count("packetsDropped");
    this.#count("packetsReceived");
    this.stats.bytesReceived += data.length;
    this.busy();
  }

  /**
   * The platform has ended a flow, because it was idle.
   * @override
   */
  ended() {
    if (!this.lifecycle.terminal) this.idle(0);
  }

  /** @param {number} size of a datagram that was sent */
  datagramSent(size) {
    if (this.lifecycle.terminal) return;
    this.#count("packetsSent");
    this.sent(size);
  }

  /** @param {number} size of a datagram that was counted as sent, and was not */
  datagramUnsent(size) {
    if (this.lifecycle.terminal) return;
    this.stats.packetsSent = Number(this.stats.packetsSent) - 1;
    this.stats.bytesSent -= size;
  }

  /**
   * Something went wrong that the socket survives.
   * @param {TransportFailure} failure
   * @param {boolean} lost whether a datagram was not sent because of it
   */
  failedSoftly(failure, lost) {
    if (this.lifecycle.terminal) return;
    if (lost) this.#count("packetsDropped");
    const error = failureOf(failure);
    this.queueEvent(() => new SocketErrorEvent("error", { error, fatal: false }));
  }

  /**
   * @override
   * @protected
   * @param {string} event
   */
  advance(event) {
    super.advance(event);
    this.#keepProcess();
  }

  /**
   * "Aborting writable throws away the queued datagrams, finishes the write side and leaves the rest of the socket."
   * @override
   * @protected
   * @param {unknown} reason
   */
  writableAborted(reason) {
    this.writeSide.fail(reason);
    if (this.lifecycle.state === "open") this.#writeSideAborted();
    else this.#abortedEarly = true;
  }

  /**
   * @override
   * @protected
   * @param {number} limit
   */
  idle(limit) {
    // "A flow that a listener brought ends cleanly."
    if (!this.incoming) return super.idle(limit);
    this.advance("flow-idle");
    this.writeSide.finish();
    /** @type {DatagramReadSide} */ (this.readSide).finish();
  }

  #writeSideAborted() {
    this.advance(this.readSide.cancelled ? "writable-abort-after-cancel" : "writable-abort");
  }

  /** "A socket whose writable is closed and on which no read is pending does not keep the process alive." */
  #keepProcess() {
    if (this.lifecycle.terminal) return;
    const { wanted } = /** @type {DatagramReadSide} */ (this.readSide);
    this.transport?.keepProcess?.(this.lifecycle.state !== "local-closed" || wanted);
  }

  /** @param {"packetsSent" | "packetsReceived" | "packetsDropped"} counter */
  #count(counter) {
    this.stats[counter] = Number(this.stats[counter]) + 1;
  }
}

/**
 * @param {SocketOptions} options
 * @returns {boolean} whether the socket exchanges datagrams with any remote end
 */
function isBound({ local, remote }) {
  return local !== undefined && remote === undefined;
}
