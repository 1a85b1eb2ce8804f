/**
 * From the argument of `new SocketListener()` to checked options, by the steps of init.js.
 */

import { convertDictionary } from "../webidl/convert.js";
import { notSupported } from "./failure.js";
import { check, checkPlatform, withDefaults } from "./init.js";

/**
 * @typedef {import("./init.js").SocketType} SocketType
 * @typedef {import("./init.js").Local} Local
 * @typedef {import("./init.js").TLSInit} TLSInit
 * @typedef {import("./init.js").SocketOptions} SocketOptions
 * @typedef {import("../transports/transport.js").Platform} Platform
 *
 * @typedef {object} ListenerOptions
 * @property {SocketType} type
 * @property {Local} local
 * @property {AbortSignal} [signal]
 * @property {number} [backlog]
 * @property {boolean} reusePort
 * @property {SocketOptions} accept the options of each socket that comes in
 */

/** "accept gives the mutable members": those that say how a socket behaves, not what it is connected to. */
const acceptable = [
  "allowHalfOpen",
  "idleTimeout",
  "keepAliveDelay",
  "noDelay",
  "receiveBufferSize",
  "sendBufferSize",
  "ttl",
];

/** The types whose connections begin with a handshake of TLS. @type {SocketType[]} */
const encrypted = ["tls", "quic"];

/** How long a flow of datagrams lives on without any: "after it was idle for 30 seconds". */
const flowIdleTimeout = 30_000;

/** How long a client may take for its handshake, in ms: as long as Node's own servers wait. */
const handshakeTimeout = 120_000;

/**
 * @param {SocketType} type
 * @param {TLSInit | undefined} tls
 */
function checkTLS(type, tls) {
  if (type === "udp" && tls) throw new TypeError("tls has no meaning for type udp");
  if (type === "quic" && !tls?.alpn?.length) throw new TypeError("tls.alpn is missing for type quic");
  if (encrypted.includes(type) && (!tls?.key || !tls.cert))
    throw new TypeError(`tls.key and tls.cert are missing for type ${type}`);
}

/**
 * @param {unknown} init
 * @param {Platform} platform
 * @returns {ListenerOptions}
 * @throws {TypeError | DOMException} NotSupportedError if this platform lacks the type or an option
 */
export function listenerOptions(init, platform) {
  const { accept, ...given } = convertDictionary("SocketListenerInit", init);
  const stranger = Object.keys(accept).find((member) => !acceptable.includes(member));
  if (stranger !== undefined) throw new TypeError(`accept.${stranger} cannot be given for accepted sockets`);
  const { type, local, tls, signal, backlog, reusePort } = /** @type {any} */ (check(given));
  checkTLS(type, tls);
  checkPlatform({ tls }, platform);
  const options = withDefaults({ ...check(accept), type, tls });
  if (type === "udp") options.idleTimeout = accept.idleTimeout ?? flowIdleTimeout;
  if (encrypted.includes(type)) options.readyTimeout = handshakeTimeout;
  if (!platform.supportedTypes.includes(type)) throw notSupported(`This platform has no listeners of type ${type}`);
  return { type, local, signal, backlog, reusePort, accept: options };
}
