import { getEventListeners } from "node:events";
import { streams } from "./stream.js";
import { connecting } from "./tcp.js";
import { listening } from "./tcp-server.js";
import { credentials } from "./tls.js";
import { connect as connectUDP } from "./udp.js";
import { listen as listenUDP } from "./udp-server.js";
import { uncloneable } from "./uncloneable.js";
import { mend, setHighWaterMark } from "./writable-stream.js";

const connectTCP = connecting(streams);
const listenTCP = listening(streams);

/** @type {import("../transport.js").Platform} */
export const platform = {
  supportedTypes: ["tcp", "udp", "tls"],
  supportsCertificateHashes: true,
  connect: (options, client) =>
    options.type === "udp"
      ? connectUDP(options, /** @type {import("../transport.js").DatagramClient} */ (client))
      : connectTCP(options, client),
  listen: (options, client) => (options.type === "udp" ? listenUDP : listenTCP)(options, client),
  hasListeners: (target, type) => getEventListeners(target, type).length > 0,
  checkCredentials: credentials,
  queueTask: setImmediate,
  uncloneable,
  mend,
  setHighWaterMark,
};
