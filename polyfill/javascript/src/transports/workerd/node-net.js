/**
 * The platform's own sockets fail without a code. Its node:net, which is made of the same sockets, can ask the platform
 * for one, so it is asked where the worker has it: by the compatibility flag nodejs_compat, or a date from August 2026.
 */

/** @typedef {import("cloudflare:sockets").PlatformSocket} PlatformSocket */

/** @type {any} */
const { process } = globalThis;

/** @type {any} null where the worker does without */
export const net = process?.getBuiltinModule?.("node:net") ?? null;

/** How long it may take to answer, in ms: it does so at once, unless it is made in another way than it was. */
const patience = 50;

/**
 * @param {PlatformSocket} socket one that has failed
 * @param {unknown} error what its reading or writing failed with
 * @param {"read" | "write"} direction
 * @returns {Promise<string | null>} such as "ECONNRESET"
 */
export function codeOf(socket, error, direction) {
  if (!net) return Promise.resolve(null);
  return new Promise((resolve) => {
    setTimeout(resolve, patience, null);
    const failing = async () => {
      throw error;
    };
    const asked = new net.Socket();
    // It is told by what it is destroyed with, and there is nothing to destroy.
    asked.destroy = (/** @type {any} */ { code = null }) => resolve(code);
    asked.on("error", (/** @type {any} */ { code = null }) => resolve(code));
    asked._handle = { socket, reading: false, bytesRead: 0, bytesWritten: 0, options: {} };
    Object.assign(asked._handle, { reader: { read: failing }, writer: { write: failing } });
    if (direction === "read") asked.resume();
    else asked.write("x");
  });
}
