import { OverPrimaryStream } from "../primary-stream.js";
import { DenoQuicStream } from "./quic-stream.js";

/**
 * @typedef {import("../transport.js").QuicClient} QuicClient
 * @typedef {import("../transport.js").QuicTransport} QuicTransport
 * @typedef {import("../transport.js").StreamClient} StreamClient
 * @typedef {import("../transport.js").StreamConnect} StreamConnect
 * @typedef {import("../../core/failure.js").TransportFailure} TransportFailure
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("../../socket-tls-info.js").TLSDetails} TLSDetails
 * @typedef {import("./quic-stream.js").Native} Native
 * @typedef {import("./quic-stream.js").Owner} Owner
 *
 * @typedef {object} Link a connection whose handshake is done
 * @property {any} conn a QuicConn
 * @property {() => void} letGo lets go of what only this connection uses, once it is over
 * @property {{remote: Endpoint, local: Endpoint, tls: TLSDetails}} details
 *
 * @typedef {{cancel: () => void}} Attempt to make one
 *
 * @typedef {object} Ending how a connection ended
 * @property {number | null} code of a CONNECTION_CLOSE of the application; null where it was something else
 * @property {string} reason
 */

/**
 * How long the last bytes have to arrive, in ms: closing a connection throws away what is on its way, and Deno does not
 * tell what has arrived.
 */
const lingerTime = 500;

/** How many streams of each kind may wait for somebody to take them. */
const mostUntaken = 64;

/** CONNECTION_CLOSE "with the application error 0". */
const noError = { closeCode: 0, reason: "" };

/** What Deno says when nothing was heard of the peer for too long. */
const timedOut = /timed out/;

/**
 * One QUIC connection, of either end.
 * @extends {OverPrimaryStream<DenoQuicStream>}
 * @implements {QuicTransport}
 */
export class DenoQuicTransport extends OverPrimaryStream {
  #client;
  #attempt;

  /** What the streams tell it. */
  #owner;

  /** Whether this end opens the connection, and with it the primary stream. */
  #opener;

  /** @type {Link | null} */
  #link = null;

  /** What would end with a FIN if it was forgotten. @type {Set<object>} */
  #held = new Set();

  /** When something was last sent, by performance.now(). */
  #lastSent = Number.NEGATIVE_INFINITY;

  /** This end wants no more of it. */
  #left = false;

  #closing = false;

  /** How many streams of the peer wait for somebody to take them, by whether they are unidirectional. */
  #untaken = new Map([
    [false, 0],
    [true, 0],
  ]);

  /** Goes on taking streams of the peer. @type {(() => void)[]} */
  #takeOn = [];

  /** Deno does not count packets. */
  packets = { sent: 0, received: 0 };

  /**
   * @param {QuicClient} client
   * @param {boolean} opener whether this end opens the connection
   * @param {(transport: DenoQuicTransport) => Attempt} begin makes the connection, of which it tells later by `adopt()` or
   *   `failed()`
   */
  constructor(client, opener, begin) {
    /** @type {Owner} */
    const owner = {
      sending: () => {
        this.#lastSent = performance.now();
      },
      hold: (writer) => this.#held.add(writer),
    };
    super(new DenoQuicStream(client, owner));
    this.#owner = owner;
    this.#client = client;
    this.#opener = opener;
    this.#attempt = begin(this);
  }

  // What makes the connection tells.

  /** @param {Link} link */
  adopt(link) {
    const { conn, details } = link;
    if (this.#left) {
      this.#destroy(link);
      link.letGo();
      return;
    }
    this.#link = link;
    conn.closed.then(
      (/** @type {any} */ { closeCode, reason }) => this.#ended({ code: closeCode, reason }),
      (/** @type {Error} */ { message }) => this.#ended({ code: null, reason: message }),
    );
    if (this.#opener) {
      // What is asked of the stream waits for it. Where the connection ends before, that tells itself.
      conn.createBidirectionalStream({ waitUntilAvailable: true }).then(
        (/** @type {Native} */ stream) => this.primary.attach(stream),
        () => {},
      );
    }
    this.#client.connected(details);
    this.#takeStreams(conn.incomingBidirectionalStreams, false);
    this.#takeStreams(conn.incomingUnidirectionalStreams, true);
    this.#takeDatagrams(conn);
  }

  /** @param {TransportFailure} failure */
  failed(failure) {
    if (this.#left) return;
    this.#left = true;
    this.#client.failed(failure);
    queueMicrotask(() => this.#client.released());
  }

  // The connection.

  /**
   * @param {boolean} unidirectional
   * @param {(connect: StreamConnect) => void} opened
   */
  openStream(unidirectional, opened) {
    const { conn } = /** @type {Link} */ (this.#link);
    const options = { waitUntilAvailable: true };
    const opening = unidirectional ? conn.createUnidirectionalStream(options) : conn.createBidirectionalStream(options);
    opening.then(
      (/** @type {any} */ stream) => {
        const native = unidirectional ? { readable: null, writable: stream } : stream;
        opened((client) => this.#connect(client, native));
      },
      // "Never where the connection ends before."
      () => {},
    );
  }

  /**
   * @param {boolean} unidirectional
   * @param {number} change
   */
  claim(unidirectional, change) {
    this.#untaken.set(unidirectional, Number(this.#untaken.get(unidirectional)) + change);
    for (const takeOn of this.#takeOn.splice(0)) takeOn();
  }

  /** @param {Uint8Array} data */
  sendDatagram(data) {
    const sent = () => this.#client.datagramsAccepted();
    this.#link?.conn.sendDatagram(data.slice()).then(sent, sent);
    return false;
  }

  get maxDatagramSize() {
    return this.#link?.conn.maxDatagramSize ?? 0;
  }

  close() {
    if (!this.#link || this.#left || this.#closing) return this.reset();
    this.#closing = true;
    setTimeout(() => this.reset(), Math.max(0, this.#lastSent + lingerTime - performance.now()));
  }

  reset() {
    if (this.#left) return;
    this.#left = true;
    if (this.#link) return this.#destroy(this.#link);
    this.#attempt.cancel();
    queueMicrotask(() => this.#client.released());
  }

  /** @param {Link} link */
  #destroy({ conn }) {
    conn.close(noError);
  }

  /**
   * @param {ReadableStream<any>} incoming
   * @param {boolean} unidirectional
   */
  async #takeStreams(incoming, unidirectional) {
    try {
      for await (const stream of /** @type {any} */ (incoming)) {
        const native = unidirectional ? { readable: stream, writable: null } : stream;
        if (!this.#opener && !unidirectional && stream.readable.id === 0n) this.primary.attach(native);
        else this.#client.streamOpened(unidirectional, (client) => this.#connect(client, native));
        await this.#room(unidirectional);
      }
    } catch {
      // The connection is over, which it tells itself.
    }
  }

  /**
   * What is not taken from Deno counts as open, which keeps the peer from opening more.
   * @param {boolean} unidirectional
   */
  async #room(unidirectional) {
    while (Number(this.#untaken.get(unidirectional)) >= mostUntaken) {
      await new Promise((resolve) => {
        this.#takeOn.push(() => resolve(undefined));
      });
    }
  }

  /** @param {any} conn */
  async #takeDatagrams(conn) {
    try {
      for (;;) this.#client.datagram(await conn.readDatagram());
    } catch {
      // The connection is over, which it tells itself.
    }
  }

  /**
   * @param {StreamClient} client
   * @param {Native} native
   */
  #connect(client, native) {
    return new DenoQuicStream(client, this.#owner, native);
  }

  /** @param {Ending} ending */
  #ended(ending) {
    // What was read just before is told first.
    setTimeout(() => {
      if (!this.#left) this.#tell(ending);
      this.#left = true;
      this.#link?.letGo();
      this.#client.released();
    });
  }

  /** @param {Ending} ending */
  #tell({ code, reason }) {
    const failure = { phase: /** @type {const} */ ("established"), cause: undefined };
    if (code === null) {
      const idle = timedOut.test(reason);
      this.#client.failed({ ...failure, code: idle ? "ETIMEDOUT" : "ECONNRESET", message: reason });
    } else {
      const message = `The peer closed the connection: error code ${code} ${reason}`.trimEnd();
      this.#client.peerClosed({ ...failure, code: "ECONNRESET", message }, code);
    }
  }
}
