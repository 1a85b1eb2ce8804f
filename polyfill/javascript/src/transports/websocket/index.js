import { accessDenied } from "./access-denied.js";
import { checkCredentials } from "./credentials.js";
import { queueTask } from "./queue-task.js";
import { connect } from "./tunnel-transport.js";
import { uncloneable } from "./uncloneable.js";

/** Sockets of runtimes that have none of their own, above all of pages: through a tunnel. @type {import("../transport.js").Platform} */
export const platform = {
  supportedTypes: ["tcp", "udp", "tls"],
  supportsCertificateHashes: true,
  connect,
  listen,
  // Only servers have to know.
  checkCredentials,
  queueTask,
  uncloneable,
  // The streams are the platform's own, and not to be looked into.
  mend: () => {},
  setHighWaterMark: () => {},
};

/**
 * @param {import("../transport.js").ListenerOptions} _options
 * @param {import("../transport.js").ServerClient} client
 * @returns {import("../transport.js").Server}
 */
function listen(_options, client) {
  const message = "A tunnel carries connections out, and brings none in";
  queueTask(() => client.failed({ phase: "bind", code: accessDenied, message, cause: undefined }));
  return { close: () => queueTask(() => client.released()) };
}
