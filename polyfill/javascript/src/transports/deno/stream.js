import { streams as node } from "../node/stream.js";

/** Memory of no size, by which a handle of Deno goes back to memory of its own. */
const none = new Uint8Array(0);

/** @type {import("../node/stream.js").Streams} */
export const streams = {
  ...node,

  /**
   * In Deno the memory of `onread` stays with the handle, and TLS over the stream would never see what is read into it.
   */
  secure(raw, unread, handshake, observer) {
    /** @type {any} */ (raw)._handle.useUserBuffer(none);
    return node.secure(raw, unread, handshake, observer);
  },
};
