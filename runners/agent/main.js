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
import { hasSocket, startAgent } from "./shell.js";

const HOUSE = fileURLToPath(new URL("../../", import.meta.url));

// Stdout belongs to the protocol. An implementation may print what it likes.
globalThis.console = new Console(process.stderr, process.stderr);

/**
 * Returns the host of socket workers that is beside the implementation.
 *
 * @param {string} file
 * @returns {Promise<import("./shell.js").Shell["host"]>}
 */
async function loadHost(file) {
  const beside = join(dirname(file), "worker.js");
  if (file === "global" || !existsSync(beside)) return null;
  return import(pathToFileURL(beside).href);
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

const { values: options } = parseArgs({
  options: { implementation: { type: "string", default: join(HOUSE, "polyfill/javascript/src/index.js") } },
});
const implementation = options.implementation === "global" ? "global" : resolve(options.implementation);

// Runtimes that are compatible with Node name themselves beside it.
const runtime = ["deno", "bun"].find((name) => name in process.versions) ?? "node";

/** @type {import("./shell.js").Shell} */
const shell = {
  exports: implementation === "global" ? {} : await import(pathToFileURL(implementation).href),
  host: await loadHost(implementation),
  implementation: describe(implementation),
  runtime: { name: runtime, version: process.versions[runtime] ?? "unknown" },
  platform: `${process.platform}-${process.arch}`,
  readTree: () => JSON.parse(readFileSync(join(HOUSE, "spec/generated/idl.json"), "utf8")),
  write: (lines) => process.stdout.write(lines),
  // The one thing that waits here; what it has read already is carried out.
  leave: () => process.stdin.destroy(),
};
if (!hasSocket(shell)) {
  console.error(
    implementation === "global" ? "the runtime has no Socket of its own" : `${implementation} exports no Socket`,
  );
  process.exit(1);
}
const agent = startAgent(shell);

process.on("unhandledRejection", agent.unhandled);
process.on("uncaughtException", agent.unhandled);
process.stdin.setEncoding("utf8");
process.stdin.on("data", agent.receive);
process.stdin.on("end", () => process.exit(0));
