/** @type {any} the globals of Deno, of which no types are at hand */
const { Deno } = globalThis;

/**
 * A port that connections share. Deno lets go of a port only when its endpoint has been collected as garbage, so that a
 * port for each connection would use them up.
 */
export class Endpoint {
  /** Those that connections may come from that want no certain port, by their address. @type {Map<string, Endpoint>} */
  static #shared = new Map();

  #native;
  #users = 1;

  /** Whether no connection is to use it besides those that do. */
  #private;

  /**
   * @param {string} hostname numeric
   * @param {number} [port] none shares it with whoever wants none, too
   * @returns {Endpoint} to be let go of
   * @throws {Error} where it cannot be bound
   */
  static at(hostname, port) {
    const found = port === undefined ? Endpoint.#shared.get(hostname) : undefined;
    if (found) {
      found.#users += 1;
      return found;
    }
    const endpoint = new Endpoint(hostname, port);
    if (port === undefined) Endpoint.#shared.set(hostname, endpoint);
    return endpoint;
  }

  /**
   * @param {string} hostname
   * @param {number} [port]
   */
  constructor(hostname, port) {
    this.#private = port !== undefined;
    this.#native = new Deno.QuicEndpoint({ hostname, port: port ?? 0 });
  }

  /** The QuicEndpoint. */
  get native() {
    return this.#native;
  }

  /** One of those that use it does not any more. */
  letGo() {
    this.#users -= 1;
    if (this.#users === 0 && this.#private) this.#native.close();
  }

  /** Lets go of it while a connection is being made over it, which nothing ends but the end of the endpoint. */
  abandon() {
    for (const [hostname, endpoint] of Endpoint.#shared) if (endpoint === this) Endpoint.#shared.delete(hostname);
    this.#private = true;
    this.letGo();
  }
}
