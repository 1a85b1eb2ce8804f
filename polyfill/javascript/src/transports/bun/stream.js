import net from "node:net";
import { Duplex } from "node:stream";
import { observe } from "../node/observe.js";

/**
 * Bun gives every read memory of its own, and emulates `onread` by copying out of it, so its streams are made the usual
 * way and report what they would queue.
 *
 * @typedef {import("../node/stream.js").Stream} Stream
 */

/** @type {import("../node/stream.js").Streams} */
export const streams = {
  open(observer, accepted) {
    const stream = observe(accepted ?? new net.Socket({ allowHalfOpen: true }), observer);
    // It was paused when it was accepted.
    if (accepted) stream._read(0);
    return Object.assign(stream, {
      reset() {
        if (stream.connecting) stream.destroy();
        else stream.resetAndDestroy();
      },
    });
  },

  checkLocal() {},

  // The server counts its connections as long as they live, but nobody asks it.
  take: (socket) => socket,

  secure(raw, unread, handshake, observer) {
    const below = unread.length > 0 ? withUnread(raw, unread) : raw;
    // When the data ends, Bun would let go of the connection beneath, which can still be written to and reset.
    return observe(handshake(below), observer, { end: false });
  },
};

/**
 * Bun takes over the connection from below, past what is queued in the stream. So TLS has to go over a stream of another
 * kind, which Bun reads in the usual way.
 * @param {Stream} raw
 * @param {Uint8Array} unread
 * @returns {Duplex}
 */
function withUnread(raw, unread) {
  // From here on its data flows, and events tell of the rest.
  for (const name of ["destroy", "push", "_final"]) Reflect.deleteProperty(raw, name);
  raw.unshift(unread);
  return Duplex.from({ readable: raw, writable: raw });
}
