/**
 * The agent on stdin and stdout, for Node and what is compatible with it.
 *
 *     node main.js [--implementation FILE]
 *
 * FILE is a module that exports Socket and, if it likes, the other interfaces; `global` means what the runtime has.
 * If there is a worker.js beside FILE, it is a host of socket workers: it exports installScope() and listen(init).
 */

import { Console } from "node:console";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { claimedFeatures } from "./features.js";
import { probes } from "./idl/index.js";
import { Agent, PROTOCOL } from "./protocol.js";

const HOUSE = fileURLToPath(new URL("../../", import.meta.url));

// Stdout belongs to the protocol. An implementation may print what it likes.
globalThis.console = new Console(process.stderr, process.stderr);

/**
 * Returns the implementation's exports over the globals of the runtime.
 *
 * @param {string} file
 * @returns {Promise<Record<string, any>>}
 */
async function load(file) {
  const exports = file === "global" ? {} : { ...(await import(pathToFileURL(file).href)) };
  /** @type {any} */
  const realm = globalThis;
  return new Proxy(exports, {
    get: (_, name) => (Object.hasOwn(exports, name) ? exports[name] : realm[name]),
    has: (_, name) => Object.hasOwn(exports, name) || name in realm,
  });
}

/**
 * Returns the host of socket workers that is beside the implementation, its global scope installed.
 *
 * @param {string} file
 * @returns {Promise<import("./operations.js").Agent["host"]>}
 */
async function loadHost(file) {
  const beside = join(dirname(file), "worker.js");
  if (file === "global" || !existsSync(beside)) return null;
  const host = await import(pathToFileURL(beside).href);
  host.installScope();
  return host;
}

/**
 * Returns name and version of the nearest package that has both; else the name of the file.
 *
 * @param {string} file
 */
function describe(file) {
  if (file === "global") return { name: "built-in", version: process.version.slice(1) };
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest)) {
      const { name, version } = JSON.parse(readFileSync(manifest, "utf8"));
      if (name && version) return { name, version };
    }
    if (dirname(folder) === folder) return { name: basename(file), version: "unknown" };
  }
}

let unsent = "";

/** @param {object} message */
function send(message) {
  if (unsent === "") queueMicrotask(flush);
  unsent += `${JSON.stringify(message)}\n`;
}

// Everything that one turn has to say goes out in one write.
function flush() {
  const text = unsent;
  unsent = "";
  process.stdout.write(text);
}

const { values: options } = parseArgs({
  options: { implementation: { type: "string", default: join(HOUSE, "polyfill/javascript/src/index.js") } },
});
const implementation = options.implementation === "global" ? "global" : resolve(options.implementation);

const globals = await load(implementation);
if (typeof globals.Socket !== "function") {
  console.error(`${implementation} exports no Socket`);
  process.exit(1);
}
const host = await loadHost(implementation);

const agent = new Agent({
  globals,
  host,
  probes,
  readTree: () => JSON.parse(readFileSync(join(HOUSE, "spec/generated/idl.json"), "utf8")),
  send,
  // The one thing that waits here; what it has read already is carried out.
  leave: () => process.stdin.destroy(),
});

// Runtimes that are compatible with Node name themselves beside it.
const runtime = ["deno", "bun"].find((name) => name in process.versions) ?? "node";

process.on("unhandledRejection", (reason) => agent.unhandled(reason));
process.on("uncaughtException", (error) => agent.unhandled(error));

send({
  type: "hello",
  protocol: PROTOCOL,
  language: "javascript",
  runtime: { name: runtime, version: process.versions[runtime] },
  implementation: describe(implementation),
  features: claimedFeatures(globals, host !== null),
  platform: `${process.platform}-${process.arch}`,
});

let partial = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text) => {
  const lines = (partial + text).split("\n");
  partial = /** @type {string} */ (lines.pop());
  for (const line of lines) agent.receive(line);
});
process.stdin.on("end", () => process.exit(0));
