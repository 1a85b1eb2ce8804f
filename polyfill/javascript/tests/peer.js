/**
 * The other end of the connections under test: a plain net.Server on loopback that tells what it saw.
 */

import { once } from "node:events";
import net from "node:net";
import { Socket } from "../src/index.js";

/** @typedef {import("node:test").TestContext} TestContext */

/** How long a condition may take to come true: long, because no test that passes waits for it. */
const patience = 10_000;

/**
 * @param {() => boolean} condition
 * @param {string} what
 */
export async function eventually(condition, what) {
  const deadline = performance.now() + patience;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets everything happen that is on its way on loopback: several turns of the event loop with its poll for I/O. */
export async function settle() {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}

/**
 * The state of a promise now, without giving I/O or timers a chance.
 * @param {Promise<unknown>} promise
 * @returns {Promise<"pending" | "fulfilled" | "rejected">}
 */
export async function stateOf(promise) {
  /** @type {"pending" | "fulfilled" | "rejected"} */
  let state = "pending";
  promise.then(
    () => {
      state = "fulfilled";
    },
    () => {
      state = "rejected";
    },
  );
  for (let microtask = 0; microtask < 20; microtask++) await undefined;
  return state;
}

/** @param {string} text */
export const encode = (text) => new TextEncoder().encode(text);

/** @param {AllowSharedBufferSource} [bytes] */
export const decode = (bytes) => new TextDecoder().decode(bytes);

/** One accepted connection. */
export class Connection {
  /** @type {Buffer[]} */
  #chunks = [];

  length = 0;

  /** Whether the FIN of the socket under test has arrived. */
  ended = false;

  /** @type {NodeJS.ErrnoException | null} */
  error = null;

  /** @param {net.Socket} socket paused */
  constructor(socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.length += chunk.length;
    });
    socket.on("end", () => {
      this.ended = true;
    });
    socket.on("error", (error) => {
      this.error = error;
    });
  }

  get bytes() {
    return Buffer.concat(this.#chunks);
  }

  get text() {
    return this.bytes.toString();
  }

  /** @param {string | Uint8Array} bytes */
  async send(bytes) {
    await new Promise((resolve) => this.socket.write(bytes, resolve));
  }

  async fin() {
    await new Promise((resolve) => this.socket.end(() => resolve(undefined)));
  }

  reset() {
    this.socket.resetAndDestroy();
  }

  /** @param {string} text the whole text that has to have arrived */
  async receives(text) {
    await eventually(() => this.text === text, `the peer receives ${text}`);
  }

  async receivesFin() {
    await eventually(() => this.ended, "the peer receives a FIN");
  }

  /**
   * For a connection on which nothing is unread: Node takes a reset right behind data for a FIN.
   * After a FIN it reads no more, and learns of a reset only by writing.
   */
  async receivesReset() {
    const noticed = () => {
      if (this.ended) this.socket.write("anybody there?");
      return this.error !== null;
    };
    await eventually(noticed, "the peer receives a reset");
    if (!["ECONNRESET", "EPIPE"].includes(this.error?.code ?? "")) throw this.error;
  }

  /** The connection is over, in whatever way Node sees it. */
  async ends() {
    await eventually(() => this.ended || this.error !== null, "the connection ends");
  }
}

/** A listener and the connections it has accepted. */
export class Peer {
  /** @type {Connection[]} */
  connections = [];

  #taken = 0;

  /**
   * @param {net.Server} server
   * @param {boolean} reading whether connections are read from at once
   */
  constructor(server, reading) {
    this.server = server;
    server.on("connection", (socket) => {
      this.connections.push(new Connection(socket));
      if (reading) socket.resume();
    });
  }

  get remote() {
    const { address, port } = /** @type {net.AddressInfo} */ (this.server.address());
    return { address, port };
  }

  async accept() {
    const index = this.#taken++;
    await eventually(() => this.connections.length > index, "a connection arrives");
    return this.connections[index];
  }
}

/**
 * @param {TestContext} t the listener and its connections end with this test
 * @param {{reading?: boolean, host?: string}} [options]
 */
export async function listen(t, { reading = true, host = "127.0.0.1" } = {}) {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const peer = new Peer(server, reading);
  server.listen(0, host);
  await once(server, "listening");
  t.after(() => {
    for (const { socket } of peer.connections) socket.destroy();
    server.close();
  });
  return peer;
}

/**
 * @param {TestContext} t the socket is aborted after this test
 * @param {any} init
 */
export function construct(t, init) {
  const socket = new Socket(init);
  t.after(() => socket.abort());
  return socket;
}

/**
 * @param {TestContext} t
 * @param {{init?: object, reading?: boolean}} [options]
 */
export async function connect(t, { init = {}, reading = true } = {}) {
  const peer = await listen(t, { reading });
  const socket = construct(t, { remote: peer.remote, ...init });
  const events = eventsOf(socket);
  await socket.ready;
  return { socket, events, peer, connection: await peer.accept() };
}

/** @param {Socket} socket */
export function eventsOf(socket) {
  /** @type {string[]} */
  const seen = [];
  for (const type of ["ready", "end", "error", "close"]) socket.addEventListener(type, () => seen.push(type));
  return seen;
}

/** A port of this machine where nobody listens. */
export async function refusingPort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/**
 * @param {Promise<unknown>} promise
 * @returns {Promise<any>} the reason
 */
export async function rejection(promise) {
  const fulfilled = Symbol("fulfilled");
  const outcome = await promise.then(
    () => fulfilled,
    (reason) => reason,
  );
  if (outcome === fulfilled) throw new Error("the promise fulfilled");
  return outcome;
}
