import dgram from "node:dgram";
import dns from "node:dns/promises";
import net from "node:net";
import { getSystemErrorName } from "node:util";
import { connectOffering, importQuic, onEnd } from "./node-quic.js";
import { familyOf, useEndpoint } from "./quic-endpoints.js";
import { BunQuicTransport } from "./quic-session.js";
import { clientOptions, detailsOf, rejection } from "./quic-tls.js";

/**
 * @typedef {import("../transport.js").QuicClient} QuicClient
 * @typedef {import("../transport.js").QuicTransport} QuicTransport
 * @typedef {import("../../core/failure.js").TransportFailure} TransportFailure
 * @typedef {import("../../core/init.js").SocketOptions} SocketOptions
 * @typedef {import("../../core/init.js").Remote} Remote
 * @typedef {import("./node-quic.js").Ending} Ending
 * @typedef {import("./quic-session.js").Link} Link
 * @typedef {import("./quic-tls.js").Handshake} Handshake
 */

/** The least that the peer may send ahead of what is read, in bytes; about what a read brings on other transports. */
const smallestWindow = 65536;

/** RFC 9000 section 20.1 and RFC 9001 section 4.8: "adding the one-byte alert description to 0x0100". */
const connectionRefused = 2;
const cryptoError = 0x100;

/** What Bun calls it when no answer comes, with an alert that nobody has sent. */
const timedOut = "handshake timed out";

/** RFC 8446 section 6.2 */
const badCertificate = 42;

/** How long one address has for its answer before the next one is tried beside it, in ms. RFC 8305 section 5 */
const attemptDelay = 250;

/**
 * @param {Pick<SocketOptions, "receiveBufferSize">} options
 * @returns {object} options of node:quic, for either end
 */
export function connectionOptions({ receiveBufferSize }) {
  const window = Math.max(receiveBufferSize, smallestWindow);
  return {
    maxStreamWindow: window,
    transportParams: {
      initialMaxStreamDataBidiLocal: window,
      initialMaxStreamDataBidiRemote: window,
      initialMaxStreamDataUni: window,
      initialMaxStreamsBidi: 128,
      initialMaxStreamsUni: 128,
      // Seconds, unless the peer wants it sooner. `idleTimeout` of the socket is another one.
      maxIdleTimeout: 60,
      maxDatagramFrameSize: 65535,
    },
  };
}

/** Makes one connection: to the first address of the host that answers. */
class Connecting {
  #options;
  #transport;

  /** @type {Attempt[]} */
  #attempts = [];

  #done = false;

  /**
   * @param {SocketOptions} options
   * @param {BunQuicTransport} transport
   */
  constructor(options, transport) {
    this.#options = options;
    this.#transport = transport;
    this.#run().catch((error) => this.#fail(failureOf("connect", error)));
  }

  /** @returns {Promise<unknown>} fulfils when nothing is left of it */
  cancel() {
    this.#done = true;
    return Promise.all(this.#attempts.map((attempt) => attempt.cancel()));
  }

  async #run() {
    const quic = await importQuic();
    const { remote, local } = this.#options;
    const { host } = /** @type {Remote} */ (remote);
    // A name is looked up in the family of the address that the connection is to come from.
    const family = local?.address ? net.isIP(local.address) : 0;
    const addresses = await dns.lookup(host, { all: true, family });
    /** @type {TransportFailure | null} */
    let failure = null;
    let failed = 0;
    for (const { address } of addresses) {
      if (this.#done) return;
      await new Promise((goOn) => {
        const attempt = new Attempt(quic, address, this.#options, {
          linked: (link) => this.#linked(attempt, link),
          failed: (why) => {
            failure = why;
            failed += 1;
            goOn(undefined);
            // "The last attempt names the failure."
            if (failed === addresses.length) this.#fail(failure);
          },
        });
        this.#attempts.push(attempt);
        setTimeout(goOn, attemptDelay).unref();
      });
    }
  }

  /**
   * @param {Attempt} winner
   * @param {Link} link
   */
  #linked(winner, link) {
    this.#done = true;
    for (const attempt of this.#attempts) if (attempt !== winner) attempt.cancel();
    this.#transport.adopt(link);
  }

  /** @param {TransportFailure} failure */
  #fail(failure) {
    if (this.#done) return;
    this.#done = true;
    this.#transport.failed(failure);
  }
}

/**
 * @typedef {object} AttemptObserver
 * @property {(link: Link) => void} linked
 * @property {(failure: TransportFailure) => void} failed
 */

/** The attempt to connect to one address. */
class Attempt {
  #quic;
  #options;
  #observer;

  /** @type {import("./quic-endpoints.js").Use | null} */
  #use = null;

  /** @type {any} */
  #session = null;

  /** It has come to something, or is given up. */
  #over = false;

  /**
   * @param {import("./node-quic.js").QuicModule} quic
   * @param {string} address
   * @param {SocketOptions} options
   * @param {AttemptObserver} observer
   */
  constructor(quic, address, options, observer) {
    this.#quic = quic;
    this.#options = options;
    this.#observer = observer;
    this.#connect(address).catch((error) => this.#fail(failureOf("connect", error)));
  }

  /** @returns {Promise<unknown>} */
  cancel() {
    this.#over = true;
    return this.#letGo();
  }

  /** @param {string} address */
  async #connect(address) {
    const { remote, local, tls = {}, ...rest } = this.#options;
    const { host, port } = /** @type {Remote} */ (remote);
    const name = tls.servername ?? host;
    const from = local?.address ?? (await sourceOf(address, port));
    if (this.#over) return;
    const use = useEndpoint(this.#quic, from, local?.port ?? 0);
    this.#use = use;
    use.broken.catch((/** @type {Error} */ error) => this.#fail(failureOf("bind", error)));
    const to = { address, port, family: familyOf(address) };
    const options = {
      ...clientOptions(tls, name),
      ...connectionOptions(rest),
      endpoint: use.endpoint,
      onerror() {},
      onhandshake: (/** @type {Handshake} */ handshake) => this.#handshaken(handshake, tls, name, { address, port }),
    };
    const session = await connectOffering(this.#quic, to, options, tls.alpn ?? []).catch(async (error) => {
      // Where binding fails, the endpoint has the better reason, and tells it in this turn.
      await new Promise((resolve) => setImmediate(resolve));
      throw error;
    });
    this.#session = session;
    onEnd(this.#quic, session, (ending) => this.#fail(handshakeFailure(ending)));
    if (this.#over) this.#letGo();
  }

  /**
   * @param {Handshake} handshake
   * @param {import("../../core/init.js").TLSInit} tls
   * @param {string} name
   * @param {import("../../socket-endpoint.js").Endpoint} remote
   */
  #handshaken(handshake, tls, name, remote) {
    const session = this.#session;
    if (this.#over) return;
    const refused = rejection(tls, name, session, handshake);
    if (refused) {
      session.destroy(undefined, { code: cryptoError + badCertificate, type: "transport", reason: refused.message });
      return this.#fail({ phase: "tls-handshake", ...refused, cause: undefined });
    }
    this.#over = true;
    const { address, port } = session.path.local;
    this.#observer.linked({
      quic: this.#quic,
      session,
      letGo: () => this.#letGo(),
      details: { remote, local: { address, port }, tls: detailsOf(session, handshake) },
    });
  }

  /** @param {TransportFailure} failure */
  #fail(failure) {
    if (this.#over) return;
    this.#over = true;
    this.#observer.failed(failure);
    this.#letGo();
  }

  async #letGo() {
    // RFC 9000 section 10.2.3: during the handshake no code of the application may be told.
    if (this.#session && !this.#session.destroyed) this.#session.destroy(undefined, { code: 0n, type: "transport" });
    const use = this.#use;
    this.#use = null;
    await use?.letGo();
  }
}

/**
 * A datagram socket that is connected knows from which address the system would send, and sends nothing itself. An
 * endpoint of QUIC is not connected and would name no interface's address.
 * @param {string} address of the remote end
 * @param {number} port
 * @returns {Promise<string>}
 */
export function sourceOf(address, port) {
  return new Promise((resolve, reject) => {
    const probe = dgram.createSocket(net.isIPv6(address) ? "udp6" : "udp4");
    probe.once("error", reject);
    probe.connect(port, address, () => {
      const { address: source } = probe.address();
      probe.close();
      resolve(source);
    });
  });
}

/**
 * @param {"connect" | "bind"} phase
 * @param {any} error of the system, or one of node:quic, which has the system's number at the end of its message
 * @returns {TransportFailure}
 */
export function failureOf(phase, error) {
  const number = /\((\d+)\)$/.exec(error.message)?.[1];
  const code = number === undefined ? (error.code ?? null) : getSystemErrorName(-Number(number));
  return { phase, code, message: error.message, cause: error };
}

/**
 * @param {Ending} ending of a connection whose handshake is not done
 * @returns {TransportFailure}
 */
export function handshakeFailure({ kind, code, reason }) {
  const cause = undefined;
  if (kind === "idle" || reason === timedOut) {
    return { phase: "connect", code: "ETIMEDOUT", message: "The server does not answer", cause };
  }
  if (kind === "transport" && code === connectionRefused) {
    const message = `The server refuses the connection ${reason}`.trimEnd();
    return { phase: "connect", code: "ECONNREFUSED", message, cause };
  }
  const what = kind === "transport" && code >= cryptoError ? `alert ${code - cryptoError}` : `${kind} error ${code}`;
  return { phase: "tls-handshake", code: null, message: `The handshake failed: ${what} ${reason}`.trimEnd(), cause };
}

/**
 * @param {SocketOptions} options
 * @param {QuicClient} client
 * @returns {QuicTransport}
 */
export function connect(options, client) {
  return new BunQuicTransport(client, true, (transport) => new Connecting(options, transport));
}
