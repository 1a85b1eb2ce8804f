import { listen } from "./inbound.js";
import { checkCredentials, checkOptions } from "./options.js";
import { connect } from "./tcp.js";

/**
 * What is queued belongs to the request that queued it, as its sockets do, so that no queue may be shared.
 * @param {() => void} task
 */
function queueTask(task) {
  try {
    setTimeout(task, 0);
  } catch {
    // Outside of a request there are no timers.
    queueMicrotask(task);
  }
}

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
  queueTask,
  uncloneable: (object) => object,
  mend() {},
  // The high water mark of a stream is out of reach (whatwg/streams#427): what is made later has the new one.
  setHighWaterMark() {},
};
