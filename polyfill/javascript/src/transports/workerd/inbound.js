/**
 * Connections that come from outside. The configuration of a worker opens its ports, and the platform brings what comes
 * in at any of them to the `connect` handler of the worker. So to listen means to claim one of these ports; which are
 * taken, node:net keeps for all.
 */

import { endpointOf } from "./connection.js";
import { net } from "./node-net.js";
import { accept } from "./tcp.js";
import { acceptFlow } from "./udp.js";

/**
 * @typedef {import("cloudflare:sockets").PlatformSocket} PlatformSocket
 * @typedef {import("../transport.js").Server} Server
 * @typedef {import("../transport.js").ServerClient} ServerClient
 * @typedef {import("../../core/listener-init.js").ListenerOptions} ListenerOptions
 */

/** Who has claimed a port. @type {Map<number, ServerClient>} */
const claimed = new Map();

/** @implements {Server} */
class InboundServer {
  #client;
  #claim = net.createServer();
  #port = 0;

  /**
   * @param {ListenerOptions} options
   * @param {ServerClient} client
   */
  constructor({ local, reusePort }, client) {
    this.#client = client;
    this.#claim.on("error", (/** @type {Error & {code?: string}} */ error) => {
      const { code = null, message } = error;
      client.failed({ phase: "bind", code, message, cause: error });
    });
    this.#claim.once("listening", () => this.#listening(local.address));
    this.#claim.listen({ host: local.address, port: local.port, reusePort });
  }

  close() {
    if (claimed.get(this.#port) === this.#client) claimed.delete(this.#port);
    this.#claim.close();
    queueMicrotask(() => this.#client.released());
  }

  /** @param {string | undefined} address that was asked for: the platform does not tell which one it is */
  #listening(address = "::") {
    this.#port = this.#claim.address().port;
    claimed.set(this.#port, this.#client);
    this.#client.listening({ local: { address, port: this.#port } });
  }
}

/**
 * @param {ListenerOptions} options
 * @param {ServerClient} client
 * @returns {Server}
 */
export function listen(options, client) {
  if (net) return new InboundServer(options, client);
  const message =
    "Without node:net (compatibility flag nodejs_compat) there are no listeners, only the connect handler";
  queueMicrotask(() => client.failed({ phase: "bind", code: null, message, cause: undefined }));
  return { close: () => queueMicrotask(() => client.released()) };
}

/**
 * Takes a connection that the platform has brought, or a flow of datagrams.
 * @param {PlatformSocket} socket
 * @param {(type: "tcp" | "udp") => ServerClient} unclaimed gives who takes what comes in at a port that nobody has claimed
 * @returns {Promise<void>} fulfils when it is over
 */
export async function take(socket, unclaimed) {
  const { remoteAddress, localAddress } = await socket.opened;
  const type = socket.protocol === "udp" ? "udp" : "tcp";
  const local = endpointOf(localAddress);
  // Of a flow the platform tells no port.
  const ends = { remote: endpointOf(remoteAddress), local: local?.port ? local : null };
  const client = claimed.get(ends.local?.port ?? 0) ?? unclaimed(type);
  // The nearest that there is to a reset.
  if (!client.wanted) return socket.close();
  const begin = type === "udp" ? acceptFlow : accept;
  await new Promise((resolve) => {
    client.incoming(begin({ socket, ends, released: () => resolve(undefined) }));
  });
}
