import { datagramSockets } from "./datagram-socket.js";
import { platformOf } from "./platform.js";
import { streams } from "./stream.js";

export const platform = platformOf({ streams, datagramSockets });
