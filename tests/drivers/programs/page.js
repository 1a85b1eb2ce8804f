// For a page: a test opens it, and asks it for the work with settings that name the tunnel, too.
// Drivers for Node use setImmediate().
import "core-js/web/immediate.js";
import { useTunnel } from "commonsocket/tunnel";
import { run } from "driver";

/** @param {import("./work.js").Settings & {tunnel: string, token: string}} settings */
globalThis.work = ({ tunnel, token, ...settings }) => {
  useTunnel({ url: tunnel, token });
  return run(settings);
};
