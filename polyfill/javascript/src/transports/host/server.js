import { ask, draw, failureFrom, forget } from "./host.js";
import { transportOf } from "./transports.js";

/**
 * @typedef {import("../transport.js").ListenerOptions} ListenerOptions
 * @typedef {import("../transport.js").Server} Server
 * @typedef {import("../transport.js").ServerClient} ServerClient
 */

/** @implements {Server} */
export class HostServer {
  #client;
  #handle;

  /**
   * @param {ListenerOptions} options
   * @param {ServerClient} client
   */
  constructor({ type, local, backlog, reusePort, accept }, client) {
    this.#client = client;
    this.#handle = draw({
      listening: (ends) => client.listening(ends),
      failed: (details) => client.failed(failureFrom(details)),
      wanted: () => client.wanted,
      incoming: ({ arrival }) => this.#incoming(arrival),
      released: () => {
        forget(this.#handle);
        client.released();
      },
    });
    const { tls, noDelay, keepAliveDelay, ttl, idleTimeout } = accept;
    const accepted = { noDelay, keepAliveDelay, ttl, idleTimeout };
    ask("listen", this.#handle, { type, local, backlog, reusePort, tls, accept: accepted });
  }

  close() {
    ask("close", this.#handle);
  }

  /** @param {number} number of a connection that waits to be taken */
  #incoming(number) {
    const arrival = { server: this.#handle, arrival: number };
    if (!this.#client.wanted) return ask("refuse", this.#handle, arrival);
    return this.#client.incoming((options, client) => transportOf(options, client, arrival));
  }
}
