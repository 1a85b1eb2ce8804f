/**
 * Opens one socket through a tunnel, and prints what becomes of it as one line of JSON.
 *
 *     node --conditions=tunnel through.mjs '{"tunnel": {"url": …} | null, "init": {…}, "say": "hello", "half": true}'
 */

import process from "node:process";
import { Socket } from "commonsocket-under-test";
import { useTunnel } from "commonsocket-under-test/tunnel";
import WebSocket from "ws";

const { tunnel, init, say, half = true } = JSON.parse(process.argv[2]);
if (tunnel) useTunnel({ WebSocket, ...tunnel });

const socket = new Socket(init);
const told = { ready: "fulfilled", heard: "", closed: "fulfilled", remote: null };
const named = (error) => `${error.name} ${error.errorCode ?? ""} ${error.systemCode ?? ""}: ${error.message}`;

// What is written at once goes out when the connection is made.
const writer = socket.writable.getWriter();
const written = writer.write(new TextEncoder().encode(say)).catch(() => {});
await socket.ready.catch((error) => {
  told.ready = named(error);
});
if (told.ready === "fulfilled") {
  told.remote = socket.info.remote?.toJSON() ?? null;
  await written;
  if (half) writer.close().catch(() => {});
  const decoder = new TextDecoder();
  try {
    for await (const chunk of socket.readable) told.heard += decoder.decode(chunk, { stream: true });
    if (!half) await writer.close();
  } catch {
    // `closed` has it, too.
  }
}
await socket.closed.catch((error) => {
  told.closed = named(error);
});
// A tunnel that lets its connections go lets the process end.
process.stdout.write(`${JSON.stringify(told)}\n`);
