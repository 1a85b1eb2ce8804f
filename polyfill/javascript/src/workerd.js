/**
 * What a worker of workerd needs of this package to be a socket worker: the global scope with the `connect` event, which
 * importing this makes, and the handler by which the platform brings connections.
 *
 *     import { connect } from "commonsocket/worker";
 *
 *     addEventListener("connect", (event) => event.waitUntil(serve(event.socket)));
 *     export default { connect };
 */

import { platform } from "#platform";
import { extensionsOf } from "./connect-event.js";
import { ListenerCore } from "./core/listener-core.js";
import { listenerOptions } from "./core/listener-init.js";
import { take } from "./transports/workerd/inbound.js";
import { installScope, scopeAudience } from "./worker/scope.js";

export { installScope, listen } from "./worker.js";

/**
 * @typedef {import("./connect-event.js").ConnectEvent} ConnectEvent
 * @typedef {import("cloudflare:sockets").PlatformSocket} PlatformSocket
 */

installScope();

/** The event of one connection: nothing is shared by connections, as the platform keeps apart what they do. */
class Arrival {
  /** @type {ConnectEvent | null} */
  #event = null;

  get present() {
    return scopeAudience.present;
  }

  /** @param {ConnectEvent} event */
  dispatch(event) {
    this.#event = event;
    return scopeAudience.dispatch(event);
  }

  /** @returns {Promise<void>} fulfils when every promise that was passed to waitUntil() has settled */
  async quiet() {
    const extensions = this.#event ? extensionsOf(this.#event) : new Set();
    while (extensions.size > 0) await Promise.all(extensions);
  }
}

/**
 * The `connect` handler of a worker. What comes in at a port that a SocketListener has claimed goes to it, and everything
 * else is told by the global `connect` event.
 * @param {PlatformSocket} socket
 * @returns {Promise<void>} fulfils when the connection is over and nothing waits for it any more: until then the platform
 *   lets it live
 */
export async function connect(socket) {
  const arrival = new Arrival();
  await take(socket, (type) => listenerFor(arrival, type));
  await arrival.quiet();
}

/**
 * @param {Arrival} arrival
 * @param {"tcp" | "udp"} type
 */
function listenerFor(arrival, type) {
  const server = { close() {} };
  const inbound = /** @type {typeof platform} */ ({
    ...platform,
    supportedTypes: ["tcp", "udp"],
    listen: () => server,
  });
  const core = new ListenerCore(arrival, listenerOptions({ type }, inbound), inbound);
  core.start();
  core.listening({ local: { address: "::", port: 0 } });
  return core;
}
