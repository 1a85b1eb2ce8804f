import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";

/**
 * A server of Node's own, for as long as a test runs.
 * @param {import("node:test").TestContext} t
 * @param {(socket: net.Socket) => void} serve
 * @param {net.Server} [server]
 * @returns {Promise<number>} its port
 */
export async function listen(t, serve, server = net.createServer({ allowHalfOpen: true })) {
  /** @type {Set<net.Socket>} */
  const connections = new Set();
  server.on("connection", (socket) => connections.add(socket.on("error", () => {})));
  server.on(server instanceof tls.Server ? "secureConnection" : "connection", serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  return /** @type {net.AddressInfo} */ (server.address()).port;
}

/** @param {net.Socket} socket */
export const echo = (socket) => socket.pipe(socket);
