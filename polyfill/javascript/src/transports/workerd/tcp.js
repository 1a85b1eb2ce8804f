import { attempt, connectionOf, endpointOf } from "./connection.js";
import { codeOf } from "./node-net.js";
import { ReceiveMemory } from "./receive-memory.js";
import { SendBuffer } from "./send-buffer.js";

/**
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").TransportClient} TransportClient
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../../core/failure.js").Phase} Phase
 * @typedef {import("../../core/init.js").Remote} Remote
 * @typedef {import("../../core/init.js").TLSInit} TLSInit
 * @typedef {import("../../socket-tls-info.js").TLSDetails} TLSDetails
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("cloudflare:sockets").PlatformSocket} PlatformSocket
 * @typedef {import("./connection.js").Attempt} Attempt
 * @typedef {import("./connection.js").Connection} Connection
 * @typedef {import("./connection.js").PlatformError} PlatformError
 * @typedef {{remote: Endpoint | null, local: Endpoint | null}} Ends
 *
 * @typedef {object} Accepted a connection that came from outside
 * @property {PlatformSocket} socket
 * @property {Ends} ends
 * @property {() => void} released called when it is over
 */

/** How long a connection that is to be reset may take to send what was accepted. */
const partingTime = 50;

/** How long a closed connection takes in what the peer still sends. */
const lingerTime = 2000;

/** How the platform begins to say that there are no connections outside of a request. */
const disallowed = "Disallowed operation";

/** By this code the core knows that it was not the network. */
const accessDenied = "ERR_ACCESS_DENIED";

/** What the platform calls a connection that broke, and the end of a TLS connection without TLS's own end. */
const broken = /^Network connection lost\.|disconnected prematurely/;

/** @implements {Transport} */
class TCPTransport {
  #client;

  /** @type {Phase} */
  #phase = "connect";

  /** @type {Attempt | null} */
  #attempt = null;

  /** @type {Connection | null} */
  #connection = null;

  /** @type {SendBuffer | null} */
  #sendBuffer = null;

  #memory = new ReceiveMemory();

  #reading = false;
  #ended = false;
  #closing = false;
  #failed = false;

  /** The failed write behind which received bytes may wait. @type {{error: PlatformError, code: string | null} | null} */
  #brokenBy = null;

  /** Nothing is left to let go of. */
  #over = false;

  /** What is told besides the client. */
  #released;

  /** What a certificate is checked against. */
  #host;

  /**
   * @param {SocketOptions} options
   * @param {TransportClient} client
   * @param {Accepted | null} [accepted] null to connect
   */
  constructor(options, client, accepted = null) {
    this.#client = client;
    this.#released = accepted?.released;
    this.#host = options.remote?.host ?? "";
    if (accepted) {
      queueMicrotask(() => this.#established(connectionOf(accepted.socket), accepted.ends, options));
    } else {
      this.#connect(options);
    }
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    return /** @type {SendBuffer} */ (this.#sendBuffer).write(bytes);
  }

  async writeFin() {
    const { socket, outlet } = /** @type {Connection} */ (this.#connection);
    await this.#sendBuffer?.flush();
    try {
      await outlet.finish();
      await socket.writable.close();
    } catch (error) {
      return this.#brokeWriting(error);
    }
    this.#client.finAccepted();
  }

  resume() {
    this.#read();
  }

  // The platform has no way to set options of a connection.
  configure() {}

  /**
   * The platform makes the handshake over the connection, and other streams carry what comes after.
   * @param {TLSInit} _init which has nothing that the platform could be told; see options.js
   * @param {Uint8Array} unread
   * @returns {Promise<TLSDetails>}
   */
  async secure(_init, unread) {
    this.#phase = "tls-handshake";
    if (unread.length > 0) {
      const error = new Error("The peer sent data between the plaintext and the TLS handshake");
      this.#fail(error, null);
      return new Promise(() => {});
    }
    const { socket, reader, outlet } = /** @type {Connection} */ (this.#connection);
    await this.#sendBuffer?.flush();
    // What it fails with is a failure of the connection.
    await outlet.finish().catch(() => new Promise(() => {}));
    // A read that is pending keeps the stream locked. Cancelling it takes nothing off the connection beneath.
    reader.cancel().catch(() => {});
    reader.releaseLock();
    try {
      const secured = socket.startTls();
      this.#use(connectionOf(secured));
      await secured.opened;
    } catch (error) {
      this.#fail(/** @type {PlatformError} */ (error), null);
      return new Promise(() => {});
    }
    this.#phase = "tls-established";
    this.#read();
    return detailsOf(this.#host);
  }

  close() {
    if (this.#closing || this.#ended || this.#failed || !this.#connection) {
      this.#letGo();
      return;
    }
    this.#closing = true;
    setTimeout(() => this.#letGo(), lingerTime);
    this.#read();
  }

  /**
   * The platform has no reset: its close() is one if there are bytes that nobody has read, and an end if there are not.
   * What was accepted was told to be sent, so that it goes first, unless the peer takes nothing.
   */
  reset() {
    this.#sendBuffer?.drop();
    if (!this.#connection || this.#connection.outlet.unused || this.#failed) return this.#letGo();
    const { outlet } = this.#connection;
    const letGo = () => this.#letGo();
    this.#sendBuffer
      ?.flush()
      .then(() => outlet.finish())
      .then(letGo, letGo);
    setTimeout(letGo, partingTime);
  }

  /** @param {SocketOptions} options */
  async #connect(options) {
    const { host, port } = /** @type {Remote} */ (options.remote);
    const secure = options.type === "tls";
    try {
      this.#attempt = attempt(host, port, secure);
      const connection = await this.#attempt.connected;
      const { remoteAddress, localAddress } = await connection.socket.opened;
      const ends = { remote: endpointOf(remoteAddress), local: endpointOf(localAddress) };
      if (this.#over) connection.socket.close().catch(() => {});
      else this.#established(connection, ends, options);
    } catch (error) {
      const { message, code = null } = /** @type {PlatformError} */ (error);
      if (message.startsWith(disallowed)) return this.#fail(/** @type {PlatformError} */ (error), accessDenied);
      // A connection that was not made has a code. Of what fails behind it the platform tells at most that it was reset.
      if (secure && (code === null || code === "ECONNRESET")) this.#phase = "tls-handshake";
      this.#fail(/** @type {PlatformError} */ (error), code);
    }
  }

  /**
   * @param {Connection} connection
   * @param {Ends} ends
   * @param {SocketOptions} options
   */
  #established(connection, ends, { type }) {
    const secure = type === "tls";
    this.#phase = secure ? "tls-established" : "established";
    this.#use(connection);
    this.#client.connected({ ...ends, ...(secure && { tls: detailsOf(this.#host) }) });
    this.#read();
  }

  /** @param {Connection} connection */
  #use(connection) {
    this.#connection = connection;
    this.#reading = false;
    this.#sendBuffer = new SendBuffer(connection.outlet, this.#client);
    connection.outlet.done.catch((/** @type {unknown} */ error) => this.#brokeWriting(error));
  }

  /** How many more bytes are wanted. Behind a failed write, and once it is closed, everything is read to find the end. */
  get #wanted() {
    return this.#brokenBy || this.#closing ? Number.POSITIVE_INFINITY : this.#client.room;
  }

  async #read() {
    const connection = this.#connection;
    if (this.#reading || this.#ended || this.#failed || !connection) return;
    this.#reading = true;
    try {
      while (this.#wanted > 0) {
        const { value, done } = await connection.reader.read(this.#memory.next(this.#wanted));
        // What was cancelled for the sake of an upgrade ends like this, too.
        if (connection !== this.#connection) return;
        if (done) return this.#end();
        this.#memory.took(/** @type {Uint8Array<ArrayBuffer>} */ (value), (bytes, owned) =>
          this.#client.received(bytes, owned),
        );
      }
      this.#reading = false;
    } catch (error) {
      if (connection === this.#connection && !this.#over) this.#brokeReading(error);
    }
  }

  #end() {
    this.#ended = true;
    if (this.#brokenBy) this.#fail(this.#brokenBy.error, this.#brokenBy.code);
    else if (this.#closing) this.#letGo();
    else this.#client.ended();
  }

  /** @param {any} error */
  async #brokeReading(error) {
    const { socket } = /** @type {Connection} */ (this.#connection);
    const code = await codeOf(socket, error, "read");
    this.#ended = true;
    if (this.#brokenBy) this.#fail(this.#brokenBy.error, this.#brokenBy.code);
    else this.#fail(error, code);
  }

  /**
   * The bytes that arrived before a reset can still be read, even when a write is the first to notice it.
   * @param {any} error
   */
  async #brokeWriting(error) {
    if (this.#over || this.#brokenBy) return;
    const { socket } = /** @type {Connection} */ (this.#connection);
    const code = await codeOf(socket, error, "write");
    if (this.#ended || this.#closing) return this.#fail(error, code);
    this.#brokenBy = { error, code };
    this.#read();
  }

  /**
   * @param {PlatformError} error
   * @param {string | null} code
   */
  #fail(error, code) {
    if (this.#over || this.#failed) return;
    this.#failed = true;
    this.#sendBuffer?.drop();
    const phase = this.#phase;
    this.#client.failed({ phase, code, message: error.message, cause: error, ...named(phase, error, code) });
    this.#letGo();
  }

  #letGo() {
    if (this.#over) return;
    this.#over = true;
    const released = () => {
      this.#client.released();
      this.#released?.();
    };
    const closed = this.#connection && close(this.#connection);
    if (closed && this.#phase !== "tls-handshake") return void closed.then(released, released);
    // Neither an attempt to connect nor a handshake can be given up: they go on until they fail, and nobody cares.
    closed?.catch(() => {});
    this.#attempt?.cancel();
    queueMicrotask(released);
  }
}

/**
 * @param {Connection} connection
 * @returns {Promise<void>} settles when the platform's resources are free
 */
async function close({ socket, outlet }) {
  outlet.cut();
  // What is being written keeps the platform from closing.
  await outlet.done.catch(() => {});
  await socket.close();
}

/**
 * What the platform has no code for, and yet tells apart.
 * @param {Phase} phase
 * @param {Error} error
 * @param {string | null} code
 * @returns {{errorCode?: string}}
 */
function named(phase, { message }, code) {
  if (code !== null) return {};
  if (phase === "tls-established") return { errorCode: broken.test(message) ? "tls-truncated" : "tls-protocol-error" };
  if (phase === "established" && broken.test(message)) return { errorCode: "connection-reset" };
  return {};
}

/**
 * @param {string} host
 * @returns {TLSDetails} what is known of a connection: the platform tells nothing of its TLS
 */
function detailsOf(host) {
  const servername = /[:]|^[\d.]+$/.test(host) || host === "" ? null : host;
  return { version: "", cipher: "", alpn: null, servername, peerCertificates: Object.freeze([]) };
}

/**
 * @param {SocketOptions} options
 * @param {TransportClient} client
 * @returns {Transport}
 */
export function connect(options, client) {
  return new TCPTransport(options, client);
}

/**
 * @param {Accepted} accepted
 * @returns {(options: SocketOptions, client: TransportClient) => Transport} to be called at once
 */
export function accept(accepted) {
  return (options, client) => new TCPTransport(options, client, accepted);
}
