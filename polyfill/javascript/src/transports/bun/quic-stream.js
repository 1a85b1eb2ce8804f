import { inspect } from "node:util";
import { onClosing } from "./node-quic.js";
import { watch } from "./stop-watch.js";

/**
 * @typedef {import("../transport.js").StreamClient} StreamClient
 * @typedef {import("../transport.js").StreamTransport} StreamTransport
 *
 * @typedef {object} StreamState
 * @property {boolean} finReceived
 * @property {boolean} writeEnded because of this end, or because of the peer's STOP_SENDING
 *
 * @typedef {object} Native a stream of node:quic
 * @property {Writer} writer
 * @property {boolean} destroyed
 * @property {bigint | null} id
 * @property {"bidi" | "uni"} direction
 * @property {Promise<void>} closed
 * @property {((error: {errorCode: bigint}) => void) | undefined} onreset
 * @property {(code: bigint) => void} stopSending
 * @property {() => AsyncIterator<Uint8Array<ArrayBuffer>[]>} [Symbol.asyncIterator]
 *
 * @typedef {object} Writer
 * @property {number | null} desiredSize bytes that it takes now; null when the write side has ended, by whomever
 * @property {(bytes: Uint8Array) => boolean} writeSync copies the bytes
 * @property {() => number} endSync
 * @property {() => void} fail sends RESET_STREAM
 */

/** How to wait for a writer that is full. */
const drainable = Symbol.for("Stream.drainableProtocol");

/** How many bytes a stream of node:quic takes before any of them is sent. */
const writeBufferSize = 65536;

/**
 * One stream of node:quic. That of a server's primary stream arrives when the client opens it; what is asked of it before
 * waits.
 * @implements {StreamTransport}
 */
export class BunQuicStream {
  #client;

  /** @type {Native | null} */
  #native = null;

  /** What is done when the stream is there. @type {(() => void)[]} */
  #early = [];

  /** How many bytes were accepted before the stream was there. */
  #earlySize = 0;

  /** Who waits for room to read on. @type {(() => void) | null} */
  #readOn = null;

  /** Everything that is there is read, room or no room: the connection is over. */
  #draining = false;

  /** What was so when the stream was closed; null while it is open. @type {StreamState | null} */
  #last = null;

  #doneReading = () => {};

  /** Fulfils when nothing more will be read. @type {Promise<void>} */
  read = new Promise((resolve) => {
    this.#doneReading = resolve;
  });

  /** This end has ended its direction, or the peer has asked it to stop. */
  #writeDone = false;

  /** The peer's direction has ended in a way that was told, or is not wanted any more. */
  #readDone = false;

  /**
   * @param {StreamClient} client
   * @param {Native} [native]
   */
  constructor(client, native) {
    this.#client = client;
    if (native) queueMicrotask(() => this.attach(native));
  }

  /** @param {Native} native */
  attach(native) {
    this.#native = native;
    native.onreset = ({ errorCode }) => this.#reset(Number(errorCode));
    native.closed.then(
      () => this.#closed(),
      () => this.#closed(),
    );
    const { desiredSize } = native.writer;
    if (desiredSize === null) this.#writeDone = true;
    else watch(() => this.#look());
    for (const task of this.#early.splice(0)) task();
    onClosing(native, () => {
      this.#last = stateOf(native);
    });
    this.#read(native).then(this.#doneReading);
  }

  /**
   * The connection is over: what Bun has received by then is passed on, and lost otherwise.
   * @returns {Promise<void>} fulfils when that is done
   */
  async drain() {
    this.#draining = true;
    this.#readOn?.();
    if (this.#native) await this.read;
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    if (!this.#native) return this.#writeEarly(bytes);
    const rest = this.#push(bytes);
    if (rest.length === 0) return true;
    this.#drain(rest);
    return false;
  }

  writeFin() {
    if (!this.#native) return void this.#early.push(() => this.writeFin());
    this.#writeDone = true;
    this.#native.writer.endSync();
    queueMicrotask(() => this.#client.finAccepted());
  }

  resume() {
    if (this.#client.room > 0) this.#readOn?.();
  }

  resetStream() {
    this.#writeDone = true;
    // What was written before is lost with it.
    if (this.#native) this.#native.writer.fail();
    else this.#early = [() => this.#native?.writer.fail()];
  }

  stopSending() {
    if (!this.#native) return void this.#early.push(() => this.stopSending());
    this.#readDone = true;
    this.#native.stopSending(0n);
    this.#readOn?.();
  }

  /**
   * As much as there will be room for is accepted at once.
   * @param {Uint8Array} bytes
   */
  #writeEarly(bytes) {
    const fits = this.#earlySize + bytes.length <= writeBufferSize;
    if (!fits) {
      this.#early.push(() => this.write(bytes) && this.#client.accepted());
      return false;
    }
    const copy = bytes.slice();
    this.#earlySize += copy.length;
    this.#early.push(() => this.#native?.writer.writeSync(copy));
    this.#client.sent(copy.length);
    return true;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {Uint8Array} what there is no room for yet
   */
  #push(bytes) {
    const { writer } = /** @type {Native} */ (this.#native);
    while (bytes.length > 0) {
      const part = bytes.subarray(0, writer.desiredSize ?? 0);
      if (part.length === 0 || !writer.writeSync(part)) break;
      this.#client.sent(part.length);
      bytes = bytes.subarray(part.length);
    }
    return bytes;
  }

  /** @param {Uint8Array} bytes */
  async #drain(bytes) {
    const { writer } = /** @type {any} */ (this.#native);
    try {
      while (bytes.length > 0 && !this.#writeDone) {
        await writer[drainable]();
        bytes = this.#push(bytes);
      }
    } catch {
      // It was broken off, of which others tell.
    }
    if (bytes.length === 0 && !this.#writeDone) this.#client.accepted();
  }

  /** @param {Native} native */
  async #read(native) {
    try {
      for await (const batch of /** @type {any} */ (native)) {
        for (const bytes of batch) {
          if (!this.#readDone) this.#client.received(bytes, bytes.length === bytes.buffer.byteLength);
        }
        if (this.#client.room === 0 && !this.#readDone && !this.#draining) await this.#room();
      }
      if (!this.#readDone && (this.#last ?? stateOf(native)).finReceived) this.#end();
    } catch {
      // A reset, which is told as it arrives, or the end of the connection.
    }
  }

  /** @returns {Promise<void>} fulfils when there is room to read on */
  async #room() {
    await new Promise((resolve) => {
      this.#readOn = () => resolve(undefined);
    });
    this.#readOn = null;
  }

  #end() {
    this.#readDone = true;
    this.#client.ended();
  }

  /** @param {number} code */
  #reset(code) {
    if (this.#readDone) return;
    this.#readDone = true;
    this.#client.streamReset(code);
    this.#readOn?.();
  }

  /**
   * The writer's side of STOP_SENDING, of which node:quic tells nobody, nor of its code.
   * @returns {boolean} whether to look again
   */
  #look() {
    const native = /** @type {Native} */ (this.#native);
    if (!this.#writeDone && !native.destroyed && native.writer.desiredSize === null) this.#stopped();
    return !this.#writeDone && !native.destroyed;
  }

  #stopped() {
    this.#writeDone = true;
    this.#client.stopped(null);
  }

  /** A stream closes when both directions are over, or with the connection. */
  #closed() {
    if (!this.#writeDone && this.#last?.writeEnded) this.#stopped();
  }
}

/**
 * Reading ends in the same way with a FIN and with the connection, and a stream closes in the same way. What is what shows
 * in the state of the stream alone, which only inspection tells.
 * @param {Native} native
 * @returns {StreamState}
 */
function stateOf(native) {
  const text = inspect(native, { depth: 2 });
  return { finReceived: !text.includes("finReceived: false"), writeEnded: text.includes("writeEnded: true") };
}
