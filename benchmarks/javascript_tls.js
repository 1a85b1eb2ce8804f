/**
 * How fast the polyfill's TLS is in a runtime that has node:tls, beside the `tls.TLSSocket` of the same runtime:
 *
 *     node benchmarks/javascript_tls.js [--rounds 15] [--scale 1] [--only receive,connect]
 *     bun benchmarks/javascript_tls.js
 *     deno run --allow-net --allow-read --allow-write --allow-run --allow-env --allow-sys benchmarks/javascript_tls.js
 *
 * side_by_side.js says what is printed. Before anything is timed, the polyfill has to move data that the other end checks,
 * and check what it sends.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { Socket } from "../polyfill/javascript/src/index.js";
import { cert, key } from "../polyfill/javascript/tests/certificate.js";
import { bytes, compare, inTurn, startPeer, times } from "./side_by_side.js";
import { MiB, polyfillSide, rawSide, verify } from "./streams.js";

/** @typedef {import("./streams.js").Opening} Opening */

/** @param {Opening} opening */
function openRaw({ port, noDelay }) {
  const socket = tls.connect({
    host: "127.0.0.1",
    port: port(),
    allowHalfOpen: true,
    ca: cert,
    servername: "localhost",
  });
  socket.setNoDelay(noDelay);
  return new Promise((resolve, reject) => {
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** @param {Opening} opening */
async function open({ port, noDelay }) {
  const remote = { address: "127.0.0.1", port: port() };
  const socket = new Socket({ type: "tls", remote, noDelay, tls: { ca: [cert], servername: "localhost" } });
  await socket.ready;
  return socket;
}

const target = { node: 0.9, deno: 0.9, bun: 0.9 };

/** @type {import("./side_by_side.js").Task[]} */
const tasks = [
  { name: "receive", amount: 64 * MiB, ...bytes, target },
  { name: "receive BYOB", baseline: "receive", amount: 64 * MiB, ...bytes, target },
  { name: "send 64 KiB", amount: 64 * MiB, ...bytes, target },
  { name: "send 1 KiB", amount: 16 * MiB, ...bytes, target: {} },
  { name: "ping-pong", amount: 3_000, ...times, target: {} },
  { name: "connect", amount: 100, ...times, target: { node: 0.8, deno: 0.8, bun: 0.8 } },
];

const folder = mkdtempSync(join(tmpdir(), "commonsocket-tls-"));
writeFileSync(join(folder, "key.pem"), key, { mode: 0o600 });
writeFileSync(join(folder, "cert.pem"), cert);
const peer = await startPeer("tcp_peer.py", ["--key", join(folder, "key.pem"), "--cert", join(folder, "cert.pem")]);
rmSync(folder, { recursive: true });
const port = inTurn(peer.told);
await verify(open, port);
await compare({ theirs: "TLSSocket", raw: rawSide(openRaw), polyfill: polyfillSide(open), tasks, port });
peer.end();
