import { onEnd } from "./node-quic.js";
import { BunQuicStream } from "./quic-stream.js";

/**
 * @typedef {import("../transport.js").QuicTransport} QuicTransport
 * @typedef {import("../transport.js").QuicClient} QuicClient
 * @typedef {import("../transport.js").StreamConnect} StreamConnect
 * @typedef {import("../transport.js").StreamClient} StreamClient
 * @typedef {import("../../core/failure.js").TransportFailure} TransportFailure
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("../../socket-tls-info.js").TLSDetails} TLSDetails
 * @typedef {import("./node-quic.js").Ending} Ending
 * @typedef {import("./node-quic.js").QuicModule} QuicModule
 *
 * @typedef {object} Link a connection whose handshake is done
 * @property {QuicModule} quic
 * @property {any} session
 * @property {() => Promise<unknown>} letGo lets go of what only this connection uses, once the session is over
 * @property {Details | Promise<Details>} details
 *
 * @typedef {{remote: Endpoint, local: Endpoint, tls: TLSDetails}} Details
 * @typedef {{cancel: () => Promise<unknown>}} Attempt to make one
 */

/** How long a connection that is finished waits for the peer to acknowledge the last bytes, in ms. */
const lingerTime = 5000;

/** After so many datagrams the event loop gets its turn. */
const turnSize = 64;

/** CONNECTION_CLOSE "with the application error 0". */
const noError = { code: 0n, type: "application" };

/**
 * One QUIC connection, of either end.
 * @implements {QuicTransport}
 */
export class BunQuicTransport {
  #client;
  #attempt;

  #primary;

  /** Whether this end opens the connection, and with it the primary stream. */
  #opener;

  /** @type {Link | null} */
  #link = null;

  /** The other streams that are read. @type {Set<BunQuicStream>} */
  #streams = new Set();

  /** The connection is over, by whomever, or given up. */
  #over = false;

  /** This end wants no more of it. */
  #left = false;

  /** Ends the wait for a peer that acknowledges nothing. @type {NodeJS.Timeout | undefined} */
  #lingering;

  #datagrams = 0;

  /**
   * @param {QuicClient} client
   * @param {boolean} opener whether this end opens the connection
   * @param {(transport: BunQuicTransport) => Attempt} begin makes the connection, of which it tells later by `adopt()` or
   *   `failed()`
   */
  constructor(client, opener, begin) {
    this.#client = client;
    this.#opener = opener;
    this.#primary = new BunQuicStream(client);
    this.#attempt = begin(this);
  }

  // What makes the connection tells.

  /** @param {Link} link */
  async adopt(link) {
    const { quic, session, details } = link;
    this.#link = link;
    session.onstream = (/** @type {any} */ native) => this.#opened(native);
    session.ondatagram = (/** @type {Uint8Array<ArrayBuffer>} */ data) => this.#client.datagram(data.slice());
    onEnd(quic, session, (ending) => this.#ended(ending));
    /** @type {Details} */
    let ends;
    try {
      if (this.#opener) this.#primary.attach(await session.createBidirectionalStream());
      ends = await details;
    } catch {
      // The connection has ended meanwhile, of which it tells by itself.
      return this.#destroy();
    }
    if (!this.#over && !this.#left) this.#client.connected(ends);
  }

  /** @param {TransportFailure} failure */
  failed(failure) {
    if (this.#left) return;
    this.#over = true;
    this.#client.failed(failure);
  }

  // The primary stream.

  /** @param {Uint8Array} bytes */
  write(bytes) {
    return this.#primary.write(bytes);
  }

  writeFin() {
    this.#primary.writeFin();
  }

  resume() {
    this.#primary.resume();
  }

  resetStream() {
    this.#primary.resetStream();
  }

  stopSending() {
    this.#primary.stopSending();
  }

  // The connection.

  /** The options are those of TCP. */
  configure() {}

  /**
   * @param {boolean} unidirectional
   * @param {(connect: StreamConnect) => void} opened
   */
  openStream(unidirectional, opened) {
    const { session } = /** @type {Link} */ (this.#link);
    const opening = unidirectional ? session.createUnidirectionalStream() : session.createBidirectionalStream();
    opening.then(
      (/** @type {any} */ native) => opened((client) => this.#connect(client, native)),
      // "Never where the connection ends before."
      () => {},
    );
  }

  /** @param {Uint8Array} data */
  sendDatagram(data) {
    this.#link?.session.sendDatagram(data).catch(() => {});
    this.#datagrams = (this.#datagrams + 1) % turnSize;
    if (this.#datagrams > 0) return true;
    setImmediate(() => this.#client.datagramsAccepted());
    return false;
  }

  get maxDatagramSize() {
    return this.#link?.session.maxDatagramSize ?? 0;
  }

  get packets() {
    const { pktSent = 0n, pktRecv = 0n } = this.#link?.session.stats ?? {};
    return { sent: Number(pktSent), received: Number(pktRecv) };
  }

  close() {
    const session = this.#link?.session;
    if (!session || this.#over || this.#left) return this.reset();
    this.#left = true;
    // What was asked of streams just now goes out first; then it waits for its streams, which wait for the peer.
    setImmediate(() => session.close(noError).catch(() => {}));
    this.#lingering = setTimeout(() => this.#destroy(), lingerTime).unref();
  }

  reset() {
    this.#left = true;
    if (this.#link) return this.#destroy();
    this.#over = true;
    this.#attempt.cancel().then(() => this.#client.released());
  }

  #destroy() {
    const { session } = /** @type {Link} */ (this.#link);
    if (!session.destroyed) session.destroy(undefined, noError);
  }

  /** @param {any} native a stream that the peer has opened */
  #opened(native) {
    native.closed.catch(() => {});
    if (!this.#opener && native.id === 0n) return this.#primary.attach(native);
    const unidirectional = native.direction === "uni";
    this.#client.streamOpened(unidirectional, (client) => this.#connect(client, native));
  }

  /**
   * @param {StreamClient} client
   * @param {any} native
   */
  #connect(client, native) {
    const stream = new BunQuicStream(client, native);
    this.#streams.add(stream);
    stream.read.then(() => this.#streams.delete(stream));
    return stream;
  }

  /** @param {Ending} ending */
  async #ended(ending) {
    this.#over = true;
    if (!this.#left) await Promise.all([this.#primary, ...this.#streams].map((stream) => stream.drain()));
    if (!this.#left) {
      const failure = failureOf(ending);
      if (ending.kind === "idle") this.#client.failed(failure);
      else this.#client.peerClosed(failure, ending.code);
    }
    clearTimeout(this.#lingering);
    /** @type {Link} */ (this.#link).letGo().then(() => this.#client.released());
  }
}

/**
 * @param {Ending} ending of a connection that was established
 * @returns {TransportFailure}
 */
function failureOf({ kind, code, reason }) {
  if (kind === "idle") {
    const message = "Nothing was heard of the peer for too long";
    return { phase: "established", code: "ETIMEDOUT", message, cause: undefined };
  }
  const message = `The peer closed the connection: ${kind} error code ${code} ${reason}`.trimEnd();
  return { phase: "established", code: "ECONNRESET", message, cause: undefined };
}
