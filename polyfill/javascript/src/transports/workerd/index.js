import { listen } from "./inbound.js";
import { checkCredentials, checkOptions } from "./options.js";
import { connect } from "./tcp.js";

/** @type {import("../transport.js").Platform} */
export const platform = {
  supportedTypes: ["tcp", "tls"],
  supportsCertificateHashes: false,
  connect,
  listen,
  // Readers that bring no memory get 4 KiB at a time otherwise.
  chunkSize: 64 * 1024,
  checkCredentials,
  checkOptions,
  // What is queued belongs to the request that queued it, as its sockets do, so that no queue may be shared.
  queueTask: (task) => void setTimeout(task, 0),
  uncloneable: (object) => object,
  mend() {},
  // The high water mark of a stream is out of reach (whatwg/streams#427): what is made later has the new one.
  setHighWaterMark() {},
};
