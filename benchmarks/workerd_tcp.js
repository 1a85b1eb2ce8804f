/**
 * The worker of workerd_tcp.py: does one task for each request, with the sockets of the platform as its documentation
 * uses them or with those of the polyfill.
 */

import { connect } from "cloudflare:sockets";
import { exports } from "under-test";

/**
 * @typedef {object} Open
 * @property {{readable: ReadableStream<any>, writable: WritableStream<any>}} socket
 * @property {() => Promise<void>} close
 *
 * @typedef {() => Promise<Open>} Opening
 * @typedef {(open: Opening, amount: number) => Promise<void>} Task
 */

/** @type {Record<string, (port: number) => Promise<Open>>} */
const ways = {
  async platform(port) {
    const socket = connect({ hostname: "127.0.0.1", port }, { secureTransport: "off", allowHalfOpen: true });
    await socket.opened;
    return { socket, close: () => socket.close() };
  },
  async polyfill(port) {
    const socket = new exports.Socket({ remote: { address: "127.0.0.1", port } });
    await socket.ready;
    return { socket, close: () => socket.abort() };
  },
};

const encoder = new TextEncoder();

/**
 * @param {Opening} open
 * @param {string} line what the other end is to do
 */
async function ask(open, line) {
  const { socket, close } = await open();
  const writer = socket.writable.getWriter();
  await writer.write(encoder.encode(`${line}\n`));
  return { readable: socket.readable, writer, close };
}

/**
 * @param {number} actual
 * @param {number} expected
 */
function expect(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${expected}, but it was ${actual}`);
}

/** @type {(size: number) => Task} */
const receiveInto = (size) => async (open, amount) => {
  const { readable, close } = await ask(open, `source ${amount}`);
  const reader = readable.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(size);
  let length = 0;
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(buffer));
    if (done || !value) break;
    length += value.length;
    buffer = value.buffer;
  }
  await close();
  expect(length, amount);
};

/** @type {(size: number) => Task} */
const send = (size) => async (open, amount) => {
  const { readable, writer } = await ask(open, "drain");
  const chunk = new Uint8Array(size).fill(1);
  for (let rest = amount; rest > 0; rest -= size) await writer.write(chunk);
  await writer.close();
  expect(JSON.parse(await new Response(readable).text()).length, amount);
};

/** @type {Record<string, Task>} */
const tasks = {
  async receive(open, amount) {
    const { readable, close } = await ask(open, `source ${amount}`);
    const reader = readable.getReader();
    let length = 0;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      length += value.length;
    }
    await close();
    expect(length, amount);
  },
  "receive BYOB 64 KiB": receiveInto(64 * 1024),
  "receive BYOB 256 KiB": receiveInto(256 * 1024),
  "send 64 KiB": send(64 * 1024),
  "send 1 KiB": send(1024),
  async "ping-pong"(open, amount) {
    const { readable, writer, close } = await ask(open, "echo");
    const reader = readable.getReader({ mode: "byob" });
    const ball = new Uint8Array([1]);
    let buffer = new ArrayBuffer(4096);
    for (let rest = amount; rest > 0; rest--) {
      writer.write(ball);
      const { value } = await reader.read(new Uint8Array(buffer));
      buffer = /** @type {Uint8Array<ArrayBuffer>} */ (value).buffer;
    }
    await close();
  },
  async connect(open, amount) {
    for (let rest = amount; rest > 0; rest--) await (await open()).close();
  },
};

export default {
  /** @param {Request} request with the name of a task, its amount, the ports of the other end, and a way to do it */
  async fetch(request) {
    const { task, amount, ports, way } = /** @type {any} */ (await request.json());
    let turn = 0;
    await tasks[task](() => ways[way](ports[turn++ % ports.length]), amount);
    return new Response("done");
  },
};
