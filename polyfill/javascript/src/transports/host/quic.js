import { ByteStream } from "./byte-stream.js";
import { Connection } from "./connection.js";
import { ask, draw, failureFrom, forget } from "./host.js";

/**
 * @typedef {import("../transport.js").QuicClient} QuicClient
 * @typedef {import("../transport.js").QuicTransport} QuicTransport
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").StreamClient} StreamClient
 * @typedef {import("../transport.js").StreamConnect} StreamConnect
 * @typedef {import("../transport.js").StreamTransport} StreamTransport
 * @typedef {import("./connection.js").Arrival} Arrival
 * @typedef {{unidirectional: boolean, opened: (connect: StreamConnect) => void}} Wish
 */

/**
 * A QUIC connection. Its bytes are those of the primary stream.
 * @implements {QuicTransport}
 */
export class QuicConnection extends Connection {
  /** Streams that the peer does not allow yet. @type {Wish[]} */
  #wishes = [];

  /**
   * @param {SocketOptions} options
   * @param {QuicClient} client
   * @param {Arrival} [arrival]
   */
  constructor(options, client, arrival = undefined) {
    super(options, client, arrival, {
      "stream-reset": ({ code }) => client.streamReset(code),
      "stop-sending": ({ code }) => client.stopped(code),
      "stream-opened": ({ stream, unidirectional }) => client.streamOpened(unidirectional, this.#connecting(stream)),
      "streams-allowed": () => this.#openWished(),
      datagram: (_, bytes) => client.datagram(bytes),
      "datagrams-sent": () => client.datagramsAccepted(),
      "peer-closed": ({ failure, code }) => client.peerClosed(failureFrom(failure), code),
    });
  }

  /**
   * @override
   * @param {import("../transport.js").TransportOptions} options
   */
  configure({ ttl }) {
    if (ttl !== undefined) ask("apply", this.handle, { ttl });
  }

  resetStream() {
    ask("reset-stream", this.handle);
  }

  stopSending() {
    ask("stop-sending", this.handle);
  }

  /**
   * @param {boolean} unidirectional
   * @param {(connect: StreamConnect) => void} opened
   */
  openStream(unidirectional, opened) {
    this.#wishes.push({ unidirectional, opened });
    queueMicrotask(() => this.#openWished());
  }

  /**
   * @param {boolean} unidirectional
   * @param {number} change
   */
  claim(unidirectional, change) {
    ask("claim", this.handle, { unidirectional, change });
  }

  /** @param {Uint8Array} data */
  sendDatagram(data) {
    return Boolean(ask("send-datagram", this.handle, { remote: null }, data));
  }

  get maxDatagramSize() {
    return Number(ask("max-datagram-size", this.handle));
  }

  get packets() {
    return JSON.parse(String(ask("packets", this.handle))) ?? { sent: 0, received: 0 };
  }

  /** A wish that has to wait does not hold up those for streams of the other kind. */
  #openWished() {
    for (const wish of this.#wishes.splice(0)) {
      const { unidirectional, opened } = wish;
      const stream = ask("open-stream", this.handle, { unidirectional });
      if (stream === null) this.#wishes.push(wish);
      else opened(this.#connecting(Number(stream)));
    }
  }

  /**
   * @param {number} stream
   * @returns {StreamConnect}
   */
  #connecting(stream) {
    return (client) => new Stream(client, { connection: this.handle, stream });
  }
}

/**
 * One more stream.
 * @implements {StreamTransport}
 */
class Stream extends ByteStream {
  /**
   * @param {StreamClient} client
   * @param {{connection: number, stream: number}} which
   */
  constructor(client, which) {
    super(
      client,
      draw({
        data: (_, bytes) => this.received(bytes),
        fin: () => client.ended(),
        "stream-reset": ({ code }) => client.streamReset(code),
        "stop-sending": ({ code }) => client.stopped(code),
        "write-finished": () => this.writeFinished(),
        released: () => forget(this.handle),
      }),
    );
    ask("listen-on", this.handle, which);
  }

  resetStream() {
    ask("reset-stream", this.handle);
  }

  stopSending() {
    ask("stop-sending", this.handle);
  }
}
