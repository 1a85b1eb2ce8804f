import process from "node:process";
import { plainAddress } from "../node/address.js";
import { importQuic, onEnd } from "./node-quic.js";
import { connectionOptions, failureOf, handshakeFailure, sourceOf } from "./quic.js";
import { familyOf } from "./quic-endpoints.js";
import { BunQuicTransport } from "./quic-session.js";
import { detailsOf, serverOptions } from "./quic-tls.js";

/**
 * @typedef {import("../transport.js").QuicClient} QuicClient
 * @typedef {import("../transport.js").Server} Server
 * @typedef {import("../transport.js").ServerClient} ServerClient
 * @typedef {import("../../core/listener-init.js").ListenerOptions} ListenerOptions
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {import("./node-quic.js").QuicModule} QuicModule
 * @typedef {import("./quic-tls.js").Handshake} Handshake
 */

/** RFC 9000 section 20.1: "the server refused to accept a new connection". */
const connectionRefused = { code: 2n, type: "transport" };

/** What binds to every address of both families. */
const everywhere = "::";

/** @implements {Server} */
class BunQuicServer {
  #client;

  /** @type {any} */
  #endpoint = null;

  #closing = false;

  /** @type {Endpoint} */
  #local = { address: "", port: 0 };

  /**
   * @param {ListenerOptions} options
   * @param {ServerClient} client
   */
  constructor(options, client) {
    this.#client = client;
    this.#listen(options).catch((error) => client.failed(failureOf("bind", error)));
  }

  /** Ends when the last connection has ended, which lives on. */
  close() {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#endpoint) this.#endpoint.close();
    else process.nextTick(() => this.#client.released());
  }

  /** @param {ListenerOptions} options */
  async #listen({ local, reusePort, accept }) {
    const quic = await importQuic();
    const { address = everywhere, port } = local;
    const endpoint = new quic.QuicEndpoint({ address: { address, port, family: familyOf(address) }, reusePort });
    /** @type {Promise<never>} */
    const broken = endpoint.closed.then(
      // Whoever closed it before it was there has been told already.
      () => this.#endpoint && this.#client.released(),
      (/** @type {Error} */ error) => Promise.reject(error),
    );
    const options = { ...serverOptions(accept.tls ?? {}), ...connectionOptions(accept), endpoint };
    await quic.listen((/** @type {any} */ session) => this.#accept(quic, session), options).catch(() => broken);
    // Where the address cannot be bound, Bun says so of the endpoint alone.
    if (!endpoint.address) await broken;
    broken.catch(() => {});
    if (this.#closing) return void endpoint.close();
    this.#endpoint = endpoint;
    this.#local = { address: endpoint.address.address, port: endpoint.address.port };
    this.#client.listening({ local: this.#local });
  }

  /**
   * @param {QuicModule} quic
   * @param {any} session whose handshake has begun
   */
  #accept(quic, session) {
    session.onerror = () => {};
    if (this.#closing || !this.#client.wanted) return void session.close(connectionRefused).catch(() => {});
    this.#client.incoming((_options, client) => {
      const quicClient = /** @type {QuicClient} */ (client);
      return new BunQuicTransport(quicClient, false, (transport) => this.#begin(quic, session, transport));
    });
  }

  /**
   * @param {QuicModule} quic
   * @param {any} session
   * @param {BunQuicTransport} transport
   */
  #begin(quic, session, transport) {
    let over = false;
    session.onhandshake = (/** @type {Handshake & {remote: Endpoint}} */ handshake) => {
      over = true;
      transport.adopt({ quic, session, letGo: async () => {}, details: this.#detailsOf(session, handshake) });
    };
    onEnd(quic, session, (ending) => {
      if (!over) transport.failed(handshakeFailure(ending));
      over = true;
    });
    return {
      async cancel() {
        over = true;
        session.destroy();
      },
    };
  }

  /**
   * @param {any} session
   * @param {Handshake & {remote: Endpoint}} handshake
   */
  async #detailsOf(session, handshake) {
    const { address, port } = handshake.remote;
    const remote = { address: plainAddress(address), port };
    const tls = detailsOf(session, handshake);
    const { address: bound, port: localPort } = this.#local;
    const anywhere = bound === everywhere || bound === "0.0.0.0";
    return {
      remote,
      local: { address: anywhere ? await sourceOf(remote.address, port) : bound, port: localPort },
      tls,
    };
  }
}

/**
 * @param {ListenerOptions} options
 * @param {ServerClient} client
 * @returns {Server}
 */
export function listen(options, client) {
  return new BunQuicServer(options, client);
}
