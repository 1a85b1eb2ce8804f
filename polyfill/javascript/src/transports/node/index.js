import { setHighWaterMark } from "./high-water-mark.js";
import { connect } from "./tcp.js";
import { uncloneable } from "./uncloneable.js";

/** @type {import("../transport.js").Platform} */
export const platform = {
  supportedTypes: ["tcp"],
  connect,
  queueTask: setImmediate,
  uncloneable,
  setHighWaterMark,
};
