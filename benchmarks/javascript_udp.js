/**
 * How fast the polyfill's UDP is in a runtime that has node:dgram, beside the `dgram.Socket` of the same runtime:
 *
 *     node benchmarks/javascript_udp.js [--rounds 15] [--scale 1] [--only send,ping-pong]
 *     bun benchmarks/javascript_udp.js
 *     deno run --unstable-net --allow-net --allow-read --allow-run --allow-env --allow-sys benchmarks/javascript_udp.js
 *
 * side_by_side.js says what is printed. No more than 64 datagrams are under way at once, so that none is lost: what is
 * measured is the way through the runtime, not how much the system throws away.
 */

import { Buffer } from "node:buffer";
import dgram from "node:dgram";
import { Socket } from "../polyfill/javascript/src/index.js";
import { compare, expect, inTurn, startPeer, times } from "./side_by_side.js";

/**
 * @typedef {import("./side_by_side.js").Side} Side
 * @typedef {import("./side_by_side.js").Work} Work
 */

const burst = 64;
const size = 512;

const nothing = Buffer.alloc(size, "n");
const ball = Buffer.alloc(size, "e");
const more = Buffer.from(`m${burst}`);

/**
 * @param {Work} work
 * @returns {Promise<dgram.Socket>}
 */
function openRaw({ port }) {
  const socket = dgram.createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
  return new Promise((resolve) => socket.connect(port(), "127.0.0.1", () => resolve(socket)));
}

/**
 * Sends a burst, and waits until the system has the last datagram.
 * @param {dgram.Socket} socket
 */
function sendBurst(socket) {
  return new Promise((resolve) => {
    for (let rest = burst; rest > 0; rest--) socket.send(nothing, rest === 1 ? () => resolve(undefined) : undefined);
  });
}

/** @type {Side} */
const raw = {
  async send(work) {
    const socket = await openRaw(work);
    for (let rest = work.amount; rest > 0; rest -= burst) await sendBurst(socket);
    socket.close();
  },
  async receive(work) {
    const socket = await openRaw(work);
    socket.send(nothing);
    let length = 0;
    await new Promise((resolve) => {
      let rest = work.amount;
      socket.on("message", (message) => {
        length += message.length;
        if (--rest === 0) resolve(undefined);
        else if (rest % burst === 0) socket.send(more);
      });
      socket.send(more);
    });
    socket.close();
    expect(length, work.amount * size);
  },
  async "ping-pong"(work) {
    const socket = await openRaw(work);
    await new Promise((resolve) => {
      let rest = work.amount;
      socket.on("message", () => {
        if (--rest > 0) socket.send(ball);
        else resolve(undefined);
      });
      socket.send(ball);
    });
    socket.close();
  },
};

/** @param {Work} work */
async function open({ port }) {
  const remote = { address: "127.0.0.1", port: port() };
  const socket = new Socket({ type: "udp", remote, sendBufferSize: 1 << 20, receiveBufferSize: 1 << 20 });
  await socket.ready;
  return { socket, writer: socket.writable.getWriter(), reader: socket.readable.getReader() };
}

/** @type {Side} */
const polyfill = {
  async send(work) {
    const { socket, writer } = await open(work);
    for (let rest = work.amount; rest > 0; rest -= burst) {
      let last;
      for (let one = 0; one < burst; one++) last = writer.write(nothing);
      await last;
    }
    expect(socket.stats.packetsSent, work.amount);
    await socket.abort("done");
  },
  async receive(work) {
    const { socket, writer, reader } = await open(work);
    // What was written last may still be under way at the end.
    writer.closed.catch(() => {});
    await writer.write(nothing);
    let length = 0;
    for (let rest = work.amount; rest > 0; ) {
      if (rest % burst === 0) writer.write(more).catch(() => {});
      const { value } = await reader.read();
      length += value.length;
      rest -= 1;
    }
    await socket.abort("done");
    expect(length, work.amount * size);
  },
  async "ping-pong"(work) {
    const { socket, writer, reader } = await open(work);
    for (let rest = work.amount; rest > 0; rest--) {
      writer.write(ball).catch(() => {});
      const { value } = await reader.read();
      expect(value.length, size);
    }
    await socket.abort("done");
  },
};

const datagrams = { ...times, step: burst, target: { node: 0.8, deno: 0.8, bun: 0.8 } };

/** @type {import("./side_by_side.js").Task[]} */
const tasks = [
  { name: "send", amount: 16_384, ...datagrams },
  { name: "receive", amount: 16_384, ...datagrams },
  { name: "ping-pong", amount: 4_096, ...datagrams },
];

const peer = await startPeer("udp_peer.py");
await compare({ theirs: "dgram", raw, polyfill, tasks, port: inTurn(peer.told) });
peer.end();
