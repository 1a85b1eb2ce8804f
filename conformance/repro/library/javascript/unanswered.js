import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { Worker } from "node:worker_threads";
import { pause, until } from "./time.js";
import { Outcome } from "./words.js";

/** Starts a listener that accepts nothing and whose queue is full: the kernel (Linux) drops every further SYN. */
export async function neverAnswer() {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
    const server = require("node:net").createServer().listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`,
    { eval: true },
  );
  const port = await new Promise((resolve) => worker.once("message", resolve));
  const fillers = [];
  for (let full = false; !full; ) {
    const filler = connect({ host: "127.0.0.1", port }).on("error", () => {});
    fillers.push(filler);
    full = await Promise.race([
      new Promise((resolve) => filler.once("connect", () => resolve(false))),
      pause(20).then(() => true),
    ]);
  }
  const attempts = () => synSentTo(port) - fillers.filter((filler) => filler.connecting).length;
  return {
    remote: { address: "127.0.0.1", port },

    async expectAttempt({ limit = 5000 } = {}) {
      return new Outcome((await until(() => attempts() > 0, limit)) ? "an attempt" : "not: no attempt");
    },

    async expectNoAttempt({ limit = 5000 } = {}) {
      return new Outcome((await until(() => attempts() === 0, limit)) ? "no attempt" : "not: an attempt");
    },
  };
}

/** Counts the sockets of this machine that have sent a SYN to a port and wait for an answer. */
function synSentTo(port) {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, state]) => remote?.endsWith(end) && state === "02").length;
}
