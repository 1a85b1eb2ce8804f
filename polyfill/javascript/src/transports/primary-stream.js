/**
 * The half of a QUIC connection that is its primary stream, for transports whose streams are objects of their own.
 * @template {import("./transport.js").StreamTransport} T
 */
export class OverPrimaryStream {
  /** @protected */
  primary;

  /** @param {T} primary */
  constructor(primary) {
    this.primary = primary;
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    return this.primary.write(bytes);
  }

  writeFin() {
    this.primary.writeFin();
  }

  resume() {
    this.primary.resume();
  }

  resetStream() {
    this.primary.resetStream();
  }

  stopSending() {
    this.primary.stopSending();
  }

  /** The options are those of TCP. */
  configure() {}
}
