import dgram from "node:dgram";

/**
 * @typedef {import("../transport.js").TransportOptions} TransportOptions
 *
 * @typedef {object} DatagramSockets how a runtime that has node:dgram makes its sockets
 * @property {(options: dgram.SocketOptions) => dgram.Socket} create
 * @property {(remote: string) => string | undefined} sourceTowards where to bind a socket that is to be connected, if
 *   connecting does not choose the address by itself
 */

/** @type {DatagramSockets} */
export const datagramSockets = { create: dgram.createSocket, sourceTowards: () => undefined };
