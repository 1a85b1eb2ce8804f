/**
 * Which tunnel the sockets of this realm go through. There is one for all: a driver that opens a socket knows nothing of
 * tunnels, and the page that uses the driver does.
 */

import { plainSubprotocol, subprotocol, tokenPrefix } from "./messages.js";

/**
 * @typedef {import("../../core/init.js").Remote} Remote
 *
 * @typedef {object} Configuration
 * @property {string | URL | ((remote: {address: string, port: number} | null) => string | URL)} url of the tunnel, with
 *   the scheme ws or wss; or what gives it for each socket, for tunnels that are told by the address where to
 * @property {string} [token] which the tunnel asks for
 * @property {string[]} [protocols] the subprotocols to offer: for daemons that want others, or none
 * @property {new (url: string, protocols: string[]) => WebSocket} [WebSocket] in place of the global one, or where there
 *   is none
 *
 * @typedef {object} Opening what a WebSocket to the tunnel is opened with
 * @property {string} url
 * @property {string[]} protocols
 * @property {new (url: string, protocols: string[]) => WebSocket} WebSocket
 */

/** The plain one first: websockify finds it nowhere else, and the tunnel of this project takes its own wherever it is. */
const defaultProtocols = [plainSubprotocol, subprotocol];

/** @type {Configuration | null} */
let configuration = null;

/**
 * Has all sockets that are constructed from now on go through a tunnel, where the platform has none of its own.
 * @param {Configuration | null} given null for none
 * @throws {TypeError}
 */
export function useTunnel(given) {
  if (given !== null) {
    if (typeof given !== "object") throw new TypeError("useTunnel: an object with the member url is needed");
    const { url, token, protocols, WebSocket } = given;
    if (typeof url !== "function") checkURL(url);
    if (token !== undefined && (typeof token !== "string" || token === "")) {
      throw new TypeError("useTunnel: token is to be a string that is not empty");
    }
    if (protocols !== undefined && !Array.isArray(protocols)) {
      throw new TypeError("useTunnel: protocols is to be an array of strings");
    }
    if (WebSocket !== undefined && typeof WebSocket !== "function") {
      throw new TypeError("useTunnel: WebSocket is to be a constructor");
    }
  }
  configuration = given && { ...given };
}

/**
 * @param {Remote | undefined} remote
 * @returns {Opening | null} null where no tunnel is configured
 * @throws {TypeError} for a configuration that cannot be used
 */
export function openingFor(remote) {
  if (configuration === null) return null;
  const { url, token, protocols = defaultProtocols, WebSocket = globalThis.WebSocket } = configuration;
  if (typeof WebSocket !== "function") {
    throw new TypeError("This runtime has no WebSocket: give useTunnel() one, such as that of the npm package ws");
  }
  const target = typeof url === "function" ? url(remote ? { address: remote.host, port: remote.port } : null) : url;
  const secret = token === undefined ? [] : [tokenPrefix + base64url(token)];
  return { url: checkURL(target), protocols: [...protocols, ...secret], WebSocket };
}

/**
 * @param {unknown} given
 * @returns {string}
 * @throws {TypeError}
 */
function checkURL(given) {
  let parsed;
  try {
    // Of a page, an address may be given relative to it.
    parsed = new URL(`${given}`, globalThis.location?.href);
  } catch {
    throw new TypeError(`useTunnel: "${given}" is not a URL`);
  }
  parsed.protocol = parsed.protocol.replace("http", "ws");
  if (!/^wss?:$/.test(parsed.protocol)) throw new TypeError(`useTunnel: "${given}" is not a URL of a WebSocket`);
  parsed.hash = "";
  return parsed.href;
}

/** @param {string} text */
function base64url(text) {
  const characters = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(characters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
