import net from "node:net";
import { SendBuffer } from "./send-buffer.js";
import { detailsOf, handshake, refusal } from "./tls.js";

/**
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").TransportClient} TransportClient
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../../core/failure.js").Phase} Phase
 * @typedef {import("../../core/init.js").Remote} Remote
 * @typedef {import("../../core/init.js").TLSInit} TLSInit
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("../../socket-tls-info.js").TLSDetails} TLSDetails
 * @typedef {import("./observe.js").NodeError} NodeError
 * @typedef {import("./observe.js").StreamObserver} StreamObserver
 * @typedef {import("./stream.js").Streams} Streams
 * @typedef {{remote: Endpoint, local: Endpoint}} Ends
 *
 * @typedef {object} Accepted a connection that came from outside
 * @property {unknown} connection what `streams.take()` has returned
 * @property {Ends} ends
 */

/** How long a closed connection takes in what the peer still sends. */
const lingerTime = 2000;

/** Errors of a write that mean that the peer has reset the connection. What it sent before can still be read. */
const peerGone = ["EPIPE", "ECONNRESET"];

/** @returns {NodeError} what Node calls it, where it notices */
function endedInHandshake() {
  return Object.assign(new Error("The peer ended the connection during the TLS handshake"), { code: "ECONNRESET" });
}

/** @implements {Transport} */
class TCPTransport {
  #client;
  #streams;

  /** The TCP connection. */
  #raw;

  /** What carries the data: the TCP connection itself, or TLS over it. @type {net.Socket & {readOn: () => void}} */
  #stream;

  /** What a certificate is checked against where there is no servername. */
  #host;

  /** Whether this end is the server of a TLS handshake. */
  #server;

  /** Whether the address to come from was chosen. */
  #bound;

  #sendBuffer;

  /** @type {Phase} */
  #phase = "connect";

  #ended = false;
  #closing = false;

  /** Ends the wait for a peer that goes on sending. @type {NodeJS.Timeout | undefined} */
  #lingering;

  /** The failed write behind which received bytes may wait. @type {NodeError | null} */
  #brokenBy = null;

  /**
   * @param {Streams} streams
   * @param {SocketOptions} options
   * @param {TransportClient} client
   * @param {Accepted | null} [accepted] null to connect
   */
  constructor(streams, options, client, accepted = null) {
    this.#client = client;
    this.#streams = streams;
    this.#host = options.remote?.host ?? "";
    this.#server = accepted !== null;
    this.#bound = options.local !== undefined;
    this.#raw = streams.open(this.#observer, accepted?.connection);
    this.#stream = this.#raw;
    this.#sendBuffer = new SendBuffer(this.#stream, client);
    this.#raw.once("close", () => {
      clearTimeout(this.#lingering);
      client.released();
    });
    if (accepted) {
      process.nextTick(() => this.#established(accepted.ends, options));
    } else {
      this.#raw.once("connect", () => this.#established(this.#endsOf(options), options));
      this.#connect(options);
    }
  }

  /** @returns {StreamObserver} */
  get #observer() {
    const client = this.#client;
    return {
      // Behind a failed write everything is read, to find the end.
      wanted: () => (this.#brokenBy ? Number.POSITIVE_INFINITY : client.room),
      received: (bytes, owned) => client.received(bytes, owned),
      ended: () => this.#end(),
      finished: () => client.finAccepted(),
      broke: (error) => this.#broke(error),
    };
  }

  /**
   * @param {TLSInit} init
   * @param {Uint8Array} unread what the client was given and has given back
   * @returns {Promise<TLSDetails>} never settles where the handshake fails: that is a failure of the transport
   */
  secure(init, unread) {
    const raw = this.#raw;
    this.#phase = "tls-handshake";
    // What was accepted and not sent yet goes first; Node waits for it.
    this.#sendBuffer.flush();
    const options = { init, host: this.#host, server: this.#server };
    const stream = this.#streams.secure(raw, unread, (below) => handshake(below, options), this.#observer);
    this.#stream = stream;
    this.#sendBuffer = new SendBuffer(stream, this.#client);
    return new Promise((resolve) => {
      stream.once(this.#server ? "secure" : "secureConnect", () => {
        const error = refusal(init, () => stream.getPeerCertificate().raw);
        if (error) return this.#broke(error);
        this.#phase = "tls-established";
        resolve(detailsOf(stream));
      });
    });
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    return this.#sendBuffer.write(bytes);
  }

  writeFin() {
    this.#sendBuffer.flush();
    this.#stream.end();
  }

  resume() {
    if (this.#client.room > 0) this.#stream.readOn();
  }

  /** @param {TransportOptions} options `ttl` is a hint, for which Node has no way on TCP */
  configure({ noDelay, keepAliveDelay }) {
    this.#raw.setNoDelay(noDelay);
    this.#raw.setKeepAlive(keepAliveDelay > 0, keepAliveDelay);
  }

  close() {
    if (this.#closing || this.#ended || this.#phase === "connect") {
      this.#stream.destroy();
      return;
    }
    this.#closing = true;
    this.#stream.unref();
    this.#lingering = setTimeout(() => this.#stream.destroy(), lingerTime).unref();
    this.resume();
  }

  reset() {
    // What was accepted was told to be sent.
    this.#sendBuffer.flush();
    this.#sendBuffer.drop();
    this.#raw.reset();
  }

  /** @param {SocketOptions} options */
  #connect({ remote, local }) {
    const { host, port } = /** @type {Remote} */ (remote);
    try {
      if (local) this.#streams.checkLocal(local.address, local.port);
      this.#raw.connect({
        host,
        port,
        localAddress: local?.address,
        localPort: local?.port,
        // A name is looked up in the family of the address that the connection is to come from.
        family: local?.address ? net.isIP(local.address) : undefined,
      });
    } catch (error) {
      process.nextTick(() => this.#broke(/** @type {NodeError} */ (error)));
    }
  }

  /**
   * @param {SocketOptions} options
   * @returns {Ends}
   */
  #endsOf({ remote }) {
    const raw = this.#raw;
    const { host, port } = /** @type {Remote} */ (remote);
    return {
      // To ask costs a system call, and a connection that is broken again already has no remote address.
      remote: { address: net.isIPv4(host) ? host : (raw.remoteAddress ?? host), port },
      local: { address: raw.localAddress ?? "", port: raw.localPort ?? 0 },
    };
  }

  /**
   * @param {Ends} ends
   * @param {SocketOptions} options
   */
  #established(ends, { type, tls = {} }) {
    this.#phase = "established";
    if (type === "tcp") this.#client.connected(ends);
    else this.secure(tls, new Uint8Array()).then((details) => this.#client.connected({ ...ends, tls: details }));
  }

  #end() {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#phase === "tls-handshake") return this.#fail(endedInHandshake());
    if (this.#brokenBy) this.#fail(this.#brokenBy);
    else if (this.#closing) this.#stream.destroy();
    else this.#client.ended();
  }

  /**
   * The bytes that arrived before a reset are in the kernel, even when a write is the first to notice it.
   * @param {NodeError} error
   */
  #broke(error) {
    const noticedByWrite = error.syscall === "write" && peerGone.includes(error.code ?? "");
    if (!noticedByWrite || this.#ended || this.#closing || this.#brokenBy) {
      this.#fail(this.#brokenBy ?? error);
      return;
    }
    this.#brokenBy = error;
    this.#stream.readOn();
  }

  /** @param {NodeError} error */
  #fail(error) {
    // Of several addresses, the last attempt names the failure, and the aggregate is its cause.
    const { code = null, message, syscall } = error.errors?.at(-1) ?? error;
    // Bun names all of connect() in one word. Only of an address to come from does it say that there is no such one.
    const unbindable = syscall === "bind" || (this.#bound && this.#phase === "connect" && code === "EADDRNOTAVAIL");
    const phase = unbindable ? "bind" : this.#phase;
    this.#sendBuffer.drop();
    this.#client.failed({ phase, code, message, cause: error });
    this.#stream.destroy();
  }
}

/**
 * @param {Streams} streams
 * @returns {(options: SocketOptions, client: TransportClient) => Transport}
 */
export function connecting(streams) {
  return (options, client) => new TCPTransport(streams, options, client);
}

/**
 * @param {Streams} streams
 * @param {Accepted} accepted
 * @returns {(options: SocketOptions, client: TransportClient) => Transport} to be called at once
 */
export function accepting(streams, accepted) {
  return (options, client) => new TCPTransport(streams, options, client, accepted);
}
