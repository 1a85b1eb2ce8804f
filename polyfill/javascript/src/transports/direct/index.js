import { notSupported } from "../../core/failure.js";
import { queueTask } from "../websocket/queue-task.js";
import { uncloneable } from "../websocket/uncloneable.js";
import { connect as connectTCP } from "./tcp.js";
import { listen as listenTCP } from "./tcp-server.js";
import { connect as connectUDP } from "./udp.js";
import { listen as listenUDP } from "./udp-server.js";

/** Direct Sockets, which Isolated Web Apps have. @type {import("../transport.js").Platform} */
export const platform = {
  supportedTypes: ["tcp", "udp"],
  supportsCertificateHashes: false,
  // Without TLS nobody looks at them.
  checkCredentials() {},
  checkOptions({ type, local }) {
    if (type === "tls") throw notSupported("Direct Sockets has no TLS");
    if (type === "tcp" && (local?.address !== undefined || local?.port)) {
      throw notSupported("Direct Sockets binds no connection to a local address");
    }
  },
  connect: (options, client) =>
    options.type === "udp"
      ? connectUDP(options, /** @type {import("../transport.js").DatagramClient} */ (client))
      : connectTCP(options, client),
  listen: (options, client) => (options.type === "udp" ? listenUDP : listenTCP)(options, client),
  queueTask,
  uncloneable,
  // The streams are the platform's own, and not to be looked into.
  mend() {},
  setHighWaterMark() {},
};
