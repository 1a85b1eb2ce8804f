/**
 * Two implementations of the same tasks, timed side by side in one process.
 *
 * In each round every task is done by both, one right after the other and in changing order, so that what else happens
 * on the machine hits both. A ratio is the median over the rounds of the ratio within each round; above 1 the polyfill
 * is faster, or for CPU takes more. The CPU ratio is the steadier one: the other end runs on the same cores.
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/**
 * @typedef {object} Work
 * @property {number} amount bytes, round trips, datagrams or connections
 * @property {() => number} port the next port to connect to
 *
 * @typedef {(work: Work) => Promise<void>} Implementation does the work once
 * @typedef {Record<string, Implementation>} Side by the name of the task
 *
 * @typedef {"node" | "deno" | "bun"} Runtime
 *
 * @typedef {object} Task
 * @property {string} name
 * @property {string} [baseline] the task of the runtime's own API to compare with, if it has another name
 * @property {number} amount
 * @property {number} step what the amount must be a multiple of
 * @property {string} unit
 * @property {number} per how much one of the unit is
 * @property {Partial<Record<Runtime, number>>} target the ratio to reach
 */

/** Amounts of bytes. */
export const bytes = { step: 64 * 1024, unit: "MB/s", per: 1e6 };

/** Amounts of what is counted. */
export const times = { step: 1, unit: "k/s", per: 1e3 };

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    scale: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});

/** Runtimes that are compatible with Node name themselves beside it. @type {Runtime} */
const runtime = /** @type {const} */ (["deno", "bun"]).find((name) => name in process.versions) ?? "node";

/**
 * Starts the other end of a benchmark, a Python program beside this file that prints a line of JSON.
 * @param {string} file
 * @param {string[]} [words]
 * @returns {Promise<{told: any, end: () => void}>} what it printed
 */
export async function startPeer(file, words = []) {
  const peer = spawn("python3", [fileURLToPath(new URL(file, import.meta.url)), ...words], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const told = await new Promise((resolve, reject) => {
    peer.once("error", reject);
    createInterface(peer.stdout).once("line", (line) => resolve(JSON.parse(line)));
  });
  return { told, end: () => peer.stdin.end() };
}

/**
 * @param {number[]} ports
 * @returns {() => number} the next of them
 */
export function inTurn(ports) {
  let turn = 0;
  return () => ports[turn++ % ports.length];
}

/**
 * @param {unknown} actual
 * @param {unknown} expected
 */
export function expect(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${expected}, but it was ${actual}`);
}

/**
 * Prints how the two compare in each task. Before it is called, both have shown that they move the right data.
 * @param {object} comparison
 * @param {string} comparison.theirs how the runtime's own API is called
 * @param {Side} comparison.raw
 * @param {Side} comparison.polyfill
 * @param {Task[]} comparison.tasks
 * @param {() => number} comparison.port
 */
export async function compare({ theirs, raw, polyfill, tasks, port }) {
  console.log(`${runtime} ${process.versions[runtime]}, ${flags.rounds} rounds; the data has been verified`);
  console.log(`task              ${theirs.padStart(10)}  polyfill       ratio    CPU   target of the ratio`);
  const chosen = flags.only.split(",").filter(Boolean);
  for (const task of tasks) {
    if (chosen.length > 0 && !chosen.includes(task.name)) continue;
    const sides = [raw[task.baseline ?? task.name], polyfill[task.name]];
    print(task, await rounds(sides, scaled(task), port));
  }
}

/** @param {Task} task */
function scaled({ amount, step }) {
  return Math.ceil((amount * Number(flags.scale)) / step) * step;
}

/**
 * @param {Implementation[]} sides
 * @param {number} amount
 * @param {() => number} port
 */
async function rounds(sides, amount, port) {
  for (const side of [...sides, ...sides]) await time(side, amount, port);
  const results = [];
  for (let round = 0; round < Number(flags.rounds); round++) {
    const first = round % 2;
    const timed = [await time(sides[first], amount, port), await time(sides[1 - first], amount, port)];
    results.push({ theirs: timed[first], ours: timed[1 - first] });
  }
  return results;
}

/**
 * @param {Implementation} implementation
 * @param {number} amount
 * @param {() => number} port
 */
async function time(implementation, amount, port) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await implementation({ amount, port });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: amount / seconds, cpu: (user + system) / 1e6 };
}

/**
 * @param {Task} task
 * @param {Awaited<ReturnType<typeof rounds>>} results
 */
function print({ name, unit, per, target }, results) {
  const ratio = median(results.map(({ theirs, ours }) => ours.rate / theirs.rate));
  const cpu = median(results.map(({ theirs, ours }) => ours.cpu / theirs.cpu));
  const rates = [results.map(({ theirs }) => theirs.rate), results.map(({ ours }) => ours.rate)].map((values) =>
    (median(values) / per).toFixed(1).padStart(10),
  );
  const wanted = target[runtime];
  const verdict = wanted === undefined ? "no target" : `${ratio >= wanted ? "reaches" : "MISSES"} ${wanted.toFixed(2)}`;
  console.log(
    `${name.padEnd(18)}${rates.join("")} ${unit.padEnd(5)}${ratio.toFixed(2).padStart(6)}${cpu.toFixed(2).padStart(7)}` +
      `   ${verdict}`,
  );
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
