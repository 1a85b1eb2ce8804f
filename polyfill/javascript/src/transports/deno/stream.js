import { observe } from "../node/observe.js";
import { streams as node } from "../node/stream.js";
import { permit } from "./permission.js";
import { TLSIntake } from "./tls-intake.js";

/** Memory of no size, by which a handle of Deno goes back to memory of its own. */
const none = new Uint8Array(0);

/** @type {import("../node/stream.js").Streams} */
export const streams = {
  ...node,

  // Without an address Deno throws at once.
  checkLocal: (address, port) => address && permit(address, port),

  secure(raw, unread, handshake, observer) {
    const handle = /** @type {any} */ (raw)._handle;
    const { onread } = handle;
    // The memory of `onread` stays with the handle, and TLS over the stream would never see what is read into it.
    handle.useUserBuffer(none);
    const intake = new TLSIntake(observer);
    raw.pause();
    if (unread.length > 0) raw.unshift(unread);
    // When both directions have ended, Deno would destroy the stream, behind whose end there may be data to decrypt.
    const stream = observe(handshake(raw), intake.observer, { end: false });
    intake.attach(stream, () => onread.call(handle));
    return stream;
  },
};
