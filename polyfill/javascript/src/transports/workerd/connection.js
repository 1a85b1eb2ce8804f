/**
 * Connections of the platform: how they are made, and how their streams are used.
 */

import { connect } from "cloudflare:sockets";
import { net } from "./node-net.js";
import { Outlet } from "./outlet.js";

/**
 * @typedef {import("cloudflare:sockets").PlatformSocket} PlatformSocket
 * @typedef {import("../../socket-endpoint.js").Endpoint} Endpoint
 * @typedef {Error & {code?: string}} PlatformError
 *
 * @typedef {object} Connection
 * @property {PlatformSocket} socket
 * @property {ReadableStreamBYOBReader} reader of the kind that gets more than 4 KiB at a time
 * @property {Outlet} outlet
 *
 * @typedef {object} Attempt
 * @property {Promise<Connection>} connected rejects with a PlatformError
 * @property {() => void} cancel lets go of it, although the platform goes on until the operating system gives up
 */

/**
 * @param {PlatformSocket} socket
 * @returns {Connection}
 */
export function connectionOf(socket) {
  // What becomes of them is learned by reading and writing.
  socket.closed.catch(() => {});
  socket.opened.catch(() => {});
  return { socket, reader: socket.readable.getReader({ mode: "byob" }), outlet: new Outlet(socket.writable) };
}

/**
 * @param {string} host
 * @param {number} port
 * @param {boolean} secure whether over TLS from the beginning; otherwise it may become so later
 * @returns {Attempt}
 */
export function attempt(host, port, secure) {
  return (net ? attemptByNode : attemptByPlatform)(host, port, secure);
}

/**
 * @param {string} host
 * @param {number} port
 * @param {boolean} secure
 * @returns {Attempt}
 */
function attemptByPlatform(host, port, secure) {
  const hostname = host.includes(":") ? `[${host}]` : host;
  const socket = connect({ hostname, port }, { secureTransport: secure ? "on" : "starttls", allowHalfOpen: true });
  return {
    connected: socket.opened.then(() => connectionOf(socket)),
    cancel: () => void socket.close().catch(() => {}),
  };
}

/**
 * Node's socket connects, for the sake of the code that it fails with, and then gives away what is inside.
 * @param {string} host
 * @param {number} port
 * @param {boolean} secure
 * @returns {Attempt}
 */
function attemptByNode(host, port, secure) {
  const outer = new net.Socket({ allowHalfOpen: true });
  outer.encrypted = secure;
  outer.pause();
  const connected = new Promise((resolve, reject) => {
    outer.once("connect", () => {
      const { socket, reader, writer } = outer._handle ?? {};
      if (!socket || !reader || !writer) {
        // It is made in another way than it was. A connection without codes is better than none.
        outer.destroy();
        return resolve(attemptByPlatform(host, port, secure).connected);
      }
      outer._handle = null;
      writer.releaseLock();
      resolve({ socket, reader, outlet: new Outlet(socket.writable) });
    });
    outer.on("error", reject);
  });
  outer.connect({ host, port });
  return { connected, cancel: () => outer.destroy() };
}

/**
 * @param {string | null | undefined} authority host and port, as the platform tells them
 * @returns {Endpoint | null} null where it does not, or where what it tells is the name and not the address
 */
export function endpointOf(authority) {
  const [, bracketed, plain, port] = /^(?:\[([\da-f:.%]+)\]|(\d+\.\d+\.\d+\.\d+)):(\d+)$/i.exec(authority ?? "") ?? [];
  const address = bracketed ?? plain;
  return address === undefined ? null : { address, port: Number(port) };
}
