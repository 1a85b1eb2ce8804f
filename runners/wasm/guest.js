/** The agent as the program of a WebAssembly guest: lines come and go by functions of the host. */

import "./globals.js";
import { description, exports, tree, host as workers } from "under-test";
import { hasSocket, startAgent } from "../agent/shell.js";

/** What `launcher.py` has put there. @type {any} */
const host = globalThis;

if (!hasSocket({ exports })) throw new Error("the implementation exports no Socket");

const { name, version, platform } = JSON.parse(host.hostDescription);
const { receive, unhandled } = startAgent({
  exports,
  host: workers,
  implementation: description ?? { name: "built-in", version },
  runtime: { name, version },
  platform,
  readTree: () => tree,
  write: (lines) => host.hostWrite(lines),
  leave: () => host.hostLeave(),
});

/** Rejections that nobody handles yet. @type {Map<Promise<unknown>, unknown>} */
const rejected = new Map();

host.guestReceive = receive;
host.guestUncaught = unhandled;

// HostPromiseRejectionTracker: https://tc39.es/ecma262/#sec-host-promise-rejection-tracker
host.guestTracks = (
  /** @type {Promise<unknown>} */ promise,
  /** @type {unknown} */ reason,
  /** @type {boolean} */ handled,
) => {
  if (handled) rejected.delete(promise);
  else rejected.set(promise, reason);
};

host.guestReportsRejections = () => {
  for (const reason of rejected.values()) unhandled(reason);
  rejected.clear();
};
