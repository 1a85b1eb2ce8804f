import { platformOf } from "../node/platform.js";
import { datagramSockets } from "./datagram-socket.js";
import { streams } from "./stream.js";
import { setHighWaterMark } from "./writable-stream.js";

/** @type {import("../transport.js").Platform} */
export const platform = { ...platformOf({ streams, datagramSockets }), setHighWaterMark };
