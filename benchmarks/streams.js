/**
 * What the benchmarks of connections do, by the runtime's own streams and by those of the polyfill. A benchmark brings
 * the two ways to open a connection.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { expect } from "./side_by_side.js";

export const MiB = 1024 * 1024;

/**
 * @typedef {import("./side_by_side.js").Side} Side
 * @typedef {import("./side_by_side.js").Implementation} Implementation
 * @typedef {import("./side_by_side.js").Work & {noDelay?: boolean}} Opening
 * @typedef {import("../polyfill/javascript/src/index.js").Socket} Socket
 */

/**
 * @param {import("node:net").Socket} socket
 * @returns {Promise<Buffer>}
 */
async function restOf(socket) {
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * @param {(opening: Opening) => Promise<import("node:net").Socket>} open fulfils when it is connected
 * @returns {Side}
 */
export function rawSide(open) {
  /**
   * Writes as the documentation of Node says: until write() returns false, then wait for "drain".
   * @param {number} size
   * @param {boolean} noDelay
   * @returns {Implementation}
   */
  const send = (size, noDelay) => async (work) => {
    const socket = await open({ ...work, noDelay });
    const chunk = Buffer.alloc(size, 1);
    socket.write("drain\n");
    await new Promise((resolve) => {
      let rest = work.amount;
      const go = () => {
        while (rest > 0) {
          rest -= size;
          if (!socket.write(chunk)) {
            socket.once("drain", go);
            return;
          }
        }
        resolve(undefined);
      };
      go();
    });
    socket.end();
    checkLength(await restOf(socket), work.amount);
  };

  return {
    async receive(work) {
      const socket = await open(work);
      let length = 0;
      socket.on("data", (chunk) => {
        length += chunk.length;
      });
      socket.write(`source ${work.amount}\n`);
      await new Promise((resolve) => socket.once("end", resolve));
      socket.destroy();
      expect(length, work.amount);
    },
    "send 64 KiB": send(64 * 1024, true),
    "send 1 KiB": send(1024, true),
    "send 1 KiB, Nagle": send(1024, false),
    async "ping-pong"(work) {
      const socket = await open(work);
      const ball = Buffer.from([1]);
      socket.write("echo\n");
      await new Promise((resolve) => {
        let rest = work.amount;
        socket.on("data", () => {
          if (--rest > 0) socket.write(ball);
          else resolve(undefined);
        });
        socket.write(ball);
      });
      socket.destroy();
    },
    async connect(work) {
      for (let rest = work.amount; rest > 0; rest--) {
        const socket = await open(work);
        socket.destroy();
        await new Promise((resolve) => socket.once("close", resolve));
      }
    },
  };
}

const encoder = new TextEncoder();

/**
 * @param {(opening: Opening) => Promise<Socket>} open fulfils when it is ready
 * @returns {Side}
 */
export function polyfillSide(open) {
  /**
   * @param {number} size
   * @param {boolean} noDelay
   * @returns {Implementation}
   */
  const send = (size, noDelay) => async (work) => {
    const { socket, writer } = await ask(open, { ...work, noDelay }, "drain");
    const chunk = new Uint8Array(size).fill(1);
    for (let rest = work.amount; rest > 0; rest -= size) await writer.write(chunk);
    await writer.close();
    checkLength(Buffer.from(await new Response(socket.readable).arrayBuffer()), work.amount);
    await socket.closed;
  };

  return {
    async receive(work) {
      const { socket } = await ask(open, work, `source ${work.amount}`);
      const reader = socket.readable.getReader();
      let length = 0;
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        length += value.length;
      }
      await socket.abort();
      expect(length, work.amount);
    },
    async "receive BYOB"(work) {
      const { socket } = await ask(open, work, `source ${work.amount}`);
      const reader = socket.readable.getReader({ mode: "byob" });
      let buffer = new ArrayBuffer(256 * 1024);
      let length = 0;
      for (;;) {
        const { value, done } = await reader.read(new Uint8Array(buffer));
        if (done || !value) break;
        length += value.length;
        buffer = value.buffer;
      }
      await socket.abort();
      expect(length, work.amount);
    },
    "send 64 KiB": send(64 * 1024, true),
    "send 1 KiB": send(1024, true),
    "send 1 KiB, Nagle": send(1024, false),
    async "ping-pong"(work) {
      const { socket, writer } = await ask(open, work, "echo");
      const reader = socket.readable.getReader();
      const ball = new Uint8Array([1]);
      for (let rest = work.amount; rest > 0; rest--) {
        writer.write(ball);
        await reader.read();
      }
      await socket.abort();
    },
    async connect(work) {
      for (let rest = work.amount; rest > 0; rest--) {
        const socket = await open(work);
        // With a reason, as the runtime's own sockets make no exception, either.
        await socket.abort("done");
      }
    },
  };
}

/**
 * @param {(opening: Opening) => Promise<Socket>} open
 * @param {Opening} work
 * @param {string} line what the other end is asked for
 */
async function ask(open, work, line) {
  const socket = await open(work);
  const writer = socket.writable.getWriter();
  await writer.write(encoder.encode(`${line}\n`));
  return { socket, writer };
}

/**
 * Moves data with both readers and with writes of several sizes, against the hashes of the other end.
 * @param {(opening: Opening) => Promise<Socket>} open
 * @param {() => number} port
 */
export async function verify(open, port) {
  for (const mode of /** @type {const} */ ([undefined, "byob"])) await verifyReading(open, port, mode);
  for (const size of [1024, 64 * 1024, 3 * MiB]) await verifyWriting(open, port, size);
}

/**
 * @param {(opening: Opening) => Promise<Socket>} open
 * @param {() => number} port
 * @param {"byob" | undefined} mode
 */
async function verifyReading(open, port, mode) {
  const length = 16 * MiB + 4321;
  const { socket } = await ask(open, { amount: length, port }, `source ${length}`);
  const hash = createHash("sha256");
  if (mode) {
    const reader = socket.readable.getReader({ mode });
    for (let buffer = new ArrayBuffer(100_000); ; ) {
      const { value } = await reader.read(new Uint8Array(buffer));
      if (!value?.length) break;
      hash.update(value);
      buffer = value.buffer;
    }
  } else {
    for await (const chunk of socket.readable) hash.update(chunk);
  }
  await socket.abort();
  expect(hash.digest("hex"), patternHash(length));
}

/**
 * @param {(opening: Opening) => Promise<Socket>} open
 * @param {() => number} port
 * @param {number} size
 */
async function verifyWriting(open, port, size) {
  const { socket, writer } = await ask(open, { amount: 0, port }, "sink");
  const hash = createHash("sha256");
  const chunk = new Uint8Array(size);
  for (let rest = 16 * MiB, round = 0; rest > 0; rest -= size, round++) {
    // The memory is used again as soon as the write has fulfilled, which must not reach what was sent.
    chunk.fill(round);
    hash.update(chunk);
    await writer.write(chunk);
  }
  await writer.close();
  const answer = JSON.parse(await new Response(socket.readable).text());
  expect(answer.sha256, hash.digest("hex"));
}

/** @param {number} length */
function patternHash(length) {
  const pattern = Buffer.alloc(MiB);
  for (let index = 0; index < MiB; index++) pattern[index] = (index * 31 + (index >> 8)) & 0xff;
  const hash = createHash("sha256");
  for (let rest = length; rest > 0; rest -= MiB) hash.update(pattern.subarray(0, Math.min(rest, MiB)));
  return hash.digest("hex");
}

/**
 * @param {Buffer} answer
 * @param {number} amount
 */
function checkLength(answer, amount) {
  expect(JSON.parse(answer.toString()).length, amount);
}
