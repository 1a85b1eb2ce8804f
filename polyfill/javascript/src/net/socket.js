/** `net.Socket`, as far as clients use it, on top of the common Socket. https://nodejs.org/api/net.html#class-netsocket */

import { Duplex } from "node:stream";
import { Connection } from "./connection.js";
import { nodeError } from "./errors.js";
import { connectArguments, connectInit, keepAliveDelay, tlsInit } from "./options.js";

/** The connection of another stream, which an upgrade takes over. Scripts have no way to name it. */
const takeOver = Symbol("take over");

/** @typedef {import("./options.js").Options} Options */

export class Socket extends Duplex {
  /** @type {Connection | null} */
  #connection = null;

  /** Where it connects to, or is connected to. @type {{host: string, port: number}} */
  #end = { host: "", port: 0 };

  /** What `setNoDelay()` and `setKeepAlive()` asked for before there was a connection. @type {Options} */
  #early = {};

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** Writes that came before the connection was begun. @type {(() => void)[]} */
  #waiting = [];

  connecting = false;

  /** ms without activity after which `timeout` is emitted; 0 is never. */
  timeout = 0;

  /** @param {Options} [options] `allowHalfOpen`, `signal` and those of a Duplex */
  constructor(options = {}) {
    const { signal, readableHighWaterMark, writableHighWaterMark, allowHalfOpen = false } = options;
    super({ signal, readableHighWaterMark, writableHighWaterMark, allowHalfOpen, emitClose: true });
  }

  /**
   * `connect(options, listener?)` or `connect(port, host?, listener?)`
   * @param {any[]} args
   * @returns {this}
   */
  connect(...args) {
    const { options, listener } = connectArguments(args);
    if (this.#connection) throw new Error("this socket has been connected before; make another one");
    if (listener) this.once("connect", listener);
    this.#open({ ...connectInit({ ...this.#early, ...options }) });
    if (options.timeout !== undefined) this.setTimeout(options.timeout);
    return this;
  }

  /**
   * Connects with TLS from the first byte.
   * @protected
   * @param {Options} options
   */
  connectSecurely(options) {
    const tls = tlsInit(options);
    this.#open({ ...connectInit(options), type: "tls", tls });
  }

  /**
   * Takes the connection of another stream over, and makes a TLS handshake on it.
   * @protected
   * @param {Socket} other
   * @param {Options} options
   */
  secureOver(other, options) {
    const tls = tlsInit(options);
    const { connection, end, unread } = other[takeOver]();
    this.#end = end;
    if (connection && !unread) return this.#secure(connection, tls);
    const why = unread
      ? "bytes that came before the handshake were read, which somebody may have injected"
      : "the socket is not connected";
    this.destroy(Object.assign(new Error(why), { code: "EPROTO" }));
  }

  /**
   * Upgrades this very stream to TLS, as `pg-cloudflare` names it for drivers of databases.
   * @param {Options} [options] of `tls.connect()`
   */
  startTls(options = {}) {
    this.secureOver(this, options);
  }

  /** Called when a handshake is done that `connectSecurely()` or `secureOver()` has begun. @protected */
  secured() {}

  /** The socket that carries this stream, once it connects. @protected */
  get common() {
    return this.#connection?.socket ?? null;
  }

  get pending() {
    return !this.#connection || this.connecting;
  }

  get readyState() {
    if (this.connecting) return "opening";
    if (this.readable) return this.writable ? "open" : "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  get bytesRead() {
    return this.#connection?.bytesRead ?? 0;
  }

  get bytesWritten() {
    return (this.#connection?.bytesWritten ?? 0) + this.writableLength;
  }

  get remoteAddress() {
    return this.common?.info.remote?.address;
  }

  get remotePort() {
    return this.common?.info.remote?.port;
  }

  get remoteFamily() {
    return familyOf(this.remoteAddress);
  }

  get localAddress() {
    return this.common?.info.local?.address;
  }

  get localPort() {
    return this.common?.info.local?.port;
  }

  get localFamily() {
    return familyOf(this.localAddress);
  }

  address() {
    const { localAddress: address, localPort: port, localFamily: family } = this;
    return address === undefined ? {} : { address, port, family };
  }

  /** @param {boolean} [noDelay] */
  setNoDelay(noDelay = true) {
    this.#early.noDelay = noDelay;
    this.#update({ noDelay });
    return this;
  }

  /**
   * @param {boolean} [keepAlive]
   * @param {number} [delay] ms
   */
  setKeepAlive(keepAlive = false, delay = 0) {
    Object.assign(this.#early, { keepAlive, keepAliveInitialDelay: delay });
    this.#update({ keepAliveDelay: keepAlive ? keepAliveDelay(delay) : 0 });
    return this;
  }

  /**
   * @param {number} milliseconds 0 for never
   * @param {() => void} [listener] called once
   */
  setTimeout(milliseconds, listener) {
    this.timeout = milliseconds;
    if (listener) this[milliseconds ? "once" : "off"]("timeout", listener);
    this.#active();
    return this;
  }

  /** Whether a socket keeps its process alive is the platform's business: an open one does. */
  ref() {
    return this;
  }

  unref() {
    return this;
  }

  /** Ends it with a reset. */
  resetAndDestroy() {
    this.#connection?.reset();
    return this.destroy();
  }

  destroySoon() {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  // What Duplex asks for.

  /** @override */
  _read() {
    if (this.#connection && !this.connecting) this.#connection.read();
  }

  /**
   * @override
   * @param {Uint8Array} chunk
   * @param {string} _encoding
   * @param {(error?: Error | null) => void} done
   */
  _write(chunk, _encoding, done) {
    this.#carryOut("write", done, (connection) => connection.write([chunk]));
  }

  /**
   * @override
   * @param {{chunk: Uint8Array}[]} entries
   * @param {(error?: Error | null) => void} done
   */
  _writev(entries, done) {
    this.#carryOut("write", done, (connection) => connection.write(entries.map(({ chunk }) => chunk)));
  }

  /**
   * @override
   * @param {(error?: Error | null) => void} done
   */
  _final(done) {
    this.#carryOut("shutdown", done, (connection) => connection.end());
  }

  /**
   * @override
   * @param {Error | null} error
   * @param {(error?: Error | null) => void} done
   */
  _destroy(error, done) {
    clearTimeout(this.#timer);
    this.connecting = false;
    // What was written goes out first, unless there is more of it than the peer may ever take.
    if (error || this.writableLength > 0) this.#connection?.reset();
    else this.#connection?.close();
    done(error);
  }

  /**
   * Gives the connection away.
   * @returns {{connection: Connection | null, end: {host: string, port: number}, unread: boolean}}
   */
  [takeOver]() {
    return { connection: this.#connection, end: this.#end, unread: this.readableLength > 0 };
  }

  // Inside.

  /** @param {import("../../types/socket.d.ts").SocketInit & {remote: {address: string, port: number}}} init */
  #open(init) {
    this.#end = { host: init.remote.address, port: init.remote.port };
    this.connecting = true;
    const connection = new Connection(init, this.#carrier);
    this.#connection = connection;
    this.#active();
    connection.socket.ready.then(
      () => this.#connected(connection),
      (error) => this.destroy(nodeError(error, "connect", this.#end)),
    );
    for (const go of this.#waiting.splice(0)) go();
  }

  /** @param {Connection} connection */
  #connected(connection) {
    if (this.destroyed) return;
    this.connecting = false;
    this.#active();
    this.emit("connect");
    this.emit("ready");
    if (connection.socket.info.tls) this.secured();
    // Reads ahead, so that the end of a connection is noticed where nobody reads.
    connection.read();
  }

  /**
   * @param {Connection} connection
   * @param {import("../../types/socket.d.ts").SocketTLSInit} tls
   */
  #secure(connection, tls) {
    this.#connection = connection;
    this.connecting = true;
    const { servername, ...rest } = tls;
    // The name of the remote end is what a socket checks by itself.
    const given = servername === this.#end.host ? rest : tls;
    connection.secure(given, this.#carrier).then(
      () => {
        this.connecting = false;
        if (this.destroyed) return;
        this.secured();
        connection.read();
      },
      (error) => this.destroy(nodeError(error, "connect", this.#end)),
    );
  }

  /** @returns {import("./connection.js").Carrier} */
  get #carrier() {
    return {
      arrived: (bytes) => {
        this.#active();
        if (this.destroyed) return true;
        return this.push(bytes && bufferOf(bytes));
      },
      broke: (error) => this.destroy(nodeError(error, "read")),
    };
  }

  /**
   * @param {string} syscall
   * @param {(error?: Error | null) => void} done
   * @param {(connection: Connection) => Promise<void>} action
   */
  #carryOut(syscall, done, action) {
    const connection = this.#connection;
    if (!connection) {
      this.#waiting.push(() => this.#carryOut(syscall, done, action));
      return;
    }
    action(connection).then(
      () => {
        this.#active();
        done();
      },
      (error) => done(nodeError(error, syscall, this.connecting ? this.#end : undefined)),
    );
  }

  /** @param {import("../../types/socket.d.ts").SocketInit} changes hints, whose failure is the connection's own */
  #update(changes) {
    this.common?.update(changes).catch(() => {});
  }

  /** Something happened: the time without activity begins anew. */
  #active() {
    clearTimeout(this.#timer);
    if (this.timeout > 0 && !this.destroyed) this.#timer = setTimeout(() => this.emit("timeout"), this.timeout);
  }
}

/** @param {string | undefined} address */
function familyOf(address) {
  return address && (address.includes(":") ? "IPv6" : "IPv4");
}

/**
 * @param {Uint8Array} bytes
 * @returns {Uint8Array} the same memory, as a Buffer where there are Buffers
 */
function bufferOf(bytes) {
  const { buffer, byteOffset, byteLength } = bytes;
  return globalThis.Buffer ? globalThis.Buffer.from(buffer, byteOffset, byteLength) : bytes;
}
