// The agent of the target @name@: the implementation under test, driven by what the harness asks for over a WebSocket.
// docs/agent-protocol.md describes every operation; this one knows the fewest that an honest agent can have.
// It runs where there is a WebSocket and nothing else: put the address of the launcher there as your platform can.

const address = globalThis.process?.argv[2] ?? new URL("/agent", globalThis.location?.href);

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

const socket = new WebSocket(address);

function send(message) {
  socket.send(`${JSON.stringify(message)}\n`);
}

socket.addEventListener("open", () => {
  send({
    type: "hello",
    protocol: 1,
    language: "javascript",
    runtime: { name: "@name@", version: "0" },
    implementation: { name: "none yet", version: "0" },
    features: [], // claim one when it works, here and in runner.toml
    platform: "unknown",
  });
});

// A message holds one or more whole lines.
socket.addEventListener("message", ({ data }) => {
  for (const line of data.split("\n").filter(Boolean)) {
    const { id, ...request } = JSON.parse(line);
    carryOut(request).then((answer) => send({ id, ...answer }));
  }
});
