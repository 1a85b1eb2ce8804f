import { datagramSockets } from "../node/datagram-socket.js";
import { platformOf, withQuic } from "../node/platform.js";
import { hasQuic } from "./node-quic.js";
import { connect } from "./quic.js";
import { listen } from "./quic-server.js";
import { streams } from "./stream.js";

const others = platformOf({ streams, datagramSockets });

export const platform = hasQuic ? withQuic(others, { connect, listen }) : others;
