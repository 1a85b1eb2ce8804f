/**
 * How fast the polyfill is in a runtime that has node:net, beside the `net.Socket` of the same runtime:
 *
 *     node benchmarks/javascript_tcp.js [--rounds 15] [--scale 1] [--only receive,ping-pong]
 *     bun benchmarks/javascript_tcp.js
 *     deno run --allow-net --allow-read --allow-run --allow-env --allow-sys benchmarks/javascript_tcp.js
 *
 * In each round every task is done by both, one right after the other and in changing order, so that what else happens
 * on the machine hits both. A ratio is the median over the rounds of the ratio within each round; above 1 the polyfill
 * is faster, or for CPU takes more. The CPU ratio is the steadier one: the other end runs on the same cores.
 * Before anything is timed, both have to move data that the other end checks, and check what it sends.
 */

import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import net from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Socket } from "../polyfill/javascript/src/index.js";

const MiB = 1024 * 1024;

/** @typedef {(work: Work) => Promise<void>} Implementation does the work once */
/**
 * @typedef {object} Work
 * @property {number} amount bytes, round trips or connections
 * @property {() => number} port the next port to connect to
 */

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    scale: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});

// ---- The other end

const peer = spawn("python3", [fileURLToPath(new URL("tcp_peer.py", import.meta.url))], {
  stdio: ["pipe", "pipe", "inherit"],
});
/** @type {number[]} */
const ports = await new Promise((resolve, reject) => {
  peer.once("error", reject);
  createInterface(peer.stdout).once("line", (line) => resolve(JSON.parse(line)));
});
let turn = 0;
const port = () => ports[turn++ % ports.length];

// ---- net.Socket

/** @param {Work & {noDelay?: boolean}} work */
function openRaw({ port, noDelay }) {
  const socket = net.connect({ host: "127.0.0.1", port: port(), allowHalfOpen: true, noDelay });
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/**
 * @param {net.Socket} socket
 * @returns {Promise<Buffer>}
 */
async function restOf(socket) {
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Writes as the documentation of Node says: until write() returns false, then wait for "drain".
 * @param {number} size
 * @param {boolean} noDelay
 * @returns {Implementation}
 */
const rawSend = (size, noDelay) => async (work) => {
  const socket = await openRaw({ ...work, noDelay });
  const chunk = Buffer.alloc(size, 1);
  socket.write("drain\n");
  await new Promise((resolve) => {
    let rest = work.amount;
    const send = () => {
      while (rest > 0) {
        rest -= size;
        if (!socket.write(chunk)) {
          socket.once("drain", send);
          return;
        }
      }
      resolve(undefined);
    };
    send();
  });
  socket.end();
  checkLength(await restOf(socket), work.amount);
};

/** @type {Record<string, Implementation>} */
const raw = {
  async receive(work) {
    const socket = await openRaw(work);
    let length = 0;
    socket.on("data", (chunk) => {
      length += chunk.length;
    });
    socket.write(`source ${work.amount}\n`);
    await new Promise((resolve) => socket.once("end", resolve));
    socket.destroy();
    expect(length, work.amount);
  },
  "send 64 KiB": rawSend(64 * 1024, true),
  "send 1 KiB": rawSend(1024, true),
  "send 1 KiB, Nagle": rawSend(1024, false),
  async "ping-pong"(work) {
    const socket = await openRaw(work);
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
      const socket = await openRaw(work);
      socket.resetAndDestroy();
      await new Promise((resolve) => socket.once("close", resolve));
    }
  },
};

// ---- The polyfill

/** @param {Work & {noDelay?: boolean}} work */
async function open({ port, noDelay }) {
  const socket = new Socket({ remote: { address: "127.0.0.1", port: port() }, noDelay });
  await socket.ready;
  return socket;
}

const encoder = new TextEncoder();

/**
 * @param {Work & {noDelay?: boolean}} work
 * @param {string} line
 */
async function ask(work, line) {
  const socket = await open(work);
  const writer = socket.writable.getWriter();
  await writer.write(encoder.encode(`${line}\n`));
  return { socket, writer };
}

/**
 * @param {number} size
 * @param {boolean} noDelay
 * @returns {Implementation}
 */
const send = (size, noDelay) => async (work) => {
  const { socket, writer } = await ask({ ...work, noDelay }, "drain");
  const chunk = new Uint8Array(size).fill(1);
  for (let rest = work.amount; rest > 0; rest -= size) await writer.write(chunk);
  await writer.close();
  checkLength(Buffer.from(await new Response(socket.readable).arrayBuffer()), work.amount);
  await socket.closed;
};

/** @type {Record<string, Implementation>} */
const polyfill = {
  async receive(work) {
    const { socket } = await ask(work, `source ${work.amount}`);
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
    const { socket } = await ask(work, `source ${work.amount}`);
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
    const { socket, writer } = await ask(work, "echo");
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
      // With a reason, as net.Socket makes no exception, either.
      await socket.abort("done");
    }
  },
};

/**
 * @typedef {object} Task
 * @property {string} name
 * @property {string} [baseline] the task of net.Socket to compare with, if it has another name
 * @property {number} amount
 * @property {number} step what the amount must be a multiple of
 * @property {string} unit
 * @property {number} per how much one of the unit is
 * @property {number} target the ratio to reach
 *
 * @typedef {"node" | "deno" | "bun"} Runtime
 * @typedef {Omit<Task, "target"> & {target: Record<Runtime, number>}} TaskOfAll
 */

/** Runtimes that are compatible with Node name themselves beside it. */
const runtime = /** @type {const} */ (["deno", "bun"]).find((name) => name in process.versions) ?? "node";

const bytes = { step: 64 * 1024, unit: "MB/s", per: 1e6 };
const times = { step: 1, unit: "k/s", per: 1e3 };

/**
 * Sending is measured with TCP_NODELAY, which drivers set. With Nagle's algorithm the kernel gathers small writes, too.
 * @type {TaskOfAll[]}
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

// ---- Checks before timing

/**
 * @param {unknown} actual
 * @param {unknown} expected
 */
function expect(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${expected}, but it was ${actual}`);
}

/**
 * @param {Buffer} answer
 * @param {number} amount
 */
function checkLength(answer, amount) {
  expect(JSON.parse(answer.toString()).length, amount);
}

/** @param {number} length */
function patternHash(length) {
  const pattern = Buffer.alloc(MiB);
  for (let index = 0; index < MiB; index++) pattern[index] = (index * 31 + (index >> 8)) & 0xff;
  const hash = createHash("sha256");
  for (let rest = length; rest > 0; rest -= MiB) hash.update(pattern.subarray(0, Math.min(rest, MiB)));
  return hash.digest("hex");
}

/** Both readers and both sizes of writes, against the hashes of the other end. */
async function verify() {
  const length = 16 * MiB + 4321;
  const expected = patternHash(length);
  for (const mode of /** @type {const} */ ([undefined, "byob"])) {
    const { socket } = await ask({ amount: length, port }, `source ${length}`);
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
    expect(hash.digest("hex"), expected);
  }
  for (const size of [1024, 64 * 1024, 3 * MiB]) {
    const { socket, writer } = await ask({ amount: 0, port }, "sink");
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
}

// ---- Timing

/**
 * @param {Implementation} implementation
 * @param {number} amount
 */
async function time(implementation, amount) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await implementation({ amount, port });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: amount / seconds, cpu: (user + system) / 1e6 };
}

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * @param {Task} task
 * @param {number} rounds
 */
async function compare({ name, baseline = name, amount, step, unit, per, target }, rounds) {
  const scaled = (/** @type {number} */ factor) => Math.ceil((amount * factor * Number(flags.scale)) / step) * step;
  const sides = [raw[baseline], polyfill[name]];
  for (const side of [...sides, ...sides]) await time(side, scaled(1));
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const first = round % 2;
    const timed = [await time(sides[first], scaled(1)), await time(sides[1 - first], scaled(1))];
    results.push({ theirs: timed[first], ours: timed[1 - first] });
  }
  const ratio = median(results.map(({ theirs, ours }) => ours.rate / theirs.rate));
  const cpu = median(results.map(({ theirs, ours }) => ours.cpu / theirs.cpu));
  const rates = [results.map(({ theirs }) => theirs.rate), results.map(({ ours }) => ours.rate)].map((values) =>
    (median(values) / per).toFixed(1).padStart(10),
  );
  console.log(
    `${name.padEnd(18)}${rates.join("")} ${unit.padEnd(5)}${ratio.toFixed(2).padStart(6)}${cpu.toFixed(2).padStart(7)}` +
      `   ${ratio >= target ? "reaches" : "MISSES"} ${target.toFixed(2)}`,
  );
}

await verify();
console.log(`${runtime} ${process.versions[runtime]}, ${flags.rounds} rounds; the data has been verified`);
console.log("task              net.Socket  polyfill       ratio    CPU   target of the ratio");
const chosen = flags.only.split(",").filter(Boolean);
for (const task of tasks) {
  if (chosen.length > 0 && !chosen.includes(task.name)) continue;
  await compare({ ...task, target: task.target[runtime] }, Number(flags.rounds));
}
peer.stdin.end();
