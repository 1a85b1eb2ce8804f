/**
 * What a quic socket is beyond any socket: its own two directions are the primary stream, each of which may end by
 * itself, by a FIN or by a reset, and there are more streams and datagrams. The states are those of the primary stream;
 * the connection ends when that and all other streams are finished.
 */

import { failureOf, streamError } from "./failure.js";
import { QuicStreams } from "./quic-streams.js";
import { SocketCore } from "./socket-core.js";

/**
 * @typedef {import("./init.js").SocketOptions} SocketOptions
 * @typedef {import("./failure.js").TransportFailure} TransportFailure
 * @typedef {import("./socket-core.js").Origin} Origin
 * @typedef {import("../transports/transport.js").QuicClient} QuicClient
 * @typedef {import("../transports/transport.js").QuicTransport} QuicTransport
 * @typedef {import("../transports/transport.js").StreamConnect} StreamConnect
 * @typedef {import("../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("../socket-tls-info.js").TLSDetails} TLSDetails
 */

/** @implements {QuicClient} */
export class QuicCore extends SocketCore {
  #streams;

  /** The primary stream is finished, and other streams are not. */
  #finished = false;

  /** The peer has sent everything that it ever will on the primary stream, or broken it off. */
  #peerDone = false;

  /** The write side of the primary stream is finished, by a FIN or a reset. */
  #writeDone = false;

  /** The writable was aborted before there was a stream to reset. */
  #abortedEarly = false;

  /**
   * @param {EventTarget} target
   * @param {SocketOptions} options
   * @param {import("../transports/transport.js").Platform} platform
   * @param {import("./socket-core.js").Incoming | null} [incoming]
   */
  constructor(target, options, platform, incoming = null) {
    super(target, options, platform, incoming);
    this.#streams = new QuicStreams(this, platform);
    this.quic = this.#streams.session;
    this.stats.packetsDropped = 0;
    for (const [counter, direction] of /** @type {const} */ ([
      ["packetsSent", "sent"],
      ["packetsReceived", "received"],
    ])) {
      Object.defineProperty(this.stats, counter, { get: () => this.#packets[direction] });
    }
  }

  /** What the transport has counted, as long as it has something to count. */
  get #packets() {
    return this.connection?.packets ?? { sent: 0, received: 0 };
  }

  /** The transport, in the form that it has. @returns {QuicTransport | null} */
  get connection() {
    return /** @type {QuicTransport | null} */ (this.transport);
  }

  /**
   * @override
   * @param {{remote: Endpoint | null, local: Endpoint | null, tls?: TLSDetails}} details
   */
  connected(details) {
    super.connected(details);
    if (this.lifecycle.terminal) return;
    // What was done to the stream before there was one can be told now.
    if (this.readSide.cancelled) this.connection?.stopSending();
    if (this.#abortedEarly) this.#reset();
    this.#streams.connected();
  }

  // The primary stream.

  /** @override */
  ended() {
    if (this.#peerDone || this.#finished) return;
    this.#peerDone = true;
    super.ended();
  }

  /** @param {number} code of the peer's RESET_STREAM */
  streamReset(code) {
    if (this.lifecycle.terminal || this.#peerDone || this.#finished) return;
    this.#peerDone = true;
    // "RESET_STREAM after readable was cancelled ends the peer's direction without an error."
    if (this.readSide.cancelled) return this.advance("stream-reset-after-cancel");
    this.readSide.fail(streamError("The peer reset the stream", code), true);
    this.advance("stream-reset");
  }

  /** @param {number | null} code of the peer's STOP_SENDING, which the transport has answered with a reset */
  stopped(code) {
    if (this.lifecycle.terminal || this.#writeDone) return;
    this.#writeDone = true;
    this.writeSide.fail(streamError("The peer asked to stop sending", code));
    this.advance(this.#afterCancel("stop-sending"));
  }

  /** @override */
  finAccepted() {
    this.#writeDone = true;
    super.finAccepted();
  }

  /**
   * @override
   * @protected
   * @param {boolean} finWaits
   */
  cancelled(finWaits) {
    if (!this.#peerDone && this.lifecycle.state !== "connecting") this.connection?.stopSending();
    super.cancelled(finWaits);
  }

  /**
   * "Aborting writable sends RESET_STREAM, finishes that direction and leaves the connection alive."
   * @override
   * @protected
   * @param {unknown} reason
   */
  writableAborted(reason) {
    this.writeSide.fail(reason);
    if (this.lifecycle.state !== "connecting") return this.#reset();
    this.#abortedEarly = true;
    this.advance("writable-abort");
  }

  #reset() {
    this.#writeDone = true;
    this.connection?.resetStream();
    this.advance(this.#afterCancel("writable-abort"));
  }

  /**
   * @param {string} event that ends the write side
   * @returns {string} the event of the lifecycle table
   */
  #afterCancel(event) {
    return this.readSide.cancelled && this.lifecycle.state === "open" ? `${event}-after-cancel` : event;
  }

  // The connection.

  /**
   * @override
   * @param {TransportFailure} failure
   */
  failed(failure) {
    if (this.lifecycle.terminal) return;
    const event = this.lifecycle.state === "connecting" ? "connect-fails" : "connection-lost";
    this.fail(failureOf(failure), "peer", event);
  }

  /**
   * @param {TransportFailure} failure what the peer's CONNECTION_CLOSE is called where it is a failure
   * @param {number} code
   */
  peerClosed(failure, code) {
    if (this.lifecycle.terminal) return;
    const received = this.#peerDone || this.readSide.cancelled;
    // "With code 0 when all streams are finished closes the socket cleanly", as soon as everything is read.
    if (code === 0 && this.#writeDone && received && this.#streams.complete) return;
    this.fail(failureOf(failure), "peer", code === 0 ? "peer-close-early" : "peer-close-error");
  }

  /**
   * @override
   * @param {unknown} reason
   * @param {Origin} origin
   * @param {string} event
   */
  fail(reason, origin, event) {
    if (this.lifecycle.terminal) return;
    this.#holdPackets();
    super.fail(reason, origin, event);
    this.#streams.end({ reason, failed: true, drop: origin !== "peer" });
  }

  /**
   * "closed is pending while any stream of the connection is unfinished."
   * @override
   * @protected
   * @param {string} event
   */
  advance(event) {
    const closes = this.lifecycle.next(event) === "closed";
    if (closes && this.#streams.unfinished > 0) {
      this.#finished = true;
      return;
    }
    if (closes) this.#holdPackets();
    super.advance(event);
    if (closes) this.#streams.end({ failed: false, drop: false });
  }

  /** "Frozen once the socket is closed or errored", which the transport outlives. */
  #holdPackets() {
    const { sent, received } = this.#packets;
    Object.defineProperties(this.stats, { packetsSent: { value: sent }, packetsReceived: { value: received } });
  }

  /** @override */
  dispose() {
    const disposed = super.dispose();
    if (!this.lifecycle.terminal) this.#streams.close();
    return disposed;
  }

  /**
   * @override
   * @param {import("./init.js").Changes} changes
   */
  apply(changes) {
    super.apply(changes);
    this.#streams.apply(changes);
  }

  // The other streams.

  /**
   * The peer has opened a stream.
   * @param {boolean} unidirectional
   * @param {StreamConnect} connect
   */
  streamOpened(unidirectional, connect) {
    if (!this.lifecycle.terminal) this.#streams.opened(unidirectional, connect);
  }

  /** One of them is finished in every direction that it has. */
  streamFinished() {
    if (this.#finished && this.#streams.unfinished === 0 && !this.lifecycle.terminal) {
      this.advance("last-stream-finishes");
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} data with its memory */
  datagram(data) {
    if (!this.lifecycle.terminal) this.#streams.datagram(data);
  }

  datagramsAccepted() {
    this.#streams.datagramsAccepted();
  }

  /** @param {number} size of what was received on another stream, or in a datagram */
  otherReceived(size) {
    if (this.lifecycle.terminal) return;
    this.stats.bytesReceived += size;
    this.busy();
  }

  datagramDropped() {
    if (!this.lifecycle.terminal) this.stats.packetsDropped = Number(this.stats.packetsDropped) + 1;
  }
}
