/**
 * The agent of `runners/agent/main.js`, with a tunnel beside it.
 *
 *     node --conditions=tunnel agent.js PYTHON --implementation FILE
 *
 * PYTHON has the package commonsocket, whose command is the tunnel. It stops when its standard input ends, which it does
 * in any case when this process ends.
 */

import { spawn } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const [python] = process.argv.splice(2, 1);
const { values } = parseArgs({ options: { implementation: { type: "string", default: "" } } });

/** Tests use loopback addresses, names that do not resolve, and addresses that nobody answers at. */
const everything = ["0.0.0.0/0:*", "[::]/0:*", "0.0.0.0/0:*/udp", "[::]/0:*/udp"].flatMap((rule) => ["--allow", rule]);

/** @returns {Promise<string>} where the tunnel listens */
function startTunnel() {
  const options = ["--listen", "ws://127.0.0.1:0", ...everything, "--allow-bind", "--stop-with-stdin", "--grace", "0"];
  const tunnel = spawn(python, ["-m", "commonsocket", "tunnel", ...options], { stdio: ["pipe", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    tunnel.once("error", reject);
    tunnel.once("exit", (code) => reject(new Error(`The tunnel ended with ${code}`)));
    tunnel.stdout.once("data", (line) => {
      // It is there as long as this process is, and no reason for it to be.
      for (const each of [tunnel, tunnel.stdin, tunnel.stdout]) /** @type {any} */ (each).unref();
      resolve(`${line}`.trim());
    });
  });
}

const { useTunnel } = await import(pathToFileURL(join(dirname(resolve(values.implementation)), "tunnel.js")).href);
useTunnel({ url: await startTunnel() });
await import("../agent/main.js");
