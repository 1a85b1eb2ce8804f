import { streams as node } from "../node/stream.js";
import { permit } from "./permission.js";
import { RecordEnds } from "./tls-records.js";

/** Memory of no size, by which a handle of Deno goes back to memory of its own. */
const none = new Uint8Array(0);

/** @returns {NodeJS.ErrnoException} what OpenSSL calls it */
function truncated() {
  const error = new Error("The connection ended without a close_notify, so data may be missing");
  return Object.assign(error, { code: "ERR_SSL_UNEXPECTED_EOF_WHILE_READING" });
}

/** @type {import("../node/stream.js").Streams} */
export const streams = {
  ...node,

  // Without an address Deno throws at once.
  checkLocal: (address, port) => address && permit(address, port),

  secure(raw, unread, handshake, observer) {
    const below = /** @type {any} */ (raw)._handle;
    const { onread } = below;
    // The memory of `onread` stays with the handle, and TLS over the stream would never see what is read into it.
    below.useUserBuffer(none);
    /** What ended first. @type {"" | "tls" | "tcp"} */
    let ended = "";
    const stream = node.secure(raw, unread, handshake, {
      ...observer,
      ended() {
        ended ||= "tls";
        if (ended === "tcp" && handle.isEstablished()) observer.broke(truncated());
        else observer.ended();
      },
    });
    const handle = /** @type {any} */ (stream)._handle;
    const { receive } = handle;
    const records = new RecordEnds();
    Object.assign(handle, {
      /**
       * A record that fails, or an alert, takes with it what was decrypted in the same turn and not passed on yet. So
       * each comes by itself, except for the handshake, whose answer has to be complete before it can be refused.
       * @param {Uint8Array} bytes
       */
      receive(bytes) {
        const cut = [...records.cut(bytes)];
        for (const part of handle.isEstablished() ? cut : [bytes]) if (!stream.destroyed) receive.call(handle, part);
      },

      /**
       * TLS takes every failure to read for an end, and an end without a close_notify for one with it. What reads without
       * TLS tells failures apart.
       */
      emitEof() {
        ended ||= "tcp";
        onread.call(below);
      },
    });
    return stream;
  },
};
