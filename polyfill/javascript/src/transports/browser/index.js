/**
 * The platform of a page: an Isolated Web App has sockets of its own, every other page needs a tunnel.
 */

import { platform as direct } from "../direct/index.js";
import { platform as websocket } from "../websocket/index.js";

export const platform = "TCPSocket" in globalThis ? direct : websocket;
