import { QuicStream } from "../quic-stream.js";
import { DatagramReadSide } from "../streams/datagrams.js";
import { WriteSide } from "../streams/writable.js";
import { grant } from "../webidl/interface.js";
import { invalidState } from "./failure.js";

/**
 * @typedef {import("./quic-core.js").QuicCore} QuicCore
 * @typedef {import("../transports/transport.js").Platform} Platform
 * @typedef {import("../transports/transport.js").QuicTransport} QuicTransport
 */

/** The datagrams of one QUIC connection (RFC 9221): two directions, whose chunks are whole datagrams. */
export class QuicDatagrams {
  #owner;
  #readSide;
  #writeSide;

  /**
   * @param {QuicCore} owner
   * @param {Platform} platform
   */
  constructor(owner, platform) {
    const { receiveBufferSize, sendBufferSize } = owner.options;
    this.#owner = owner;
    const readSide = new DatagramReadSide(receiveBufferSize, { cancelled() {}, wishChanged() {} });
    const writeSide = new WriteSide(sendBufferSize, {
      send: (message) => this.#send(/** @type {Uint8Array} */ (message)),
      // Nothing on the wire stands for the end of datagrams.
      sendFin: () => writeSide.finAccepted(),
      badChunk: (error) => writeSide.fail(error),
      aborted: (reason) => writeSide.fail(reason),
      streams: platform,
    });
    this.#readSide = readSide;
    this.#writeSide = writeSide;
    this.stream = new QuicStream(
      grant({
        get readable() {
          return readSide.stream;
        },
        get writable() {
          return writeSide.stream;
        },
      }),
    );
  }

  connected() {
    this.#writeSide.connected();
  }

  /** @param {Uint8Array<ArrayBuffer>} data with its memory */
  received(data) {
    if (this.#readSide.receive(data, data.length)) this.#owner.otherReceived(data.length);
    else this.#owner.datagramDropped();
  }

  accepted() {
    this.#writeSide.accepted();
  }

  /**
   * @param {{reason: unknown} | null} failure null where the connection has closed
   * @param {boolean} drop whether what is unread is lost
   */
  end(failure, drop) {
    this.#writeSide.fail(failure ? failure.reason : invalidState("The socket is closed"));
    if (!failure) this.#readSide.finish();
    else if (drop) this.#readSide.fail(failure.reason);
    else this.#readSide.finishWith(failure.reason);
  }

  /** @param {import("./init.js").Changes} changes of the socket's options */
  apply({ receiveBufferSize, sendBufferSize }) {
    if (receiveBufferSize !== undefined) this.#readSide.limit = receiveBufferSize;
    if (sendBufferSize !== undefined) this.#writeSide.setHighWaterMark(sendBufferSize);
  }

  /**
   * @param {Uint8Array} data
   * @returns {boolean} whether the next one may be sent
   */
  #send(data) {
    const transport = /** @type {QuicTransport} */ (this.#owner.connection);
    // "A write of more than maxDatagramSize bytes fulfils and sends nothing": a rejection would end the whole writable.
    if (data.length > transport.maxDatagramSize) {
      this.#owner.datagramDropped();
      return true;
    }
    this.#owner.sent(data.length);
    return transport.sendDatagram(data);
  }
}
