import dgram from "node:dgram";

/** So many datagrams may be on their way to the kernel before somebody has to wait. It has room for them as a rule. */
const mostInFlight = 64;

/** ms; no timer takes longer. */
const longest = 2 ** 31 - 1;

/** What Deno's sockets of datagrams lack of Node's. */
class DatagramSocket extends dgram.Socket {
  #inFlight = 0;

  /** What keeps the process. @type {ReturnType<typeof setInterval> | undefined} */
  #hold;

  /** @param {dgram.SocketOptions} options */
  constructor(options) {
    super(/** @type {any} */ (options));
    // A socket that waits for a datagram keeps the process or does not for as long as it waits, whatever it is told
    // meanwhile. So none does, and something else does it instead.
    super.unref();
    this.ref();
    this.once("close", () => this.unref());
  }

  /** @override */
  ref() {
    this.#hold ??= setInterval(() => {}, longest);
    return this;
  }

  /** @override */
  unref() {
    clearInterval(this.#hold);
    this.#hold = undefined;
    return this;
  }

  /**
   * Deno copies a datagram and tries at once to send it, and tells of the outcome later.
   * @override
   * @param {any[]} args
   */
  send(...args) {
    const done = args.pop();
    this.#inFlight += 1;
    super.send(
      .../** @type {[any]} */ (args),
      /** @param {any[]} outcome */ (...outcome) => {
        this.#inFlight -= 1;
        done(...outcome);
      },
    );
  }

  getSendQueueCount() {
    return Math.max(0, this.#inFlight - mostInFlight);
  }

  /** Deno does not tell the system, but takes that much memory for each datagram. It has as much as the largest needs. */
  setRecvBufferSize() {}
}

/** @type {import("../node/datagram-socket.js").DatagramSockets} */
export const datagramSockets = {
  create: (options) => new DatagramSocket(options),

  /** The system is never told of the connection, so it does not say where it would come from; here it is known. */
  sourceTowards: (remote) => (remote.startsWith("127.") ? "127.0.0.1" : remote === "::1" ? "::1" : undefined),
};
