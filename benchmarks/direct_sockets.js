/**
 * The page of direct_sockets.py: does one task at a time, with Direct Sockets as they are or with the polyfill on them.
 */

import { exports } from "under-test";

/**
 * @typedef {object} Open
 * @property {ReadableStream<Uint8Array<ArrayBuffer>>} readable
 * @property {WritableStream<Uint8Array>} writable
 *
 * @typedef {(opened: Open, amount: number, way: string) => Promise<void>} Task
 */

/** @type {Record<string, (port: number) => Promise<Open>>} */
const ways = {
  platform: (port) => new TCPSocket("127.0.0.1", port, { noDelay: true }).opened,
  async polyfill(port) {
    const socket = new exports.Socket({ remote: { address: "127.0.0.1", port }, noDelay: true });
    await socket.ready;
    return socket;
  },
};

/** Direct Sockets lose what is written while their pipe is full, but for one chunk, however large. */
const chunkSizes = /** @type {Record<string, number>} */ ({ platform: Number.POSITIVE_INFINITY, polyfill: 64 * 1024 });

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @param {number} amount
 */
async function take(reader, amount) {
  for (let rest = amount; rest > 0; ) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${rest} bytes of ${amount} are missing`);
    rest -= value.length;
  }
}

/** @type {Record<string, Task & {order: (amount: number) => string}>} */
const tasks = {
  receive: Object.assign(/** @type {Task} */ (({ readable }, amount) => take(readable.getReader(), amount)), {
    order: (/** @type {number} */ amount) => `pour ${amount}`,
  }),
  send: Object.assign(
    /** @type {Task} */ (
      async ({ readable, writable }, amount, way) => {
        const writer = writable.getWriter();
        const size = Math.min(amount, chunkSizes[way]);
        const chunk = new Uint8Array(size).fill(1);
        for (let rest = amount; rest > 0; rest -= size) await writer.write(chunk);
        await take(readable.getReader(), 1);
        writer.releaseLock();
      }
    ),
    { order: (/** @type {number} */ amount) => `count ${amount}` },
  ),
  "ping-pong": Object.assign(
    /** @type {Task} */ (
      async ({ readable, writable }, amount) => {
        const [reader, writer] = [readable.getReader(), writable.getWriter()];
        for (let rest = amount; rest > 0; rest--) {
          writer.write(new Uint8Array([1]));
          await reader.read();
        }
        writer.releaseLock();
      }
    ),
    { order: () => "echo" },
  ),
};

/** @type {any} */ (globalThis).measure = async (
  /** @type {string} */ name,
  /** @type {string} */ way,
  /** @type {number} */ amount,
  /** @type {number} */ port,
) => {
  const opened = await ways[way](port);
  const writer = opened.writable.getWriter();
  await writer.write(new TextEncoder().encode(`${tasks[name].order(amount)}\n`));
  writer.releaseLock();
  const began = performance.now();
  await tasks[name](opened, amount, way);
  const taken = performance.now() - began;
  if (!opened.writable.locked) await opened.writable.close();
  return taken;
};

/** @type {any} */ (globalThis).agentSend("ready");
