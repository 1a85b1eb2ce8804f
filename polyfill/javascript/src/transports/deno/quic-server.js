import process from "node:process";
import { plainAddress } from "../node/address.js";
import { inPEM } from "../node/tls.js";
import { connectionOptions, detailsOf, failureOf } from "./quic.js";
import { DenoQuicTransport } from "./quic-session.js";

/**
 * @typedef {import("../transport.js").QuicClient} QuicClient
 * @typedef {import("../transport.js").Server} Server
 * @typedef {import("../transport.js").ServerClient} ServerClient
 * @typedef {import("../../core/listener-init.js").ListenerOptions} ListenerOptions
 */

/** @type {any} the globals of Deno, of which no types are at hand */
const { Deno } = globalThis;

/** @implements {Server} */
class DenoQuicServer {
  #client;

  /** @type {any} */
  #endpoint = null;

  /** @type {any} */
  #listener = null;

  #closing = false;
  #released = false;

  /** How many connections there are whose handshake is done. They outlive the listener and share its port. */
  #connections = 0;

  /**
   * @param {ListenerOptions} options
   * @param {ServerClient} client
   */
  constructor(options, client) {
    this.#client = client;
    // Later, as nothing is to be called back before this returns.
    process.nextTick(() => this.#listen(options));
  }

  close() {
    if (this.#closing) return;
    this.#closing = true;
    // The listener is not stopped: a handshake that is going on would bring Deno down then.
    this.#closeIfUnused();
  }

  /** @param {ListenerOptions} options */
  #listen({ local, accept }) {
    if (this.#closing) return;
    const { address: hostname = "::", port } = local;
    const { key, cert } = inPEM(accept.tls ?? {});
    try {
      if (accept.tls?.requestClientCertificate) throw new Error("Deno's QUIC cannot ask for a client certificate");
      this.#endpoint = new Deno.QuicEndpoint({ hostname, port });
      this.#listener = this.#endpoint.listen({
        alpnProtocols: accept.tls?.alpn ?? [],
        key: `${key}`,
        cert: `${cert}`,
        ...connectionOptions,
      });
    } catch (error) {
      this.#client.failed(failureOf(/** @type {Error} */ (error), "bind"));
      return;
    }
    const { hostname: address, port: bound } = this.#endpoint.addr;
    this.#client.listening({ local: { address, port: bound } });
    this.#accept();
  }

  async #accept() {
    try {
      for (;;) this.#incoming(await this.#listener.incoming());
    } catch {
      // The endpoint was closed.
    }
  }

  /** @param {any} incoming a QuicIncoming */
  #incoming(incoming) {
    if (this.#closing || !this.#client.wanted) return void incoming.refuse();
    this.#client.incoming(
      (_options, client) =>
        new DenoQuicTransport(/** @type {QuicClient} */ (client), false, (transport) =>
          this.#begin(incoming, transport),
        ),
    );
  }

  /**
   * @param {any} incoming
   * @param {DenoQuicTransport} transport
   */
  #begin(incoming, transport) {
    // To ask it for an address would use it up.
    const { hostname, port: bound } = this.#endpoint.addr;
    const local = { address: plainAddress(hostname), port: bound };
    incoming.accept().then(
      (/** @type {any} */ conn) => {
        this.#connections += 1;
        const { hostname: address, port } = conn.remoteAddr;
        const remote = { address: plainAddress(address), port };
        const details = { remote, local, tls: detailsOf(conn, conn.serverName) };
        transport.adopt({ conn, letGo: () => this.#forget(), details });
      },
      (/** @type {Error} */ error) => transport.failed(failureOf(error, "tls-handshake")),
    );
    return { cancel() {} };
  }

  #forget() {
    this.#connections -= 1;
    this.#closeIfUnused();
  }

  #closeIfUnused() {
    if (!this.#closing || this.#released || this.#connections > 0) return;
    this.#released = true;
    this.#endpoint?.close();
    process.nextTick(() => this.#client.released());
  }
}

/**
 * @param {ListenerOptions} options
 * @param {ServerClient} client
 * @returns {Server}
 */
export function listen(options, client) {
  return new DenoQuicServer(options, client);
}
