/**
 * What a host of socket workers needs: the global scope, and listeners whose connect events go to it. It is no part of
 * the API of sockets, and nothing of it happens unless a host asks for it.
 *
 *     installScope();
 *     await import("./worker.js"); // calls addEventListener("connect", ...)
 *     const server = await listen({ local: { port: 8080 } });
 */

import { platform } from "#platform";
import { extensionsOf } from "./connect-event.js";
import { ListenerCore } from "./core/listener-core.js";
import { listenerOptions } from "./core/listener-init.js";
import { coreOf } from "./socket.js";
import { installScope, scopeAudience } from "./worker/scope.js";

export { installScope };

/** @typedef {import("./connect-event.js").ConnectEvent} ConnectEvent */

/** Milliseconds that end a flow of datagrams when its worker is to stop: its peer would never tell of an end. */
const stoppingIdleTime = 1000;

/** What listens at one address for the global scope. */
class WorkerServer {
  /** @type {ListenerCore} */
  #core;

  /** The events whose sockets or promises are not done yet, and what fulfils when they are. */
  #active = /** @type {Map<ConnectEvent, Promise<void>>} */ (new Map());

  /** @param {unknown} init a SocketListenerInit */
  constructor(init) {
    const options = listenerOptions(init, platform);
    const audience = {
      get present() {
        return scopeAudience.present;
      },
      dispatch: (/** @type {ConnectEvent} */ event) => {
        const exception = scopeAudience.dispatch(event);
        this.#active.set(event, this.#outlast(event));
        return exception;
      },
    };
    this.#core = new ListenerCore(audience, options, platform);
    this.#core.start();
  }

  /** Fulfils when it is bound. */
  get ready() {
    return this.#core.ready;
  }

  /** Where it is bound to, once it is. */
  get address() {
    return this.#core.info.local;
  }

  /** @returns {Promise<undefined>} fulfils when the port is free; connections live on */
  close() {
    return this.#core.close();
  }

  /**
   * Stops accepting, lets what is going on come to its end, and resets what has not by then.
   * @param {number} grace ms
   * @returns {Promise<number>} how many connections were reset
   */
  async stop(grace) {
    const closed = this.close();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, grace);
    });
    await Promise.race([this.#finish(), late]);
    clearTimeout(timer);
    const rest = [...this.#active.keys()]
      .map(({ socket }) => coreOf(socket))
      .filter(({ lifecycle }) => !lifecycle.terminal);
    await Promise.all(rest.map((core) => core.abort(undefined)));
    await closed;
    return rest.length;
  }

  /**
   * @param {ConnectEvent} event
   * @returns {Promise<void>} fulfils when its socket and its promises are done
   */
  async #outlast(event) {
    await coreOf(event.socket).closed.catch(() => {});
    await quiet(event);
    this.#active.delete(event);
  }

  async #finish() {
    for (const event of this.#active.keys()) {
      const core = coreOf(event.socket);
      if (core.options.type !== "udp") continue;
      event.socket.update({ idleTimeout: stoppingIdleTime }).catch(() => {});
      // When nobody is at work on it any more, nothing of it is missed.
      quiet(event).then(() => core.dispose().catch(() => {}));
    }
    while (this.#active.size > 0) await Promise.all(this.#active.values());
  }
}

/**
 * @param {ConnectEvent} event
 * @returns {Promise<void>} fulfils when every promise that was passed to its waitUntil() has settled
 */
async function quiet(event) {
  for (const extensions = extensionsOf(event); extensions.size > 0; ) await Promise.all(extensions);
}

/**
 * Begins to listen for the global scope.
 * @param {unknown} init a SocketListenerInit
 * @returns {Promise<WorkerServer>} rejects with what the constructor of a SocketListener throws, or its `ready` rejects
 *   with
 */
export async function listen(init) {
  installScope();
  const server = new WorkerServer(init);
  await server.ready;
  return server;
}
