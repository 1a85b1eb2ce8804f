import { ask, hostTypes, none } from "./host.js";
import { HostServer } from "./server.js";
import { transportOf } from "./transports.js";

/**
 * The transport of a WebAssembly guest: the network is the embedder's.
 * @type {import("../transport.js").Platform}
 */
export const platform = {
  supportedTypes: hostTypes(),
  supportsCertificateHashes: true,
  connect: (options, client) => transportOf(options, client),
  listen: (options, client) => new HostServer(options, client),
  checkCredentials(tls) {
    const wrong = ask("check-credentials", none, { tls });
    if (wrong !== null) throw new TypeError(`tls: ${wrong}`);
  },
  queueTask: (task) => setTimeout(task, 0),
  uncloneable: (object) => object,
  mend() {},
  // The streams of a guest come from the package web-streams-polyfill, where that is the name of the slot.
  setHighWaterMark(controller, size) {
    const slots = /** @type {any} */ (controller);
    if ("_strategyHWM" in slots) slots._strategyHWM = size;
  },
};
