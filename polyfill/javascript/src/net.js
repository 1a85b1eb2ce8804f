/**
 * The part of `node:net` that clients of databases, caches and brokers use, on top of the common Socket: drivers run on
 * it unmodified wherever the socket does, when `net` is made an alias of `commonsocket/net`.
 */

import { parseIPAddress } from "./core/host.js";
import { Socket } from "./net/socket.js";

export { Socket, Socket as Stream };

/**
 * `connect(options, listener?)` or `connect(port, host?, listener?)`
 * @param {any[]} args
 * @returns {Socket}
 */
export function connect(...args) {
  const options = typeof args[0] === "object" ? args[0] : {};
  return new Socket(options).connect(...args);
}

export const createConnection = connect;

/**
 * @param {unknown} text
 * @returns {0 | 4 | 6} which version of IP it is an address of
 */
export function isIP(text) {
  if (`${text}`.startsWith("[")) return 0;
  try {
    return parseIPAddress(`${text}`, "it").includes(":") ? 6 : 4;
  } catch {
    return 0;
  }
}

/** @param {unknown} text */
export const isIPv4 = (text) => isIP(text) === 4;

/** @param {unknown} text */
export const isIPv6 = (text) => isIP(text) === 6;

export default { Socket, Stream: Socket, connect, createConnection, isIP, isIPv4, isIPv6 };
