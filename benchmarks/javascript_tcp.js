/**
 * How fast the polyfill is in a runtime that has node:net, beside the `net.Socket` of the same runtime:
 *
 *     node benchmarks/javascript_tcp.js [--rounds 15] [--scale 1] [--only receive,ping-pong]
 *     bun benchmarks/javascript_tcp.js
 *     deno run --allow-net --allow-read --allow-run --allow-env --allow-sys benchmarks/javascript_tcp.js
 *
 * side_by_side.js says what is printed. Before anything is timed, the polyfill has to move data that the other end checks,
 * and check what it sends.
 */

import net from "node:net";
import { Socket } from "../polyfill/javascript/src/index.js";
import { bytes, compare, inTurn, startPeer, times } from "./side_by_side.js";
import { MiB, polyfillSide, rawSide, verify } from "./streams.js";

/**
 * @typedef {import("./side_by_side.js").Task} Task
 * @typedef {import("./streams.js").Opening} Opening
 */

/** @param {Opening} opening */
function openRaw({ port, noDelay }) {
  const socket = net.connect({ host: "127.0.0.1", port: port(), allowHalfOpen: true, noDelay });
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** @param {Opening} opening */
async function open({ port, noDelay }) {
  const socket = new Socket({ remote: { address: "127.0.0.1", port: port() }, noDelay });
  await socket.ready;
  return socket;
}

/** Both end a connection with a reset, which leaves nothing behind. @type {import("./side_by_side.js").Implementation} */
async function connectRaw(work) {
  for (let rest = work.amount; rest > 0; rest--) {
    const socket = await openRaw(work);
    socket.resetAndDestroy();
    await new Promise((resolve) => socket.once("close", resolve));
  }
}

/**
 * Sending is measured with TCP_NODELAY, which drivers set. With Nagle's algorithm the kernel gathers small writes, too.
 * @type {Task[]}
 */
const tasks = [
  { name: "receive", amount: 256 * MiB, ...bytes, target: { node: 1.0, deno: 1.0, bun: 0.9 } },
  {
    name: "receive BYOB",
    baseline: "receive",
    amount: 256 * MiB,
    ...bytes,
    target: { node: 1.0, deno: 1.0, bun: 0.9 },
  },
  { name: "send 64 KiB", amount: 256 * MiB, ...bytes, target: { node: 0.8, deno: 0.85, bun: 0.85 } },
  { name: "send 1 KiB", amount: 32 * MiB, ...bytes, target: { node: 2.0, deno: 2.0, bun: 2.0 } },
  { name: "send 1 KiB, Nagle", amount: 32 * MiB, ...bytes, target: { node: 1.0, deno: 1.0, bun: 1.0 } },
  { name: "ping-pong", amount: 5_000, ...times, target: { node: 0.8, deno: 0.7, bun: 0.8 } },
  { name: "connect", amount: 600, ...times, target: { node: 0.8, deno: 0.5, bun: 0.8 } },
];

const peer = await startPeer("tcp_peer.py");
const port = inTurn(peer.told);
await verify(open, port);
const raw = { ...rawSide(openRaw), connect: connectRaw };
await compare({ theirs: "net.Socket", raw, polyfill: polyfillSide(open), tasks, port });
peer.end();
