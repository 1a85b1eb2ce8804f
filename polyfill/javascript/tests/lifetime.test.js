import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";

const api = new URL("../src/index.js", import.meta.url).href;
const peer = new URL("./peer.js", import.meta.url).href;

/**
 * Runs a program of its own, which has to end by itself.
 * @param {import("node:test").TestContext} t
 * @param {string} program
 */
async function run(t, program) {
  const prelude = `
    import net from "node:net";
    import { once } from "node:events";
    import { Socket } from ${JSON.stringify(api)};
    import { refusingPort } from ${JSON.stringify(peer)};
    const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => {}).pipe(socket));
    server.unref();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { address, port } = server.address();
    const remote = { address, port };
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", prelude + program]);
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      output += text;
    });
  }
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, output };
}

test("two thousand connections of every end leave nothing behind", async (t) => {
  const { code, output } = await run(
    t,
    `
    const refusing = await refusingPort();
    const dispose = Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose");
    const ends = [
      async (socket) => { await socket.ready; await socket.abort(); },
      async (socket) => { await socket.abort(); },
      async (socket) => {
        const writer = socket.writable.getWriter();
        writer.write(new TextEncoder().encode("ping"));
        const reader = socket.readable.getReader();
        await reader.read();
        writer.close();
        while (!(await reader.read()).done);
        await socket.closed;
      },
      async (socket) => { await socket.ready; await socket[dispose](); },
      async (socket) => { await socket.closed.catch(() => {}); },
    ];
    const inits = [{}, {}, { idleTimeout: 60000 }, { readyTimeout: 60000 }, { remote: { address, port: refusing } }];
    let closes = 0;
    for (let round = 0; round < 40; round++) {
      await Promise.all(Array.from({ length: 50 }, async (_, index) => {
        const kind = index % ends.length;
        const socket = new Socket({ remote, signal: new AbortController().signal, ...inits[kind] });
        socket.onclose = () => { closes += 1; };
        await ends[kind](socket);
      }));
    }
    process.on("exit", () => console.log(closes, process.getActiveResourcesInfo().filter((name) => name !== "TCPServerWrap" && name !== "PipeWrap").join()));
    `,
  );
  assert.equal(output.trim(), "2000");
  assert.equal(code, 0);
});

test("the seed's examples end by themselves", async (t) => {
  const { code, output } = await run(
    t,
    `
    const socket = new Socket({ remote });
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode("hello world"));
    await writer.close();
    for await (const chunk of socket.readable) console.log(new TextDecoder().decode(chunk));
    await socket.closed;
    `,
  );
  assert.deepEqual([output, code], ["hello world\n", 0]);
});

test("a socket that waits for data keeps the process, and one that lingers does not", async (t) => {
  const { code, output } = await run(
    t,
    `
    const waiting = new Socket({ remote });
    await waiting.ready;
    setTimeout(() => waiting.writable.close(), 100).unref();
    waiting.onclose = async () => {
      console.log("closed");
      // This peer never answers the FIN.
      const silent = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => socket.unref());
      silent.unref().listen(0, "127.0.0.1");
      await once(silent, "listening");
      const lingering = new Socket({ remote: silent.address() });
      await lingering.readable.cancel();
      await lingering.writable.close();
      await lingering.closed;
      console.log("lingers");
    };
    `,
  );
  assert.deepEqual([output, code], ["closed\nlingers\n", 0]);
});

test("rejections that nobody looks at are not reported, but that of update() is", async (t) => {
  const { code, output } = await run(
    t,
    `
    process.on("unhandledRejection", (reason) => console.log("unhandled", reason.name));
    const refused = new Socket({ remote: { address, port: await refusingPort() } });
    refused.readable;
    refused.writable;
    await once(refused, "close");
    const aborted = new Socket({ remote });
    aborted.writable.getWriter().write(new Uint8Array(1)).catch(() => {});
    aborted.readable.getReader();
    await aborted.ready;
    aborted.abort();
    await once(aborted, "close");
    await new Promise((resolve) => setTimeout(resolve, 10));
    console.log("quiet");
    aborted.update({});
    `,
  );
  assert.deepEqual([output, code], ["quiet\nunhandled InvalidStateError\n", 0]);
});

test("an exception of a listener is reported, and does no harm to the socket", async (t) => {
  const { code, output } = await run(
    t,
    `
    process.on("uncaughtException", (error) => console.log("reported", error.message));
    const socket = new Socket({ remote });
    socket.onready = () => { throw new Error("mine"); };
    socket.addEventListener("ready", async () => {
      await socket.writable.close();
      for await (const chunk of socket.readable);
      await socket.closed;
      console.log("closed");
    });
    `,
  );
  assert.deepEqual([output, code], ["reported mine\nclosed\n", 0]);
});

test("a udp socket whose writable is closed keeps the process only while a read is pending", async (t) => {
  const { code, output } = await run(
    t,
    `
    import dgram from "node:dgram";
    const echo = dgram.createSocket("udp4").bind(0, "127.0.0.1").unref();
    echo.on("message", (message, { address, port }) => setTimeout(() => echo.send(message, port, address), 50).unref());
    await once(echo, "listening");
    const asking = new Socket({ type: "udp", remote: echo.address() });
    const writer = asking.writable.getWriter();
    await writer.write(new TextEncoder().encode("ping"));
    await writer.close();
    const { value } = await asking.readable.getReader().read();
    console.log(new TextDecoder().decode(value));
    const bound = new Socket({ type: "udp", local: {} });
    await bound.writable.close();
    bound.readable.getReader();
    await bound.ready;
    `,
  );
  assert.deepEqual([output, code], ["ping\n", 0]);
});

test("a flow of a udp listener that is closed does the same", async (t) => {
  const { code, output } = await run(
    t,
    `
    import dgram from "node:dgram";
    import { SocketListener } from ${JSON.stringify(api)};
    const listener = new SocketListener({ type: "udp", local: { address } });
    await listener.ready;
    const client = dgram.createSocket("udp4").unref();
    client.send("hello", listener.info.local.port, address);
    listener.onconnect = async ({ socket }) => {
      listener.close();
      setTimeout(() => client.send("more", listener.info.local.port, address), 50).unref();
      const reader = socket.readable.getReader();
      for (let count = 0; count < 2; count++) console.log(new TextDecoder().decode((await reader.read()).value));
      await socket.writable.close();
    };
    `,
  );
  assert.deepEqual([output, code], ["hello\nmore\n", 0]);
});

test("hundreds of datagram sockets and flows of every end leave nothing behind", async (t) => {
  const { code, output } = await run(
    t,
    `
    import { SocketListener } from ${JSON.stringify(api)};
    const listener = new SocketListener({ type: "udp", local: { address } });
    await listener.ready;
    let flows = 0;
    listener.onconnect = async ({ socket }) => {
      flows += 1;
      const { value } = await socket.readable.getReader().read();
      await socket.writable.getWriter().write(value);
      if (flows % 2) await socket.abort();
      else await socket[Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose")]();
    };
    for (let round = 0; round < 40; round++) {
      await Promise.all(Array.from({ length: 10 }, async (_, index) => {
        const socket = new Socket({ type: "udp", remote: listener.info.local, idleTimeout: 60000 });
        await socket.writable.getWriter().write(new Uint8Array(index));
        await socket.readable.getReader().read();
        if (index % 2) await socket.abort();
        else await socket[Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose")]();
      }));
    }
    await listener.close();
    console.log(flows);
    process.on("exit", () => console.log(process.getActiveResourcesInfo().filter((name) => /UDP|Timeout/.test(name)).join()));
    `,
  );
  assert.deepEqual([output.trim(), code], ["400", 0]);
});
