import { datagramSockets } from "../node/datagram-socket.js";
import { platformOf } from "../node/platform.js";
import { streams } from "./stream.js";

export const platform = platformOf({ streams, datagramSockets });
