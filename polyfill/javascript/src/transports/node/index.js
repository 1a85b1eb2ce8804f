import { connect } from "./tcp.js";
import { uncloneable } from "./uncloneable.js";
import { mend, setHighWaterMark } from "./writable-stream.js";

/** @type {import("../transport.js").Platform} */
export const platform = {
  supportedTypes: ["tcp"],
  connect,
  queueTask: setImmediate,
  uncloneable,
  mend,
  setHighWaterMark,
};
