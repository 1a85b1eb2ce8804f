/**
 * One stream of a QUIC connection besides the primary one, without I/O. It follows the rules of a socket, and its bytes
 * count for the socket.
 */

import { QuicStream } from "../quic-stream.js";
import { ReadSide } from "../streams/readable.js";
import { WriteSide } from "../streams/writable.js";
import { grant } from "../webidl/interface.js";
import { streamError } from "./failure.js";

/**
 * @typedef {import("./quic-core.js").QuicCore} QuicCore
 * @typedef {import("../transports/transport.js").Platform} Platform
 * @typedef {import("../transports/transport.js").StreamClient} StreamClient
 * @typedef {import("../transports/transport.js").StreamConnect} StreamConnect
 */

/** @implements {StreamClient} */
export class QuicStreamCore {
  #owner;

  #transport;

  /** @type {ReadSide | null} null where this end only sends */
  #readSide = null;

  /** @type {WriteSide | null} null where this end only receives */
  #writeSide = null;

  /** The peer has sent everything that it ever will, or broken it off. */
  #peerDone;

  /** Nothing is read any more. */
  #readDone;

  /** Nothing is sent any more. */
  #writeDone;

  #finished;

  /**
   * @param {QuicCore} owner
   * @param {Platform} platform
   * @param {object} stream
   * @param {StreamConnect} stream.connect
   * @param {boolean} stream.readable whether the peer sends on it
   * @param {boolean} stream.writable whether this end sends on it
   * @param {(stream: QuicStreamCore) => void} finished called once, when every direction has ended
   */
  constructor(owner, platform, { connect, readable, writable }, finished) {
    const { receiveBufferSize, sendBufferSize } = owner.options;
    this.#owner = owner;
    this.#finished = finished;
    this.#peerDone = !readable;
    this.#readDone = !readable;
    this.#writeDone = !writable;
    if (readable) {
      this.#readSide = new ReadSide(receiveBufferSize, {
        finDelivered: () => this.#endReading(),
        cancelled: () => this.#cancelled(),
        roomMade: () => this.#transport.resume(),
      });
    }
    if (writable) {
      this.#writeSide = new WriteSide(sendBufferSize, {
        send: (bytes) => this.#transport.write(bytes),
        sendFin: () => this.#transport.writeFin(),
        // A FIN would make it look complete.
        badChunk: (error) => this.#reset(error),
        aborted: (reason) => this.#reset(reason),
        streams: platform,
      });
      this.#writeSide.connected();
    }
    this.#transport = connect(this);
  }

  /** Whether nothing is missing of the stream, though perhaps not everything is read. */
  get complete() {
    return this.#writeDone && (this.#peerDone || this.#readDone);
  }

  /** @returns {QuicStream | ReadableStream | WritableStream} what scripts get */
  face() {
    const read = this.#readSide;
    const write = this.#writeSide;
    if (!read) return /** @type {WriteSide} */ (write).stream;
    return write ? new QuicStream(grant({ readable: read.stream, writable: write.stream })) : read.stream;
  }

  // What the transport reports.

  get room() {
    return this.#readSide?.room ?? Number.POSITIVE_INFINITY;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {boolean} owned
   */
  received(bytes, owned) {
    this.#owner.otherReceived(bytes.length);
    return this.#readSide?.receive(bytes, owned) ?? false;
  }

  ended() {
    if (this.#peerDone) return;
    this.#peerDone = true;
    if (!this.#readDone) this.#readSide?.end();
  }

  /** @param {number} code */
  streamReset(code) {
    if (this.#peerDone) return;
    this.#peerDone = true;
    this.#readSide?.fail(streamError("The peer reset the stream", code), true);
    this.#endReading();
  }

  /** @param {number | null} code */
  stopped(code) {
    if (this.#writeDone) return;
    this.#writeSide?.fail(streamError("The peer asked to stop sending", code));
    this.#endWriting();
  }

  /** @param {number} count */
  sent(count) {
    this.#owner.sent(count);
  }

  accepted() {
    this.#writeSide?.accepted();
  }

  finAccepted() {
    if (this.#writeDone) return;
    this.#writeSide?.finAccepted();
    this.#endWriting();
  }

  // What the connection does to it.

  /** Ends it gracefully: what was written goes out, and a FIN behind it. */
  close() {
    this.#readSide?.cancel();
    this.#writeSide?.end();
  }

  /** Breaks it off, because nobody is there for it. */
  refuse() {
    this.#readSide?.cancel();
    this.#reset(undefined);
  }

  /**
   * The connection has failed.
   * @param {unknown} reason
   * @param {boolean} drop whether what is unread is lost
   */
  fail(reason, drop) {
    if (!this.#writeDone) this.#writeSide?.fail(reason);
    if (drop || !this.#peerDone) this.#readSide?.fail(reason, !drop);
    this.#writeDone = true;
    this.#peerDone = true;
  }

  /** @param {import("./init.js").Changes} changes of the socket's options */
  apply({ receiveBufferSize, sendBufferSize }) {
    if (sendBufferSize !== undefined) this.#writeSide?.setHighWaterMark(sendBufferSize);
    if (receiveBufferSize === undefined || !this.#readSide) return;
    this.#readSide.limit = receiveBufferSize;
    this.#transport.resume();
  }

  // Inside.

  #cancelled() {
    if (!this.#peerDone) this.#transport.stopSending();
    this.#endReading();
  }

  /** @param {unknown} reason */
  #reset(reason) {
    if (this.#writeDone) return;
    this.#writeSide?.fail(reason);
    this.#transport.resetStream();
    this.#endWriting();
  }

  #endReading() {
    if (this.#readDone) return;
    this.#readDone = true;
    if (this.#writeDone) this.#finished(this);
  }

  #endWriting() {
    this.#writeDone = true;
    if (this.#readDone) this.#finished(this);
  }
}
