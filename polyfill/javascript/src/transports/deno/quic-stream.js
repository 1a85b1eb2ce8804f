/**
 * @typedef {import("../transport.js").StreamClient} StreamClient
 * @typedef {import("../transport.js").StreamTransport} StreamTransport
 *
 * @typedef {object} Native a stream of Deno's QUIC
 * @property {ReadableStream<Uint8Array<ArrayBuffer>> | null} readable null where this end only sends
 * @property {WritableStream<Uint8Array> | null} writable null where this end only receives
 *
 * @typedef {object} Owner the connection
 * @property {() => void} sending something is being sent
 * @property {(writer: object) => void} hold keeps a writer as long as the connection lives
 */

/** What Deno says of a RESET_STREAM and of a STOP_SENDING, and their code, in the message of an error alone. */
const resetByPeer = /^stream reset by peer: error (\d+)/;
const stoppedByPeer = /^sending stopped by peer: error (\d+)/;

/** How many bytes are accepted before the stream is there. */
const earlySize = 65_536;

/**
 * One stream of Deno's QUIC. That of a server's primary stream arrives when the client opens it; what is asked of it
 * before waits.
 * @implements {StreamTransport}
 */
export class DenoQuicStream {
  #client;
  #owner;

  /** @type {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | null} */
  #reader = null;

  /** @type {WritableStreamDefaultWriter<Uint8Array> | null} */
  #writer = null;

  /** What is done when the stream is there. @type {(() => void)[]} */
  #early = [];

  /** How many bytes were accepted before. */
  #earlySize = 0;

  #attached = false;
  #reading = false;
  #readDone = false;
  #writeDone = false;

  /**
   * @param {StreamClient} client
   * @param {Owner} owner
   * @param {Native} [native]
   */
  constructor(client, owner, native) {
    this.#client = client;
    this.#owner = owner;
    if (native) queueMicrotask(() => this.attach(native));
  }

  /** @param {Native} native */
  attach({ readable, writable }) {
    this.#attached = true;
    this.#reader = readable?.getReader() ?? null;
    this.#writer = writable?.getWriter() ?? null;
    // Failures are told by reads and writes.
    for (const promise of [this.#reader?.closed, this.#writer?.closed, this.#writer?.ready]) promise?.catch(() => {});
    for (const task of this.#early.splice(0)) task();
    this.resume();
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    if (!this.#attached) return this.#writeEarly(bytes);
    this.#write(bytes, () => {
      this.#client.sent(bytes.length);
      this.#client.accepted();
    });
    return false;
  }

  writeFin() {
    if (!this.#attached) return void this.#early.push(() => this.writeFin());
    this.#writeDone = true;
    this.#owner.sending();
    this.#writer?.close().then(
      () => this.#client.finAccepted(),
      (error) => this.#broke(error),
    );
  }

  async resume() {
    if (this.#reading || this.#readDone || !this.#reader) return;
    this.#reading = true;
    try {
      while (!this.#readDone && this.#client.room > 0) {
        const { value, done } = await this.#reader.read();
        if (this.#readDone) return;
        if (done || !value) this.#end();
        else this.#client.received(value, value.length === value.buffer.byteLength);
      }
    } catch (error) {
      this.#broke(/** @type {Error} */ (error));
    }
    this.#reading = false;
  }

  resetStream() {
    this.#writeDone = true;
    // Deno cannot reset a stream: to abort its writable sends a FIN, and so does forgetting it, which would make it look
    // complete. So it stays open until the connection is closed.
    if (this.#writer) this.#owner.hold(this.#writer);
    else this.#early = [() => this.resetStream()];
  }

  stopSending() {
    if (!this.#attached) return void this.#early.push(() => this.stopSending());
    this.#readDone = true;
    this.#owner.sending();
    this.#reader?.cancel().catch(() => {});
  }

  /**
   * As much as there will be room for is accepted at once.
   * @param {Uint8Array} bytes
   */
  #writeEarly(bytes) {
    const size = bytes.length;
    if (this.#earlySize + size > earlySize) {
      this.#early.push(() => this.write(bytes));
      return false;
    }
    const copy = bytes.slice();
    this.#earlySize += size;
    this.#early.push(() => this.#write(copy, () => {}));
    this.#client.sent(size);
    return true;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {() => void} accepted
   */
  #write(bytes, accepted) {
    this.#owner.sending();
    this.#writer?.write(bytes).then(accepted, (error) => this.#broke(error));
  }

  #end() {
    this.#readDone = true;
    // A turn later: streams that the peer opened before are told of by other promises, and keep the socket open.
    setImmediate(() => this.#client.ended());
  }

  /** @param {Error} error of a read or a write; that the connection is over is told by the connection */
  #broke({ message }) {
    const reset = resetByPeer.exec(message);
    const stopped = stoppedByPeer.exec(message);
    if (reset && !this.#readDone) {
      this.#readDone = true;
      this.#client.streamReset(Number(reset[1]));
    }
    if (stopped && !this.#writeDone) {
      this.#writeDone = true;
      this.#client.stopped(Number(stopped[1]));
    }
  }
}
