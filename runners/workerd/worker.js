/**
 * The agent as a worker. A Durable Object holds everything, because sockets belong to the request that made them: the
 * WebSocket with the harness's requests comes to it, and what comes in at the other ports is handed over to it.
 */

import { DurableObject } from "cloudflare:workers";
import { description, exports, host, tree } from "under-test";
import { hasSocket, startAgent } from "../agent/shell.js";

/**
 * @typedef {import("cloudflare:sockets").PlatformSocket} PlatformSocket
 * @typedef {{AGENT: {getByName: (name: string) => Agent}}} Bindings
 */

/** @type {{connect?: (socket: PlatformSocket) => Promise<void>}} */
const worker = /** @type {any} */ (host) ?? {};

/** @extends {DurableObject<Bindings>} */
export class Agent extends DurableObject {
  /**
   * The WebSocket of the harness.
   *
   * @param {Request} request whose query has what a worker is not told otherwise
   */
  fetch(request) {
    const { version, platform } = Object.fromEntries(new URL(request.url).searchParams);
    const implementation = description ?? { name: "built-in", version };
    if (!hasSocket({ exports })) return new Response(`${implementation.name} exports no Socket\n`, { status: 501 });
    const { 0: theirs, 1: ours } = new WebSocketPair();
    ours.accept();
    const agent = startAgent({
      exports,
      host,
      implementation,
      runtime: { name: "workerd", version },
      platform,
      readTree: () => tree,
      write: (lines) => ours.send(lines),
      leave() {},
    });
    ours.addEventListener("message", ({ data }) => agent.receive(data));
    globalThis.addEventListener("unhandledrejection", ({ reason }) => agent.unhandled(reason));
    globalThis.addEventListener("error", ({ error }) => agent.unhandled(error));
    return new Response(null, { status: 101, webSocket: theirs });
  }

  /**
   * A connection from outside.
   *
   * @param {PlatformSocket} socket
   */
  take(socket) {
    return worker.connect?.(socket) ?? socket.close();
  }
}

/** @param {Bindings} bindings */
const agentOf = ({ AGENT }) => AGENT.getByName("agent");

export default {
  /** @type {(request: Request, bindings: Bindings) => unknown} */
  fetch: (request, bindings) => agentOf(bindings).fetch(request),

  /** @type {(socket: PlatformSocket, bindings: Bindings) => Promise<unknown>} */
  async connect(socket, bindings) {
    // Only an open socket can be handed over.
    await socket.opened;
    return agentOf(bindings).take(socket);
  },
};
