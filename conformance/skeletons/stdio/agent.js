// The agent of the target @name@: the implementation under test, driven by what the harness asks for on stdin.
// docs/agent-protocol.md describes every operation; this one knows the fewest that an honest agent can have.

import process from "node:process";
import { createInterface } from "node:readline";

const nothing = { $: "undefined" };

/** One row per operation: takes the request and returns an answer, or a promise of one. */
const operations = new Map([
  ["get", ({ on, name }) => fault("unknown-name", `there is no ${on}.${name} yet`)],
  ["construct", ({ name }) => fault("unknown-name", `there is no ${name} yet`)],
  ["sequence", async ({ steps }) => ({ value: await Promise.all(steps.map(carryOut)) })],
  ["log", () => ({ value: [] })],
  ["release", () => ({ value: nothing })],
]);

function fault(code, message) {
  return { fault: { code, message } };
}

async function carryOut(request) {
  const operation = operations.get(request.op);
  return operation ? operation(request) : fault("unsupported-operation", `unknown: ${request.op}`);
}

// Stdout is the protocol's alone: what the implementation prints has to go elsewhere.
function send(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

send({
  type: "hello",
  protocol: 1,
  language: "javascript",
  runtime: { name: "@name@", version: process.version.slice(1) },
  implementation: { name: "none yet", version: "0" },
  features: [], // claim one when it works, here and in runner.toml
  platform: `${process.platform}-${process.arch}`,
});

for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...request } = JSON.parse(line);
  carryOut(request).then((answer) => send({ id, ...answer }));
}
