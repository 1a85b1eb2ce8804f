/**
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("./tcp.js").Accepted} Accepted
 */

/**
 * The flow of datagrams of one client, as the platform brings it: each chunk of its streams is a Datagram.
 * @implements {Transport}
 */
class FlowTransport {
  #client;
  #accepted;
  #reader;
  #writer;
  #over = false;

  /**
   * @param {DatagramClient} client
   * @param {Accepted} accepted
   */
  constructor(client, accepted) {
    this.#client = client;
    this.#accepted = accepted;
    this.#reader = /** @type {ReadableStream<any>} */ (accepted.socket.readable).getReader();
    this.#writer = /** @type {WritableStream<any>} */ (accepted.socket.writable).getWriter();
    accepted.socket.closed.catch(() => {});
    queueMicrotask(() => {
      client.connected(accepted.ends);
      this.#read();
    });
  }

  /** @param {any} data */
  write(data) {
    const size = data.length;
    this.#client.datagramSent(size);
    // The chunk is the platform's until it is sent, and its writer's at once.
    this.#writer.write(new Datagram(data.slice())).catch((error) => this.#unsent(size, error));
    return true;
  }

  writeFin() {
    queueMicrotask(() => this.#client.finAccepted());
  }

  resume() {}

  configure() {}

  close() {
    if (this.#over) return;
    this.#over = true;
    // The platform's own close() is not for flows.
    Promise.allSettled([this.#reader.cancel(), this.#writer.close()]).then(() => {
      this.#client.released();
      this.#accepted.released();
    });
  }

  reset() {
    this.close();
  }

  async #read() {
    const reader = this.#reader;
    try {
      for (let read = await reader.read(); !read.done && !this.#over; read = await reader.read()) {
        this.#client.datagram(read.value.data.slice(), { address: "", port: 0 });
      }
    } catch {
      // It ends by its idle timeout, or because it was let go of.
    }
    if (!this.#over) this.#client.ended();
  }

  /**
   * @param {number} size
   * @param {Error} error
   */
  #unsent(size, error) {
    if (this.#over) return;
    this.#client.datagramUnsent(size);
    this.#client.failedSoftly({ phase: "established", code: null, message: error.message, cause: error }, true);
  }
}

/**
 * @param {Accepted} accepted a socket of the platform whose protocol is "udp"
 * @returns {(options: SocketOptions, client: any) => Transport} to be called at once
 */
export function acceptFlow(accepted) {
  return (_options, client) => new FlowTransport(client, accepted);
}
