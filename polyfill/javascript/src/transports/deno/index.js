import { platformOf, withQuic } from "../node/platform.js";
import { datagramSockets } from "./datagram-socket.js";
import { connect, hasQuic } from "./quic.js";
import { listen } from "./quic-server.js";
import { streams } from "./stream.js";
import { setHighWaterMark } from "./writable-stream.js";

/** @type {import("../transport.js").Platform} */
const others = { ...platformOf({ streams, datagramSockets }), setHighWaterMark };

export const platform = hasQuic ? withQuic(others, { connect, listen }) : others;
