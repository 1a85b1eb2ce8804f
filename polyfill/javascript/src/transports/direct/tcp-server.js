import { failureOf } from "./failure.js";
import { accept } from "./tcp.js";

/**
 * @typedef {import("../transport.js").Server} Server
 * @typedef {import("../transport.js").ServerClient} ServerClient
 * @typedef {import("../../core/listener-init.js").ListenerOptions} ListenerOptions
 * @typedef {import("./direct-sockets.js").TCPServerSocket} TCPServerSocket
 * @typedef {import("./direct-sockets.js").TCPSocket} TCPSocket
 */

/** @implements {Server} */
class TCPServer {
  #client;

  /** @type {TCPServerSocket | null} */
  #socket = null;

  /** @type {ReadableStreamDefaultReader<TCPSocket> | null} */
  #reader = null;

  #closing = false;

  /**
   * @param {ListenerOptions} options
   * @param {ServerClient} client
   */
  constructor(options, client) {
    this.#client = client;
    queueMicrotask(() => this.#listen(options));
  }

  close() {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#reader) this.#release();
  }

  /** @param {ListenerOptions} options */
  async #listen({ local, backlog }) {
    // Only the unspecified address of IPv6 takes both families, and only where it is asked to.
    const address = local.address ?? "::";
    try {
      this.#socket = new TCPServerSocket(address, {
        ...(local.port > 0 && { localPort: local.port }),
        ...(backlog !== undefined && backlog > 0 && { backlog }),
        ...(address === "::" && { ipv6Only: local.address !== undefined }),
      });
      const { readable, localAddress, localPort } = await this.#socket.opened;
      this.#reader = readable.getReader();
      if (this.#closing) return this.#release();
      const end = { address: localAddress, port: localPort };
      this.#client.listening({ local: end });
      await this.#accept(this.#reader, end);
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * @param {ReadableStreamDefaultReader<TCPSocket>} reader
   * @param {import("../../socket-endpoint.js").Endpoint} local which a TCPSocket that was accepted does not tell
   */
  async #accept(reader, local) {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (this.#closing || !this.#client.wanted) refuse(value).catch(() => {});
      else this.#client.incoming(accept(value, local));
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    if (!this.#closing) this.#client.failed(failureOf("bind", error));
    // Where it listened already, the client has closed it by now.
    if (!this.#reader) this.#client.released();
  }

  async #release() {
    this.#reader?.cancel().catch(() => {});
    await this.#socket?.closed.catch(() => {});
    this.#client.released();
  }
}

/** @param {TCPSocket} socket that nobody wants */
async function refuse(socket) {
  await socket.opened;
  await socket.close();
}

/**
 * @param {ListenerOptions} options
 * @param {ServerClient} client
 * @returns {Server}
 */
export function listen(options, client) {
  return new TCPServer(options, client);
}
