import dgram from "node:dgram";
import process from "node:process";
import { permit } from "./permission.js";

/** ms; no timer takes longer. */
const longest = 2 ** 31 - 1;

/** What Deno's sockets of datagrams lack of Node's. */
class DatagramSocket extends dgram.Socket {
  /** Whether a datagram is on its way to the kernel. */
  #sending = false;

  /** Whether it is to be closed when that one is gone. */
  #closing = false;

  /** What waits behind it: the arguments of send(). @type {any[][]} */
  #queue = [];

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
   * @override
   * @param {any} place
   */
  bind(place) {
    try {
      return super.bind(place);
    } catch (error) {
      // What is forbidden is thrown, not emitted.
      this.emit("error", error);
      return this;
    }
  }

  /**
   * The system is not told of the connection, so it does not say whether it may be made, either.
   * @override
   * @param {number} port
   * @param {any} [address]
   * @param {any} [done]
   */
  connect(port, address, done) {
    try {
      permit(address, port);
      super.connect(port, address, done);
    } catch (error) {
      process.nextTick(done, error);
    }
  }

  /**
   * Of datagrams that wait for the kernel together, Deno sends the last one first.
   * @override
   * @param {any[]} args
   */
  send(...args) {
    this.#queue.push(args);
    if (!this.#sending) this.#next();
  }

  /** The one that is on its way has been copied. */
  getSendQueueCount() {
    return this.#queue.length;
  }

  /** Deno tells the system nothing, but takes that much memory for each datagram. By itself it takes what the largest needs. */
  setRecvBufferSize() {}

  /**
   * What is on its way would be lost. The rest was not accepted.
   * @override
   */
  close() {
    this.#queue = [];
    if (this.#sending) this.#closing = true;
    else super.close();
    return this;
  }

  #next() {
    const args = this.#queue.shift();
    this.#sending = args !== undefined;
    if (!args && this.#closing) super.close();
    if (!args) return;
    const done = args.pop();
    super.send(
      .../** @type {[any]} */ (args),
      /** @param {any[]} outcome */ (...outcome) => {
        done(...outcome);
        this.#next();
      },
    );
  }
}

/** @type {import("../node/datagram-socket.js").DatagramSockets} */
export const datagramSockets = {
  create: (options) => new DatagramSocket(options),

  /** The system is never told of the connection, so it does not say where it would come from. Here it is known. */
  sourceTowards: (remote) => (remote.startsWith("127.") ? "127.0.0.1" : remote === "::1" ? "::1" : undefined),
};
