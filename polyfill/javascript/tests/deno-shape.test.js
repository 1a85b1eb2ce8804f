import assert from "node:assert/strict";
import { once } from "node:events";
import nodeNet from "node:net";
import { describe, test } from "node:test";
import nodeTls from "node:tls";
import { denoError } from "../src/deno/errors.js";
import deno from "../src/deno.js";
import { systemCodes } from "../src/generated/errors.js";
import { SocketError } from "../src/socket-error.js";
import { cert, key } from "./certificate.js";
import { echo, listen } from "./server.js";

const { errors } = deno;

const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);
const text = (/** @type {Uint8Array} */ data) => new TextDecoder().decode(data);

/** @param {{read: (target: Uint8Array) => Promise<number | null>}} conn */
async function readAll(conn, size = 1000) {
  const parts = [];
  for (const target = new Uint8Array(size); ; ) {
    const count = await conn.read(target);
    if (count === null) return Buffer.concat(parts);
    parts.push(Buffer.from(target.subarray(0, count)));
  }
}

describe("connect()", () => {
  test("reads into the caller's memory, writes, half-closes and knows both ends", async (t) => {
    const port = await listen(t, echo);
    const conn = await deno.connect({ port });
    assert.deepEqual(conn.remoteAddr, { transport: "tcp", hostname: "127.0.0.1", port });
    assert.equal(conn.localAddr.hostname, "127.0.0.1");
    assert.equal(await conn.write(bytes("hello world")), 11);
    const small = new Uint8Array(4);
    assert.equal(await conn.read(small), 4);
    assert.equal(text(small), "hell");
    assert.equal(await conn.read(new Uint8Array(0)), 0);
    await conn.closeWrite();
    assert.equal(text(await readAll(conn, 3)), "o world");
    await assert.rejects(conn.write(bytes("more")), errors.BrokenPipe);
    conn.close();
    assert.throws(() => conn.close(), errors.BadResource);
    await assert.rejects(conn.read(small), errors.BadResource);
    await assert.rejects(conn.write(small), errors.BadResource);
  });

  test("serves reads in the order in which they were asked for", async (t) => {
    const port = await listen(t, (socket) => socket.write("abcdef"));
    const conn = await deno.connect({ port, hostname: "localhost" });
    const targets = [new Uint8Array(2), new Uint8Array(2), new Uint8Array(2)];
    assert.deepEqual(await Promise.all(targets.map((target) => conn.read(target))), [2, 2, 2]);
    assert.deepEqual(targets.map(text), ["ab", "cd", "ef"]);
    conn.close();
  });

  test("interrupts a read that waits when it is closed, and sends the FIN", async (t) => {
    /** @type {(socket: nodeNet.Socket) => void} */
    let accepted = () => {};
    const peer = new Promise((/** @type {(socket: nodeNet.Socket) => void} */ resolve) => {
      accepted = resolve;
    });
    const port = await listen(t, (socket) => accepted(socket.resume()));
    const conn = await deno.connect({ port });
    const read = conn.read(new Uint8Array(1));
    const ended = once(await peer, "end");
    conn.close();
    await assert.rejects(read, errors.Interrupted);
    await ended;
  });

  test("gives streams of both directions", async (t) => {
    const port = await listen(t, echo);
    const conn = await deno.connect({ port });
    const sent = new Blob(["stream of bytes ".repeat(10_000)]).stream().pipeTo(conn.writable);
    const received = await new Response(conn.readable).text();
    await sent;
    assert.equal(received, "stream of bytes ".repeat(10_000));
  });

  test("throws what Deno throws", async (t) => {
    const port = await listen(t, echo);
    await assert.rejects(deno.connect({ port: 1 }), (error) => {
      assert.ok(error instanceof errors.ConnectionRefused);
      assert.equal(error.name, "ConnectionRefused");
      assert.equal(error.code, "ECONNREFUSED");
      assert.ok(error.cause instanceof SocketError);
      return true;
    });
    await assert.rejects(deno.connect({ port, signal: AbortSignal.abort() }), { name: "AbortError" });
    await assert.rejects(deno.connect({ port: 70_000 }), RangeError);
    await assert.rejects(deno.connect(/** @type {any} */ ({ hostname: "127.0.0.1" })), TypeError);
    await assert.rejects(deno.connect(/** @type {any} */ ({ transport: "unix", port: 1 })), errors.NotSupported);
    await assert.rejects(deno.connectTls({ port: 1, unsafelyDisableHostnameVerification: true }), errors.NotSupported);
  });

  test("tells a reset behind what came before it", async (t) => {
    const port = await listen(t, (socket) => {
      socket.write("last words");
      socket.once("data", () => socket.resetAndDestroy());
    });
    const conn = await deno.connect({ port });
    const target = new Uint8Array(100);
    assert.equal(await conn.read(target), 10);
    await conn.write(bytes("go"));
    await assert.rejects(conn.read(target), errors.ConnectionReset);
  });
});

describe("connectTls() and startTls()", () => {
  test("connectTls() checks the name, and negotiates a protocol", async (t) => {
    const server = nodeTls.createServer({ key, cert, ALPNProtocols: ["echo"] });
    const port = await listen(t, echo, server);
    const conn = await deno.connectTls({ port, hostname: "localhost", caCerts: [cert], alpnProtocols: ["echo"] });
    assert.deepEqual(await conn.handshake(), { alpnProtocol: "echo" });
    await conn.write(bytes("secret"));
    await conn.closeWrite();
    assert.equal(text(await readAll(conn)), "secret");
    conn.close();
    await assert.rejects(deno.connectTls({ port, hostname: "localhost" }), errors.InvalidData);
  });

  test("startTls() goes on with the connection, of which nothing else is left", async (t) => {
    const port = await listen(t, (socket) => {
      socket.once("data", () => {
        socket.write("S");
        const secure = new nodeTls.TLSSocket(socket, { isServer: true, key, cert });
        secure.on("error", () => {});
        secure.pipe(secure);
      });
    });
    const plain = await deno.connect({ port });
    await plain.write(bytes("please"));
    const answer = new Uint8Array(1);
    await plain.read(answer);
    assert.equal(text(answer), "S");
    const conn = await deno.startTls(plain, { hostname: "localhost", caCerts: [cert] });
    await assert.rejects(plain.read(answer), errors.BadResource);
    assert.doesNotThrow(() => conn.setNoDelay());
    await conn.write(bytes("secret"));
    await conn.closeWrite();
    assert.equal(text(await readAll(conn)), "secret");
    conn.close();
  });

  test("startTls() refuses bytes that came before it", async (t) => {
    const port = await listen(t, (socket) => socket.write("S and injected plaintext"));
    const plain = await deno.connect({ port });
    await plain.read(new Uint8Array(1));
    await assert.rejects(deno.startTls(plain, { hostname: "localhost", caCerts: [cert] }), errors.InvalidData);
  });
});

test("every failure of a socket has an error of Deno's kind", () => {
  for (const errorCode of new Set(Object.values(systemCodes).flatMap((codes) => Object.values(codes)))) {
    const failure = new SocketError("why", { errorCode: /** @type {any} */ (errorCode) });
    const error = /** @type {Error} */ (denoError(failure));
    assert.ok(error instanceof Error, errorCode);
    assert.equal(error.cause, failure);
  }
  const reason = { any: "value" };
  assert.equal(denoError(reason), reason);
});
