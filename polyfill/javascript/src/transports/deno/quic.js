import dns from "node:dns/promises";
import net from "node:net";
import { inPEM } from "../node/tls.js";
import { datagramSockets } from "./datagram-socket.js";
import { Endpoint } from "./quic-endpoint.js";
import { DenoQuicTransport } from "./quic-session.js";

/**
 * @typedef {import("../transport.js").QuicClient} QuicClient
 * @typedef {import("../transport.js").QuicTransport} QuicTransport
 * @typedef {import("../../core/failure.js").Phase} Phase
 * @typedef {import("../../core/failure.js").TransportFailure} TransportFailure
 * @typedef {import("../../core/init.js").SocketOptions} SocketOptions
 * @typedef {import("../../core/init.js").Remote} Remote
 * @typedef {import("../../core/init.js").TLSInit} TLSInit
 * @typedef {import("../../socket-tls-info.js").TLSDetails} TLSDetails
 */

/** @type {any} the globals of Deno, of which no types are at hand */
const { Deno } = globalThis;

/** Whether this Deno has QUIC: it takes --unstable-net. */
export const hasQuic = typeof Deno.QuicEndpoint === "function";

/** What an error of Deno says, and the phase and the code of what it means. @type {[RegExp, Phase, string | null][]} */
const meanings = [
  [/invalid peer certificate|certificate (?:unknown|required|expired)/i, "tls-handshake", "CERT_REJECTED"],
  [/cryptographic handshake failed|application protocol/i, "tls-handshake", null],
  [/timed out/, "connect", "ETIMEDOUT"],
  [/refused/, "connect", "ECONNREFUSED"],
  [/aborted by peer|closed by peer/, "tls-handshake", null],
];

/** Options of Deno's QUIC for either end. `idleTimeout` of the socket is another one. */
export const connectionOptions = {
  maxIdleTimeout: 60_000,
  maxConcurrentBidirectionalStreams: 128,
  maxConcurrentUnidirectionalStreams: 128,
};

/**
 * @param {Error & {code?: string}} error
 * @param {Phase} phase in which it came, if it does not tell another one
 * @returns {TransportFailure}
 */
export function failureOf(error, phase) {
  const { message, code = null } = error;
  const known = code ? undefined : meanings.find(([pattern]) => pattern.test(message));
  return { phase: known?.[1] ?? phase, code: known?.[2] ?? code, message, cause: error };
}

/**
 * @param {any} conn a QuicConn
 * @param {string | null} servername that was sent
 * @returns {TLSDetails} Deno tells neither the cipher suite nor the certificate of the peer
 */
export function detailsOf(conn, servername) {
  const peerCertificates = Object.freeze(/** @type {ArrayBuffer[]} */ ([]));
  // RFC 9001 section 4.2: there is no older version in QUIC.
  return { version: "TLSv1.3", cipher: "", alpn: conn.protocol ?? null, servername, peerCertificates };
}

/** Makes one connection: to the first address of the host that answers. */
class Connecting {
  #transport;
  #cancelled = false;

  /** What it is being made over. @type {Endpoint | null} */
  #endpoint = null;

  /**
   * @param {SocketOptions} options
   * @param {DenoQuicTransport} transport
   */
  constructor(options, transport) {
    this.#transport = transport;
    this.#run(options).catch((error) => {
      if (!this.#cancelled) transport.failed(failureOf(error, "connect"));
    });
  }

  cancel() {
    this.#cancelled = true;
    this.#endpoint?.abandon();
  }

  /** @param {SocketOptions} options */
  async #run(options) {
    const { remote, local } = options;
    const family = local?.address ? net.isIP(local.address) : 0;
    const addresses = await dns.lookup(/** @type {Remote} */ (remote).host, { all: true, family });
    for (const { address } of addresses) {
      if (this.#cancelled) return;
      const last = address === addresses.at(-1)?.address;
      if (await this.#attempt(address, last, options)) return;
    }
  }

  /**
   * @param {string} address
   * @param {boolean} last whether its failure is the one that counts
   * @param {SocketOptions} options
   * @returns {Promise<boolean>} whether it has led to something
   */
  async #attempt(address, last, { remote, local, tls = {} }) {
    const { host, port } = /** @type {Remote} */ (remote);
    const endpoint = this.#bind(local, address);
    if (!endpoint) return true;
    const name = tls.servername ?? host;
    // "An IP address is never sent as the server's name", but it is what the certificate is checked against.
    const servername = net.isIP(name) ? null : name;
    try {
      const conn = await Deno.connectQuic({
        hostname: address,
        port,
        endpoint: endpoint.native,
        serverName: name,
        alpnProtocols: tls.alpn,
        ...credentialsOf(tls),
        ...connectionOptions,
      });
      if (this.#cancelled) {
        conn.close();
        return true;
      }
      this.#endpoint = null;
      const { hostname, port: bound } = endpoint.native.addr;
      this.#transport.adopt({
        conn,
        letGo: () => endpoint.letGo(),
        details: {
          remote: { address, port },
          local: { address: hostname, port: bound },
          tls: detailsOf(conn, servername),
        },
      });
      return true;
    } catch (error) {
      if (this.#cancelled) return true;
      endpoint.letGo();
      if (last) throw error;
      return false;
    }
  }

  /**
   * @param {SocketOptions["local"]} local
   * @param {string} address of the remote end
   */
  #bind(local, address) {
    const anywhere = net.isIPv6(address) ? "::" : "0.0.0.0";
    const hostname = local?.address ?? datagramSockets.sourceTowards(address) ?? anywhere;
    try {
      this.#endpoint = Endpoint.at(hostname, local?.port);
      return this.#endpoint;
    } catch (error) {
      this.#transport.failed(failureOf(/** @type {Error} */ (error), "bind"));
      return null;
    }
  }
}

/**
 * @param {TLSInit} tls
 * @returns {object} options of Deno's QUIC
 */
function credentialsOf(tls) {
  const { key, cert, ca } = inPEM(tls);
  return {
    ...(key !== undefined && { key: `${key}`, cert: `${cert}` }),
    ...(ca && { caCerts: ca.map(String) }),
    ...(tls.serverCertificateHashes && { serverCertificateHashes: tls.serverCertificateHashes }),
  };
}

/**
 * @param {SocketOptions} options
 * @param {QuicClient} client
 * @returns {QuicTransport}
 */
export function connect(options, client) {
  return new DenoQuicTransport(client, true, (transport) => new Connecting(options, transport));
}
