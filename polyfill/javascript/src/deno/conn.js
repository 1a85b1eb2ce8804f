import { keepAliveDelay } from "../net/options.js";
import { errors } from "./errors.js";

/** @typedef {import("./link.js").Link} Link */

/** @typedef {{transport: "tcp", hostname: string, port: number}} NetAddr */

const dispose = Symbol.dispose ?? Symbol.for("nodejs.dispose");

const nothing = () => {};

/**
 * Takes from a connection what carries it, which leaves nothing of it.
 * @type {(conn: Conn) => Link}
 */
export let take;

/** A connection in the shape of `Deno.TcpConn`, carried by a common Socket. */
export class Conn {
  /** Null when it was taken. @type {Link | null} */
  #link;

  /** @type {ReadableStream<Uint8Array<ArrayBuffer>> | null} */
  #readable = null;

  /** @type {WritableStream<Uint8Array> | null} */
  #writable = null;

  /** @type {NetAddr} */
  localAddr;

  /** @type {NetAddr} */
  remoteAddr;

  /** @param {Link} link that is open */
  constructor(link) {
    const { info } = link.socket;
    this.#link = link;
    this.localAddr = netAddr(info.local);
    this.remoteAddr = netAddr(info.remote);
  }

  /** @protected */
  get link() {
    if (!this.#link) throw new errors.BadResource("Bad resource ID");
    return this.#link;
  }

  static {
    take = (conn) => {
      const { link } = conn;
      if (conn.#readable?.locked || conn.#writable?.locked)
        throw new errors.Busy("A stream of the connection is locked");
      conn.#link = null;
      return link;
    };
  }

  /**
   * @param {Uint8Array} target
   * @returns {Promise<number | null>} how many bytes were received into it; null is the end
   */
  async read(target) {
    return this.link.read(target);
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {Promise<number>} how many bytes were sent: all of them
   */
  async write(bytes) {
    return this.link.write(bytes);
  }

  async closeWrite() {
    await this.link.closeWrite();
  }

  close() {
    this.link.close();
  }

  /** Cancelling it closes the connection. */
  get readable() {
    this.#readable ??= new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: 65_536,
      pull: async (controller) => {
        const request = /** @type {ReadableStreamBYOBRequest} */ (controller.byobRequest);
        const { buffer, byteOffset, byteLength } = /** @type {Uint8Array} */ (request.view);
        const count = await this.read(new Uint8Array(buffer, byteOffset, byteLength));
        if (count === null) controller.close();
        request.respond(count ?? 0);
      },
      cancel: () => this.close(),
    });
    return this.#readable;
  }

  /** Closing it sends the FIN, and aborting it resets the connection. */
  get writable() {
    this.#writable ??= new WritableStream({
      write: async (chunk) => {
        await this.write(chunk);
      },
      close: () => this.closeWrite(),
      abort: async (reason) => {
        await this.link.socket.abort(reason);
      },
    });
    return this.#writable;
  }

  /** @param {boolean} [noDelay] */
  setNoDelay(noDelay = true) {
    this.#update({ noDelay });
  }

  /** @param {boolean} [keepAlive] */
  setKeepAlive(keepAlive = true) {
    this.#update({ keepAliveDelay: keepAlive ? keepAliveDelay() : 0 });
  }

  /** An open connection keeps its process, on every platform. */
  ref() {}

  unref() {}

  [dispose]() {
    try {
      this.close();
    } catch {
      // It was closed, or handed on.
    }
  }

  /** @param {import("../../types/socket.d.ts").SocketInit} changes */
  #update(changes) {
    // A connection that has ended does not need them.
    this.link.socket.update(changes).catch(nothing);
  }
}

/** A connection in the shape of `Deno.TlsConn`, whose handshake is done. */
export class TlsConn extends Conn {
  async handshake() {
    return { alpnProtocol: this.link.socket.info.tls?.alpn ?? null };
  }
}

/** @param {import("../../types/socket.d.ts").SocketEndpoint | null} endpoint */
function netAddr(endpoint) {
  return { transport: /** @type {const} */ ("tcp"), hostname: endpoint?.address ?? "", port: endpoint?.port ?? 0 };
}
