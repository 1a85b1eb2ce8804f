// What 150 QUIC connections, ended in every way, leave behind in Bun. Arguments as for quic.js.

import { heapStats } from "bun:jsc";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Socket, SocketListener } from "commonsocket";

const [key, cert, ca] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
const tls = { servername: "server.example", alpn: ["test"], ca: [ca] };
const listener = new SocketListener({
  type: "quic",
  local: { address: "127.0.0.1" },
  tls: { key, cert, alpn: ["test"] },
});
listener.addEventListener("connect", ({ socket }) => {
  socket.closed.catch(() => {});
  socket.readable.pipeTo(socket.writable).catch(() => {});
});
await listener.ready;

const ends = [
  ({ socket }) => socket.abort(),
  ({ socket }) => socket[Symbol.asyncDispose](),
  async ({ socket, reader, writer }) => {
    await writer.close();
    while (!(await reader.read()).done);
    await socket.closed;
  },
];
for (let turn = 0; turn < 150; turn++) {
  const socket = new Socket({ type: "quic", remote: listener.info.local, tls });
  socket.closed.catch(() => {});
  const writer = socket.writable.getWriter();
  const reader = socket.readable.getReader();
  await writer.write(new Uint8Array(5));
  await reader.read();
  await ends[turn % ends.length]({ socket, reader, writer });
}
await listener.close();

// Bun collects in its own time what nothing holds.
let left = Number.POSITIVE_INFINITY;
for (let turn = 0; left > 20 && turn < 100; turn++) {
  await sleep(100);
  Bun.gc(true);
  left = heapStats().objectTypeCounts.QuicSession ?? 0;
}
console.log(left <= 20 ? "nothing" : `${left} sessions`);
