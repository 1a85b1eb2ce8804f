import { platform as node } from "../node/index.js";
import { connecting } from "../node/tcp.js";
import { listening } from "../node/tcp-server.js";
import { connect as connectUDP } from "../node/udp.js";
import { listen as listenUDP } from "../node/udp-server.js";
import { streams } from "./stream.js";

const connectTCP = connecting(streams);
const listenTCP = listening(streams);

/** @type {import("../transport.js").Platform} */
export const platform = {
  ...node,
  connect: (options, client) =>
    options.type === "udp"
      ? connectUDP(options, /** @type {import("../transport.js").DatagramClient} */ (client))
      : connectTCP(options, client),
  listen: (options, client) => (options.type === "udp" ? listenUDP : listenTCP)(options, client),
};
