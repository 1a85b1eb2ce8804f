/**
 * What a worker cannot choose, because its configuration does or the platform has no way to say it. To ignore such an
 * option would make a connection that is not what was asked for.
 */

import { notSupported } from "../../core/failure.js";

/**
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../../core/init.js").TLSInit} TLSInit
 */

/** @type {Record<string, string>} */
const configured = {
  ca: "the configuration of the worker says whom it trusts",
  cert: "the configuration of the worker says which certificate it presents",
  alpn: "the platform negotiates no protocol",
};

/**
 * @param {TLSInit} tls
 * @throws {DOMException} NotSupportedError
 */
export function checkCredentials(tls) {
  const [member, reason] = Object.entries(configured).find(([name]) => name in tls) ?? [];
  if (member) throw notSupported(`tls.${member} is not supported: ${reason}`);
}

/**
 * @param {Pick<SocketOptions, "type" | "remote" | "local" | "tls">} options
 * @throws {DOMException} NotSupportedError
 */
export function checkOptions({ type, remote, local, tls }) {
  if (local?.address !== undefined || local?.port) {
    throw notSupported("local is not supported: the platform chooses where a connection comes from");
  }
  if (type === "tls" && tls?.servername !== undefined && tls.servername !== remote?.host) {
    throw notSupported("tls.servername is not supported unless it is remote.address: the platform takes that");
  }
}
