/**
 * The part of `node:tls` that clients use, on top of the common Socket: connections with TLS from the first byte, and the
 * upgrade of one of `commonsocket/net`.
 */

import { connectArguments } from "./net/options.js";
import { TLSSocket } from "./net/tls-socket.js";

export { TLSSocket };

/**
 * `connect(options, listener?)` or `connect(port, host?, options?, listener?)`
 * @param {any[]} args `options.socket` is a connection of `commonsocket/net` to be upgraded
 * @returns {TLSSocket}
 */
export function connect(...args) {
  const { options, listener } = connectArguments(args);
  const socket = new TLSSocket(options.socket ?? null, options);
  if (listener) socket.once("secureConnect", listener);
  if (options.timeout !== undefined) socket.setTimeout(options.timeout);
  return socket;
}

/**
 * @param {import("./net/options.js").Options} [options]
 * @returns {{options: import("./net/options.js").Options}} for `connect({ secureContext })`
 */
export function createSecureContext(options = {}) {
  return { options };
}

export default { TLSSocket, connect, createSecureContext };
