import { datagramSockets } from "../node/datagram-socket.js";
import { platformOf } from "../node/platform.js";
import { hasQuic } from "./node-quic.js";
import { connect } from "./quic.js";
import { listen } from "./quic-server.js";
import { streams } from "./stream.js";

/**
 * @typedef {import("../transport.js").Platform} Platform
 * @typedef {import("../transport.js").QuicClient} QuicClient
 */

const others = platformOf({ streams, datagramSockets });

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
