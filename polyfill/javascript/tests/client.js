/**
 * The other end of a listener under test: a plain net.Socket that tells what it saw.
 */

import { once } from "node:events";
import net from "node:net";
import { SocketListener } from "../src/index.js";
import { Connection, eventually } from "./peer.js";

/** @typedef {import("node:test").TestContext} TestContext */
/** @typedef {import("../src/index.js").Socket} Socket */

/**
 * @param {TestContext} t the connection ends with this test
 * @param {{address: string, port: number} | null} remote
 */
export async function dial(t, remote) {
  const { address, port } = /** @type {{address: string, port: number}} */ (remote);
  const socket = net.connect({ host: address, port, allowHalfOpen: true });
  t.after(() => socket.destroy());
  const connection = new Connection(socket);
  await once(socket, "connect");
  return connection;
}

/**
 * Dials a listener that resets the connection, which Node may take for a connection that was refused.
 * @param {TestContext} t
 * @param {{address: string, port: number} | null} remote
 */
export async function dialInVain(t, remote) {
  const error = await dial(t, remote).then(
    (connection) => connection.receivesReset(),
    (reason) => reason,
  );
  if (error && error.code !== "ECONNRESET") throw error;
}

/**
 * A listener on loopback, and the sockets that its connect events bring.
 * @param {TestContext} t the listener is closed after this test, and its sockets are aborted
 * @param {any} [init]
 */
export async function serve(t, init = {}) {
  const listener = new SocketListener({ local: { address: "127.0.0.1" }, ...init });
  /** @type {Socket[]} */
  const sockets = [];
  listener.addEventListener("connect", (/** @type {any} */ { socket }) => sockets.push(socket));
  t.after(async () => {
    for (const socket of sockets) socket.abort();
    await listener.close();
  });
  await listener.ready;
  return { listener, sockets, remote: listener.info.local };
}

/**
 * @param {TestContext} t
 * @param {any} [init]
 */
export async function accept(t, init = {}) {
  const { listener, sockets, remote } = await serve(t, init);
  const connection = await dial(t, remote);
  await eventually(() => sockets.length === 1, "a connect event fires");
  return { listener, connection, socket: sockets[0] };
}

/**
 * What happens to exceptions that nobody catches: they come here, and not to the test runner.
 * @param {TestContext} t
 */
export function catchUncaught(t) {
  /** @type {unknown[]} */
  const reported = [];
  const listeners = ["uncaughtException", "unhandledRejection"].map((type) => {
    const theirs = process.listeners(/** @type {any} */ (type));
    process.removeAllListeners(type);
    const listener = (/** @type {unknown} */ reason) => reported.push(reason);
    process.on(type, listener);
    return () => {
      process.off(type, listener);
      for (const each of theirs) process.on(type, /** @type {any} */ (each));
    };
  });
  t.after(() => {
    for (const restore of listeners) restore();
  });
  return reported;
}
