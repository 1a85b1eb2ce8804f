import { connect } from "./tcp.js";
import { credentials } from "./tls.js";
import { uncloneable } from "./uncloneable.js";
import { mend, setHighWaterMark } from "./writable-stream.js";

/** @type {import("../transport.js").Platform} */
export const platform = {
  supportedTypes: ["tcp", "tls"],
  supportsCertificateHashes: true,
  connect,
  checkCredentials: credentials,
  queueTask: setImmediate,
  uncloneable,
  mend,
  setHighWaterMark,
};
