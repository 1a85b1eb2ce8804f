/**
 * @typedef {import("node:net").Socket} Socket
 * @typedef {NodeJS.ErrnoException & {errors?: NodeJS.ErrnoException[]}} NodeError
 *
 * @typedef {object} StreamObserver what a stream of Node reports to its transport
 * @property {() => number} wanted how many more bytes the transport wants; with 0 the stream stops reading
 * @property {(bytes: Uint8Array<ArrayBuffer>, owned: boolean) => boolean} received takes bytes that arrived. They are
 *   valid only within the call, unless they are owned: then their buffer may be kept, which true says
 * @property {() => void} ended
 * @property {() => void} finished the FIN was handed over, with TLS behind a close_notify
 * @property {(error: NodeError) => void} broke Node destroys a stream for every failure; this one stays
 */

/**
 * Has a stream that others have made report directly instead of by events, which come a tick later or not at all.
 * @template {Socket} T
 * @param {T} stream
 * @param {StreamObserver} observer
 * @param {{end: boolean}} [forwarding] whether the stream itself learns of the end of the data
 * @returns {T & {readOn: () => void}} the stream; `readOn()` has it read on if it has stopped
 */
export function observe(stream, observer, { end } = { end: true }) {
  // After a TLS handshake an error is emitted, and nothing is destroyed.
  stream.on("error", observer.broke);
  const { destroy, push, _final } = stream;
  let stopped = false;
  return Object.assign(stream, {
    /** @param {Error} [error] */
    destroy(error) {
      if (!error) return destroy.call(stream);
      observer.broke(error);
      return stream;
    },
    /** @param {Buffer<ArrayBuffer> | null} chunk */
    push(chunk) {
      if (chunk === null) {
        observer.ended();
        return end && push.call(stream, null);
      }
      const { buffer, byteOffset, length } = chunk;
      // Newer Nodes put several records into one buffer, which nobody may keep. What copies a Uint8Array makes of a
      // Buffer a second view of the same memory.
      observer.received(new Uint8Array(buffer, byteOffset, length), length === buffer.byteLength);
      stopped = observer.wanted() === 0;
      return !stopped;
    },
    /** @param {(error?: Error | null) => void} callback */
    _final(callback) {
      _final.call(stream, (error) => {
        if (!error) observer.finished();
        callback(error);
      });
    },
    readOn() {
      if (!stopped) return;
      stopped = false;
      // What is pushed is in no queue that could flow.
      stream._read(0);
    },
  });
}
