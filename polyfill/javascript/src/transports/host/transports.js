import { Connection } from "./connection.js";
import { Datagrams } from "./datagrams.js";
import { QuicConnection } from "./quic.js";

/**
 * @typedef {import("../transport.js").SocketOptions} SocketOptions
 * @typedef {import("../transport.js").Transport} Transport
 * @typedef {import("./connection.js").Arrival} Arrival
 */

/** @type {Record<string, new (options: SocketOptions, client: any, arrival?: Arrival) => Transport>} */
const transports = { tcp: Connection, tls: Connection, udp: Datagrams, quic: QuicConnection };

/**
 * @param {SocketOptions} options
 * @param {import("../transport.js").TransportClient} client of the kind that the type needs
 * @param {Arrival} [arrival] what came in; left out to connect
 * @returns {Transport}
 */
export function transportOf(options, client, arrival = undefined) {
  return new transports[options.type](options, client, arrival);
}
