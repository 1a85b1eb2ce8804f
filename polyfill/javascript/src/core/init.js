/**
 * From the argument of `new Socket()` and `update()` to checked options: conversion first, then the rules that Web IDL
 * cannot say (requirements construction/*), then what this platform does not offer.
 */

import { convertDictionary, isObject } from "../webidl/convert.js";
import { notSupported } from "./failure.js";
import { parseHost, parseIPAddress } from "./host.js";

/**
 * @typedef {"tcp" | "udp" | "tls" | "quic"} SocketType
 * @typedef {import("../transports/transport.js").Platform} Platform
 * @typedef {{host: string, port: number}} Remote the host in canonical spelling
 * @typedef {{address: string | undefined, port: number}} Local
 *
 * @typedef {object} TLSInit
 * @property {string} [servername]
 * @property {string[]} [alpn]
 * @property {CryptoKey | string | Uint8Array} [key]
 * @property {string | Uint8Array} [cert]
 * @property {(string | Uint8Array)[]} [ca]
 * @property {{algorithm: string, value: Uint8Array}[]} [serverCertificateHashes]
 * @property {boolean} [requestClientCertificate]
 *
 * @typedef {object} Changes the members that were given, converted and checked
 * @property {SocketType} [type]
 * @property {Remote} [remote]
 * @property {Local} [local]
 * @property {TLSInit} [tls]
 * @property {AbortSignal} [signal]
 * @property {boolean} [allowHalfOpen]
 * @property {boolean} [noDelay]
 * @property {number} [keepAliveDelay] ms
 * @property {number} [readyTimeout] ms
 * @property {number} [idleTimeout] ms
 * @property {number} [sendBufferSize] bytes
 * @property {number} [receiveBufferSize] bytes
 * @property {number} [ttl]
 *
 * @typedef {"type" | "allowHalfOpen" | "noDelay" | "keepAliveDelay" | "readyTimeout" | "idleTimeout"} Defaulted
 * @typedef {Changes & Required<Pick<Changes, Defaulted | "sendBufferSize" | "receiveBufferSize">>} SocketOptions
 */

/** What a number may not be, by member. @type {[member: string, wrong: (value: number) => boolean, rule: string][]} */
const limits = [
  ["keepAliveDelay", (delay) => delay > 0 && delay < 1000, "must be 0 or at least 1000 milliseconds"],
  ["receiveBufferSize", (size) => size === 0, "must not be 0"],
  ["sendBufferSize", (size) => size === 0, "must not be 0"],
  ["ttl", (hops) => hops === 0, "must not be 0"],
];

/**
 * @param {unknown} init
 * @returns {any} the dictionary SocketInit
 */
function convertInit(init) {
  // The argument is of type object, so null is not the empty dictionary here.
  if (!isObject(init)) throw new TypeError("The argument is not an object");
  return convertDictionary("SocketInit", init);
}

/**
 * @param {any} init a converted SocketInit
 * @returns {Changes} the same object, its hosts parsed
 */
export function check(init) {
  for (const [member, wrong, rule] of limits) {
    if (member in init && wrong(init[member])) throw new TypeError(`${member} ${rule}`);
  }
  const { remote, local, tls } = init;
  if (remote) {
    if (remote.port === 0) throw new TypeError("remote.port must not be 0");
    init.remote = { host: parseHost(remote.address, "remote.address"), port: remote.port };
  }
  if (local) {
    const { address, port = 0 } = local;
    init.local = { address: address === undefined ? address : parseIPAddress(address, "local.address"), port };
  }
  if (tls) checkTLS(tls);
  return init;
}

/** @param {TLSInit} tls */
function checkTLS({ alpn = [], key, cert }) {
  const encoder = new TextEncoder();
  // RFC 7301 section 3.1: opaque ProtocolName<1..2^8-1>
  const wrong = alpn.find((name) => name === "" || encoder.encode(name).length > 255);
  if (wrong !== undefined) throw new TypeError(`tls.alpn has an entry that is empty or over 255 bytes: "${wrong}"`);
  if ((key === undefined) !== (cert === undefined)) throw new TypeError("tls.key and tls.cert go together");
}

/**
 * @param {Changes} changes
 * @param {Pick<Platform, "supportsCertificateHashes" | "checkCredentials">} platform
 */
export function checkPlatform({ tls }, platform) {
  if (!tls) return;
  platform.checkCredentials(tls);
  if (tls.serverCertificateHashes && !platform.supportsCertificateHashes) {
    throw notSupported("tls.serverCertificateHashes is not supported");
  }
}

/**
 * "Defaults are applied by the constructor": the dictionary has none, because update() shares it.
 * @param {Changes} given
 * @returns {SocketOptions}
 */
export function withDefaults(given) {
  return {
    type: given.type ?? "tcp",
    remote: given.remote,
    local: given.local,
    tls: given.tls,
    signal: given.signal,
    allowHalfOpen: given.allowHalfOpen ?? true,
    noDelay: given.noDelay ?? false,
    keepAliveDelay: given.keepAliveDelay ?? 0,
    readyTimeout: given.readyTimeout ?? 0,
    idleTimeout: given.idleTimeout ?? 0,
    sendBufferSize: given.sendBufferSize ?? 65536,
    receiveBufferSize: given.receiveBufferSize ?? 65536,
    ttl: given.ttl,
  };
}

/**
 * @param {unknown} init
 * @param {Platform} platform
 * @returns {SocketOptions}
 * @throws {TypeError | DOMException} NotSupportedError if this platform lacks the type or an option
 */
export function socketOptions(init, platform) {
  const options = withDefaults(check(convertInit(init)));
  const { type, remote, local, tls } = options;
  if (!remote && !(type === "udp" && local)) throw new TypeError(`remote is missing for type ${type}`);
  if (type === "udp" && tls) throw new TypeError("tls has no meaning for type udp");
  if (type === "quic" && !tls?.alpn?.length) throw new TypeError("tls.alpn is missing for type quic");
  checkPlatform(options, platform);
  if (!platform.supportedTypes.includes(type)) throw notSupported(`This platform has no sockets of type ${type}`);
  platform.checkOptions?.(options);
  return options;
}

/**
 * @param {unknown} init
 * @param {Platform} platform
 * @returns {Changes}
 * @throws {TypeError | DOMException}
 */
export function socketChanges(init, platform) {
  const changes = check(convertInit(init));
  checkPlatform(changes, platform);
  return changes;
}
