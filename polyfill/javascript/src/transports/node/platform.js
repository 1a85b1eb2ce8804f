import { connecting as connectingTCP } from "./tcp.js";
import { listening as listeningTCP } from "./tcp-server.js";
import { credentials } from "./tls.js";
import { connecting as connectingUDP } from "./udp.js";
import { listening as listeningUDP } from "./udp-server.js";
import { uncloneable } from "./uncloneable.js";
import { mend, setHighWaterMark } from "./writable-stream.js";

/**
 * @typedef {import("../transport.js").Platform} Platform
 * @typedef {import("../transport.js").DatagramClient} DatagramClient
 * @typedef {import("../transport.js").QuicClient} QuicClient
 *
 * @typedef {object} Runtime what runtimes that have Node's modules do in their own ways
 * @property {import("./stream.js").Streams} streams
 * @property {import("./datagram-socket.js").DatagramSockets} datagramSockets
 */

/**
 * @param {Runtime} runtime
 * @returns {Platform}
 */
export function platformOf({ streams, datagramSockets }) {
  const connectTCP = connectingTCP(streams);
  const listenTCP = listeningTCP(streams);
  const connectUDP = connectingUDP(datagramSockets);
  const listenUDP = listeningUDP(datagramSockets);
  return {
    supportedTypes: ["tcp", "udp", "tls"],
    supportsCertificateHashes: true,
    connect: (options, client) =>
      options.type === "udp"
        ? connectUDP(options, /** @type {DatagramClient} */ (client))
        : connectTCP(options, client),
    listen: (options, client) => (options.type === "udp" ? listenUDP : listenTCP)(options, client),
    checkCredentials: credentials,
    queueTask: setImmediate,
    uncloneable,
    mend,
    setHighWaterMark,
  };
}

/**
 * @param {Platform} platform without quic
 * @param {object} quic
 * @param {(options: import("../transport.js").SocketOptions, client: QuicClient) => import("../transport.js").Transport
 *   } quic.connect
 * @param {Platform["listen"]} quic.listen
 * @returns {Platform} one with quic
 */
export function withQuic(platform, quic) {
  return {
    ...platform,
    supportedTypes: [...platform.supportedTypes, "quic"],
    connect: (options, client) =>
      options.type === "quic"
        ? quic.connect(options, /** @type {QuicClient} */ (client))
        : platform.connect(options, client),
    listen: (options, client) => (options.type === "quic" ? quic : platform).listen(options, client),
  };
}
