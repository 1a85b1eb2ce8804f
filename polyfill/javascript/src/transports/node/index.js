import { getEventListeners } from "node:events";
import { connect } from "./tcp.js";
import { listen } from "./tcp-server.js";
import { credentials } from "./tls.js";
import { uncloneable } from "./uncloneable.js";
import { mend, setHighWaterMark } from "./writable-stream.js";

/** @type {import("../transport.js").Platform} */
export const platform = {
  supportedTypes: ["tcp", "tls"],
  supportsCertificateHashes: true,
  connect,
  listen,
  hasListeners: (target, type) => getEventListeners(target, type).length > 0,
  checkCredentials: credentials,
  queueTask: setImmediate,
  uncloneable,
  mend,
  setHighWaterMark,
};
