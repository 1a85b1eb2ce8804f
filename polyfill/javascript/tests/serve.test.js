import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import dgram from "node:dgram";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { cert, key } from "./certificate.js";
import { dial, dialInVain } from "./client.js";

/** @typedef {import("node:test").TestContext} TestContext */

const program = fileURLToPath(new URL("../bin/commonsocket.js", import.meta.url));
const echo = `addEventListener("connect", ({ socket }) => socket.readable.pipeTo(socket.writable));`;

/**
 * @param {TestContext} t
 * @param {string} source
 * @returns {Promise<string>} the file of a worker
 */
async function workerOf(t, source) {
  const folder = await mkdtemp(join(tmpdir(), "commonsocket-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "worker.mjs");
  await writeFile(file, source);
  return file;
}

/**
 * @param {TestContext} t
 * @param {string[]} args
 */
function run(t, args) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  const seen = { out: "", err: "" };
  const news = new EventEmitter();
  child.stdout.on("data", (chunk) => {
    seen.out += chunk;
    news.emit("news");
  });
  child.stderr.on("data", (chunk) => {
    seen.err += chunk;
    news.emit("news");
  });
  const exited = once(child, "close").then(([code]) => {
    news.emit("news");
    return /** @type {number} */ (code);
  });
  /** @param {() => boolean} condition about what it has printed; if it ends before, that is an error */
  const prints = async (condition) => {
    while (!condition()) {
      assert.equal(child.exitCode, null, seen.err);
      await once(news, "news");
    }
  };
  return { child, seen, exited, prints };
}

/**
 * @param {TestContext} t
 * @param {string} source of the worker
 * @param {string[]} [args]
 */
async function serve(t, source, args = ["--listen", "tcp://127.0.0.1:0"]) {
  const host = run(t, ["serve", await workerOf(t, source), ...args]);
  const count = args.filter((arg) => arg === "--listen").length;
  const lines = () => host.seen.out.split("\n").slice(0, -1);
  await host.prints(() => lines().length === count);
  const addresses = lines().map((line) => new URL(line));
  return { ...host, addresses, remote: { address: addresses[0].hostname, port: Number(addresses[0].port) } };
}

describe("commonsocket serve", () => {
  test("gives connections to the global connect event of a worker", async (t) => {
    const { remote, child, exited, seen } = await serve(t, echo);
    const connection = await dial(t, remote);
    await connection.send("hello");
    await connection.receives("hello");
    await connection.fin();
    await connection.receivesFin();
    child.kill("SIGTERM");
    assert.equal(await exited, 0);
    assert.equal(seen.err, "");
  });

  test("prints what it is bound to, in the order in which it was asked", async (t) => {
    const args = ["tcp://127.0.0.1:0", "tcp://[::1]:0", "tcp://127.0.0.1:0"].flatMap((address) => [
      "--listen",
      address,
    ]);
    const { addresses } = await serve(t, echo, args);
    assert.deepEqual(
      addresses.map(({ protocol, hostname }) => `${protocol}//${hostname}`),
      ["tcp://127.0.0.1", "tcp://[::1]", "tcp://127.0.0.1"],
    );
    assert.notEqual(addresses[0].port, addresses[2].port);
    for (const { hostname, port } of addresses) {
      await dial(t, { address: hostname.replace(/[[\]]/g, ""), port: Number(port) });
    }
  });

  test("has the scope of a worker: onconnect, and events whose target is the global object", async (t) => {
    const { remote } = await serve(
      t,
      `onconnect = function (event) {
        const facts = [this, event.target, event.currentTarget].map((each) => each === globalThis);
        const writer = event.socket.writable.getWriter();
        writer.write(new TextEncoder().encode(JSON.stringify([typeof onconnect, ...facts])));
        writer.close();
      };
      const never = () => { throw new Error("removed"); };
      addEventListener("connect", never);
      removeEventListener("connect", never);`,
    );
    const connection = await dial(t, remote);
    await connection.receivesFin();
    assert.deepEqual(JSON.parse(connection.text), ["function", true, true, true]);
  });

  test("reports what a worker throws, and goes on", async (t) => {
    const { remote, seen, prints } = await serve(
      t,
      `let first = true;
      addEventListener("connect", (event) => {
        if (first) { first = false; throw new Error("a fault of the first"); }
        event.waitUntil(Promise.reject(new Error("a fault of the second")));
        event.socket.readable.pipeTo(event.socket.writable);
      });`,
    );
    await dialInVain(t, remote);
    const second = await dial(t, remote);
    await second.send("still there");
    await second.receives("still there");
    await prints(() => /a fault of the first.*a fault of the second/s.test(seen.err));
  });

  test("resets connections that no listener wants", async (t) => {
    const { remote } = await serve(t, "export {};");
    await dialInVain(t, remote);
  });

  test("lets open connections finish, and takes no new ones, once it is told to stop", async (t) => {
    const { remote, child, exited, seen } = await serve(t, echo);
    const connection = await dial(t, remote);
    await connection.send("before");
    await connection.receives("before");
    child.kill("SIGINT");
    await refused(remote.port);
    await connection.send(", after");
    await connection.receives("before, after");
    assert.equal(child.exitCode, null);
    await connection.fin();
    await connection.receivesFin();
    assert.equal(await exited, 0);
    assert.equal(seen.err, "");
  });

  test("ends flows of udp once it is told to stop, also those that somebody still reads", async (t) => {
    const source = `addEventListener("connect", (event) => event.waitUntil(answer(event.socket)));
      async function answer({ readable, writable }) {
        const writer = writable.getWriter();
        for await (const chunk of readable) await writer.write(chunk);
        console.log("answered");
      }`;
    const { remote, child, exited, seen } = await serve(t, source, ["--listen", "udp://127.0.0.1:0"]);
    const client = dgram.createSocket("udp4");
    t.after(() => client.close());
    client.send("hello", remote.port, remote.address);
    const [answer] = await once(client, "message");
    assert.equal(String(answer), "hello");
    child.kill("SIGTERM");
    assert.equal(await exited, 0);
    assert.match(seen.out, /answered/);
    assert.equal(seen.err, "");
  });

  test("speaks the protocols over tls that it is told to", async (t) => {
    const files = await Promise.all([workerOf(t, key), workerOf(t, cert)]);
    const args = ["--key", files[0], "--cert", files[1], "--alpn", "first", "--alpn", "second"];
    const { remote } = await serve(t, echo, ["--listen", "tls://127.0.0.1:0", ...args]);
    const connection = tls.connect({ host: remote.address, port: remote.port, ca: cert, ALPNProtocols: ["second"] });
    t.after(() => connection.destroy());
    await once(connection, "secureConnect");
    assert.equal(connection.alpnProtocol, "second");
  });

  test("waits for promises that were passed to waitUntil()", async (t) => {
    const { remote, child, exited, seen, prints } = await serve(
      t,
      `addEventListener("connect", (event) => {
        console.log("work begun");
        event.socket.abort();
        event.waitUntil(new Promise((resolve) => {
          process.once("SIGTERM", () => setTimeout(() => { console.log("work done"); resolve(); }, 20));
        }));
      });`,
    );
    await dialInVain(t, remote);
    await prints(() => /work begun/.test(seen.out));
    child.kill("SIGTERM");
    assert.equal(await exited, 0);
    assert.match(seen.out, /work done/);
  });

  test("resets what has not finished when the grace is over", async (t) => {
    const { remote, child, exited, seen } = await serve(t, echo, ["--listen", "tcp://127.0.0.1:0", "--grace", "0.05"]);
    const connection = await dial(t, remote);
    await connection.send("hello");
    await connection.receives("hello");
    child.kill("SIGTERM");
    await connection.receivesReset();
    assert.equal(await exited, 0);
    assert.match(seen.err, /1 connections had not finished after 0.05 s and were reset/);
  });

  test("ends at once when it is told to stop a second time", async (t) => {
    const { remote, child, exited } = await serve(t, echo);
    const connection = await dial(t, remote);
    await connection.send("hello");
    await connection.receives("hello");
    child.kill("SIGTERM");
    await refused(remote.port);
    child.kill("SIGTERM");
    assert.equal(await exited, 128 + 15);
  });
});

describe("commonsocket says what is wrong", () => {
  test("with its arguments", async (t) => {
    const worker = await workerOf(t, echo);
    for (const [args, message] of /** @type {[string[], RegExp][]} */ ([
      [[], /usage: commonsocket serve/],
      [["listen"], /there is no command "listen"/],
      [["serve"], /needs the file of a worker/],
      [["serve", worker], /needs --listen/],
      [["serve", worker, "another.mjs"], /"another.mjs" is one too many/],
      [["serve", "nowhere.mjs", "--listen", "tcp://127.0.0.1:0"], /nowhere.mjs: there is no such file/],
      [["serve", worker, "--listen", "127.0.0.1:80"], /takes an address such as tcp:/],
      [["serve", worker, "--listen", "tcp://127.0.0.1"], /takes an address such as tcp:/],
      [["serve", worker, "--listen", "tcp://localhost:80"], /the host is to be an IP address/],
      [["serve", worker, "--listen", "tcp://127.0.0.1:65536"], /ports go up to 65535/],
      [["serve", worker, "--listen", "quic://127.0.0.1:0"], /only tcp.* can be listened for here/],
      [["serve", worker, "--listen", "tcp://127.0.0.1:0", "--key", "key.pem"], /--key and --cert go together/],
      [["serve", worker, "--listen", "tcp://127.0.0.1:0", "--key", "k", "--cert", "c"], /k cannot be read/],
      [["serve", worker, "--listen", "tcp://127.0.0.1:0", "--grace", "long"], /--grace takes a number of seconds/],
      [["serve", worker, "--listen", "tcp://127.0.0.1:0", "--graze", "1"], /Unknown option '--graze'/],
    ])) {
      const { seen, exited } = run(t, args);
      assert.equal(await exited, 2, args.join(" "));
      assert.match(seen.err, message);
      assert.doesNotMatch(seen.err, /^ {4}at /m, "no stack is shown");
      assert.equal(seen.out, "");
    }
  });

  test("with its ports, none of which is then bound", async (t) => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = /** @type {net.AddressInfo} */ (server.address());
    const address = `tcp://127.0.0.1:${port}`;
    const args = ["--listen", "tcp://127.0.0.1:0", "--listen", address];
    const { seen, exited } = run(t, ["serve", await workerOf(t, echo), ...args]);
    assert.equal(await exited, 2);
    assert.ok(seen.err.startsWith(`commonsocket: ${address}: address-in-use: `), seen.err);
    assert.equal(seen.out, "");
  });

  test("with the worker, if it cannot be run", async (t) => {
    const worker = await workerOf(t, `throw new Error("not today");`);
    const { seen, exited } = run(t, ["serve", worker, "--listen", "tcp://127.0.0.1:0"]);
    assert.equal(await exited, 1);
    assert.match(seen.err, /worker.mjs failed: Error: not today/);
  });

  test("and what it can do, if it is asked", async (t) => {
    for (const args of [["--help"], ["-h"], ["serve", "--help"]]) {
      const { seen, exited } = run(t, args);
      assert.equal(await exited, 0);
      assert.match(seen.out, /Example: an echo server/);
    }
  });
});

/**
 * Waits until nobody listens any more.
 * @param {number} port
 */
async function refused(port) {
  for (;;) {
    const socket = net.connect(port, "127.0.0.1");
    const error = await once(socket, "connect").then(
      () => null,
      (reason) => reason,
    );
    socket.destroy();
    if (error?.code === "ECONNREFUSED") return;
  }
}
