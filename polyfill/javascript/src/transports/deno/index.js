import { platformOf } from "../node/platform.js";
import { datagramSockets } from "./datagram-socket.js";
import { connect, hasQuic } from "./quic.js";
import { listen } from "./quic-server.js";
import { streams } from "./stream.js";
import { setHighWaterMark } from "./writable-stream.js";

/**
 * @typedef {import("../transport.js").Platform} Platform
 * @typedef {import("../transport.js").QuicClient} QuicClient
 */

/** @type {Platform} */
const others = { ...platformOf({ streams, datagramSockets }), setHighWaterMark };

/** @type {Platform} */
const withQuic = {
  ...others,
  supportedTypes: [...others.supportedTypes, "quic"],
  connect: (options, client) =>
    options.type === "quic" ? connect(options, /** @type {QuicClient} */ (client)) : others.connect(options, client),
  listen: (options, client) => (options.type === "quic" ? listen : others.listen)(options, client),
};

/** @type {Platform} */
export const platform = hasQuic ? withQuic : others;
