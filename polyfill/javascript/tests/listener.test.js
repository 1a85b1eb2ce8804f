import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { describe, test } from "node:test";
import { SocketError, SocketListener } from "../src/index.js";
import { cert, key } from "./certificate.js";
import { accept, catchUncaught, dial, dialInVain, serve } from "./client.js";
import { construct, decode, encode, eventually, rejection, settle, stateOf } from "./peer.js";

/** @typedef {import("../src/index.js").Socket} Socket */

const loopback = { local: { address: "127.0.0.1" } };

/** @param {net.Server} server */
const portOf = (server) => /** @type {net.AddressInfo} */ (server.address()).port;

describe("the constructor", () => {
  test("refuses what can be found wrong without the network", () => {
    for (const init of [
      7,
      { type: "carrier-pigeon" },
      { local: { address: "not an address" } },
      { local: { port: 65536 } },
      { signal: {} },
      { backlog: -1 },
      { type: "tls" },
      { type: "tls", tls: { cert } },
      { type: "tls", tls: { cert, key: "no key" } },
      { type: "udp", tls: {} },
      { type: "quic" },
      { type: "quic", tls: { alpn: ["h3"] } },
      { tls: { alpn: [""] } },
      { accept: { keepAliveDelay: 1 } },
      { accept: { receiveBufferSize: 0 } },
      { accept: { ttl: 0 } },
    ]) {
      assert.throws(() => new SocketListener(/** @type {any} */ (init)), TypeError, JSON.stringify(init));
    }
  });

  test("refuses members of accept that say what a socket is connected to", () => {
    const remote = { address: "127.0.0.1", port: 1 };
    for (const accept of [
      { remote },
      { local: {} },
      { type: "tcp" },
      { tls: {} },
      { signal: AbortSignal.abort() },
      { readyTimeout: 0 },
    ]) {
      assert.throws(() => new SocketListener(/** @type {any} */ ({ accept })), TypeError, JSON.stringify(accept));
    }
  });

  test("says at once what this platform lacks", () => {
    const tls = { key, cert, alpn: ["h3"] };
    assert.throws(() => new SocketListener({ type: "quic", tls }), { name: "NotSupportedError" });
  });

  test("needs no argument", async (t) => {
    const listener = new SocketListener();
    t.after(() => listener.close());
    assert.equal(await listener.ready, undefined);
    assert.equal(listener.info.type, "tcp");
    assert.equal(listener.info.remote, null);
    assert.notEqual(listener.info.local?.port, 0);
    listener.onconnect = (/** @type {any} */ { socket }) => socket.abort();
    await dialInVain(t, { address: "127.0.0.1", port: /** @type {any} */ (listener.info.local).port });
  });
});

describe("binding", () => {
  test("fulfils ready behind the constructor, with the address in info", async (t) => {
    const listener = new SocketListener(loopback);
    t.after(() => listener.close());
    const { ready, closed, info } = listener;
    assert.deepEqual([info.local, info.remote, info.tls], [null, null, null]);
    assert.equal(await stateOf(ready), "pending");
    assert.equal(await ready, undefined);
    assert.equal(info.local?.address, "127.0.0.1");
    assert.deepEqual([listener.ready, listener.closed, listener.info], [ready, closed, info]);
    assert.equal(await stateOf(closed), "pending");
  });

  test("that fails rejects ready and closed with one SocketError, which nobody has to handle", async (t) => {
    const reported = catchUncaught(t);
    const { remote } = await serve(t);
    for (const [local, errorCode, systemCode] of [
      [remote, "address-in-use", "EADDRINUSE"],
      [{ address: "192.0.2.1" }, "address-not-bindable", "EADDRNOTAVAIL"],
    ]) {
      const listener = new SocketListener(/** @type {any} */ ({ local }));
      const sockets = listener.values();
      const next = rejection(sockets.next());
      const error = await rejection(listener.ready);
      assert.ok(error instanceof SocketError);
      assert.deepEqual([error.errorCode, error.systemCode], [errorCode, systemCode]);
      assert.equal(await rejection(listener.closed), error);
      assert.equal(await next, error);
      assert.deepEqual(await sockets.next(), { value: undefined, done: true });
      assert.equal(await rejection(listener.values().next()), error);
      assert.equal(await listener.close(), undefined);
    }
    await settle();
    assert.deepEqual(reported, []);
  });

  test("of an address without a family takes both, and names IPv4 addresses as such", async (t) => {
    const { listener, sockets } = await serve(t, { local: {} });
    await dial(t, { address: "127.0.0.1", port: /** @type {any} */ (listener.info.local).port });
    await eventually(() => sockets.length === 1, "a connect event fires");
    assert.deepEqual([sockets[0].info.remote?.address, sockets[0].info.local?.address], ["127.0.0.1", "127.0.0.1"]);
  });
});

describe("a connection that comes in", () => {
  test("is a socket that is open already, with everything known of it", async (t) => {
    const { listener, connection, socket } = await accept(t);
    assert.equal(await stateOf(socket.ready), "fulfilled");
    assert.equal(await stateOf(socket.closed), "pending");
    assert.deepEqual(
      [socket.info.type, socket.info.remote?.port, socket.info.remote?.address],
      ["tcp", connection.socket.localPort, "127.0.0.1"],
    );
    assert.equal(socket.info.local?.port, listener.info.local?.port);
    assert.equal(typeof socket.stats.readyAt, "number");
    assert.equal(socket.signal.aborted, false);
    const reader = socket.readable.getReader();
    await connection.send("ping");
    assert.equal(decode((await reader.read()).value), "ping");
    const writer = socket.writable.getWriter();
    await writer.write(encode("pong"));
    await connection.receives("pong");
    await writer.close();
    await connection.receivesFin();
    await connection.fin();
    assert.equal((await reader.read()).done, true);
    assert.equal(await socket.closed, undefined);
  });

  test("brings data that was sent before anybody looked, and every event after the dispatch", async (t) => {
    const { listener, remote } = await serve(t);
    /** @type {string[]} */
    const events = [];
    listener.addEventListener("connect", (/** @type {any} */ { socket }) => {
      for (const type of ["ready", "end", "error", "close"]) socket.addEventListener(type, () => events.push(type));
      socket.readable.pipeTo(socket.writable);
    });
    const connection = await dial(t, remote);
    await connection.send("early");
    await connection.fin();
    await connection.receives("early");
    await connection.receivesFin();
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["end", "close"]);
  });

  test("can be read with BYOB readers and half-closed by its peer", async (t) => {
    const { connection, socket } = await accept(t);
    const reader = socket.readable.getReader({ mode: "byob" });
    await connection.send("x".repeat(1000));
    let count = 0;
    for (let view = new Uint8Array(4096); ; ) {
      const { value } = await reader.read(view);
      count += value?.length ?? 0;
      view = new Uint8Array(/** @type {Uint8Array<ArrayBuffer>} */ (value).buffer);
      if (count === 1000) break;
    }
    await connection.fin();
    assert.equal((await reader.read(new Uint8Array(1))).done, true);
    await socket.writable.getWriter().write(encode("still here"));
    await connection.receives("still here");
    connection.reset();
    await eventually(() => connection.socket.closed, "the peer is gone");
  });

  test("fails as any other when its peer resets it, after what came before", async (t) => {
    const { connection, socket } = await accept(t);
    await connection.send("last words");
    await eventually(() => socket.stats.bytesReceived === 10, "bytes arrive");
    connection.reset();
    const error = await rejection(socket.closed);
    assert.deepEqual([error.name, error.errorCode], ["SocketError", "connection-reset"]);
    const reader = socket.readable.getReader();
    assert.equal(decode((await reader.read()).value), "last words");
    assert.equal(await rejection(reader.read()), error);
  });

  test("is reset by abort()", async (t) => {
    const { connection, socket } = await accept(t);
    await socket.abort("enough");
    await connection.receivesReset();
    assert.equal(await rejection(socket.closed), "enough");
  });

  test("that moves a lot both ways is not mixed up", async (t) => {
    const { connection, socket } = await accept(t);
    socket.readable.pipeTo(socket.writable);
    const bytes = new Uint8Array(5_000_000).map((_, index) => (index * 7 + (index >> 8)) & 0xff);
    connection.socket.end(bytes);
    await connection.receivesFin();
    assert.ok(connection.bytes.equals(bytes));
    await socket.closed;
  });

  test("has the options of accept", async (t) => {
    const { connection, socket } = await accept(t, {
      accept: { allowHalfOpen: false, sendBufferSize: 100, receiveBufferSize: 10, noDelay: true, keepAliveDelay: 2000 },
    });
    assert.equal(socket.writable.getWriter().desiredSize, 100);
    await connection.send("0123456789");
    await connection.fin();
    assert.equal(decode((await socket.readable.getReader().read()).value), "0123456789");
    await connection.receivesFin();
    await socket.closed;

    const idle = await accept(t, { accept: { idleTimeout: 20 } });
    assert.equal((await rejection(idle.socket.closed)).name, "TimeoutError");
    await idle.connection.receivesReset();
  });

  test("cannot be updated to another remote end", async (t) => {
    const { socket } = await accept(t);
    await socket.update({ noDelay: true, type: "tcp" });
    const error = await rejection(socket.update({ remote: { address: "127.0.0.1", port: 1 } }));
    assert.equal(error.name, "InvalidModificationError");
  });

  test("is reset if nobody listens for connect", async (t) => {
    const listener = new SocketListener(loopback);
    t.after(() => listener.close());
    await listener.ready;
    await dialInVain(t, listener.info.local);

    /** @type {unknown[]} */
    const seen = [];
    const callback = (/** @type {any} */ event) => seen.push(event.socket);
    listener.addEventListener("connect", callback);
    const attended = await dial(t, listener.info.local);
    await eventually(() => seen.length === 1, "a connect event fires");
    listener.removeEventListener("connect", callback);
    await dialInVain(t, listener.info.local);
    assert.equal(attended.error, null);
    attended.socket.destroy();
  });

  test("that is reset before it is accepted is skipped", async (t) => {
    const { listener, sockets, remote } = await serve(t);
    // All of it happens before Node gets to accept.
    const clients = await Promise.all([1, 2, 3].map(() => dial(t, remote)));
    await eventually(() => sockets.length === 3, "connect events fire");
    for (const client of clients) client.reset();
    const { port } = /** @type {any} */ (remote);
    const burst = net.connect({ port, host: "127.0.0.1" });
    burst.on("connect", () => burst.resetAndDestroy());
    await once(burst, "close");
    await dial(t, remote);
    await eventually(() => sockets.length >= 4, "later ones come in");
    assert.equal(await stateOf(listener.closed), "pending");
  });
});

describe("a tls listener", () => {
  test("brings connections whose handshake is done, and skips those whose handshake fails", async (t) => {
    const { sockets, remote } = await serve(t, { type: "tls", tls: { key, cert, alpn: ["echo"] } });
    const plain = await dial(t, remote);
    await plain.send("GET / HTTP/1.0\r\n\r\n");
    const silent = await dial(t, remote);
    await plain.ends();
    const socket = construct(t, { type: "tls", remote, tls: { ca: [cert], servername: "localhost", alpn: ["echo"] } });
    await socket.ready;
    await eventually(() => sockets.length > 0, "a connect event fires");
    assert.equal(sockets.length, 1);
    const [{ info }] = sockets;
    assert.deepEqual([info.type, info.tls?.alpn, info.tls?.version], ["tls", "echo", socket.info.tls?.version]);
    sockets[0].readable.pipeTo(sockets[0].writable);
    const writer = socket.writable.getWriter();
    await writer.write(encode("secret"));
    const reader = socket.readable.getReader();
    assert.equal(decode((await reader.read()).value), "secret");
    await writer.close();
    assert.equal((await reader.read()).done, true);
    await sockets[0].closed;
    silent.reset();
  });
});

describe("iterating", () => {
  test("gives each connection once, in order, also those that came while nobody asked", async (t) => {
    const listener = new SocketListener(loopback);
    t.after(() => listener.close());
    const sockets = listener.values();
    const first = sockets.next();
    await listener.ready;
    const clients = [];
    for (let count = 0; count < 3; count++) clients.push(await dial(t, listener.info.local));
    const ports = [];
    for (const next of [first, sockets.next(), sockets.next()]) {
      const { value, done } = await next;
      assert.equal(done, false);
      assert.ok(value);
      ports.push(value.info.remote?.port);
      value.abort();
    }
    assert.deepEqual(
      ports,
      clients.map(({ socket }) => socket.localPort),
    );
  });

  test("ends with the listener, after what has come in", async (t) => {
    const listener = new SocketListener(loopback);
    const sockets = listener.values();
    await listener.ready;
    const client = await dial(t, listener.info.local);
    const waiting = await new Promise((resolve) => {
      listener.addEventListener("connect", (/** @type {any} */ { socket }) => resolve(socket), { once: true });
      dial(t, listener.info.local);
    });
    await listener.close();
    assert.equal((await sockets.next()).value?.info.remote?.port, client.socket.localPort);
    assert.equal((await sockets.next()).value, waiting);
    assert.deepEqual(await sockets.next(), { value: undefined, done: true });
    waiting.abort();
  });

  test("resolves a pending request when the listener is closed", async () => {
    const listener = new SocketListener(loopback);
    const next = listener.values().next();
    await listener.ready;
    await listener.close();
    assert.deepEqual(await next, { value: undefined, done: true });
  });

  test("that is left closes the listener, and resets what nobody took", async (t) => {
    const listener = new SocketListener(loopback);
    const first = listener.ready.then(() => dial(t, listener.info.local));
    const left = [];
    for await (const socket of /** @type {AsyncIterable<Socket>} */ (/** @type {any} */ (listener))) {
      left.push(await first, await dial(t, listener.info.local));
      await settle();
      socket.readable.pipeTo(socket.writable);
      break;
    }
    assert.equal(await stateOf(listener.closed), "fulfilled");
    await left[1].receivesReset();
    await left[0].send("still there");
    await left[0].receives("still there");
    await left[0].fin();
  });

  test("leaves a socket that was rejected out", async (t) => {
    const listener = new SocketListener(loopback);
    t.after(() => listener.close());
    listener.addEventListener("connect", (/** @type {any} */ event) => event.reject(), { once: true });
    const sockets = listener.values();
    await listener.ready;
    await dialInVain(t, listener.info.local);
    const { socket } = await dial(t, listener.info.local);
    const { value } = await sockets.next();
    assert.equal(value?.info.remote?.port, socket.localPort);
    value?.abort();
  });

  test("keeps no more connections waiting than backlog", async (t) => {
    const listener = new SocketListener({ ...loopback, backlog: 2 });
    t.after(() => listener.close());
    const sockets = listener.values();
    await listener.ready;
    const clients = [await dial(t, listener.info.local), await dial(t, listener.info.local)];
    await settle();
    await dialInVain(t, listener.info.local);
    for (const client of clients) {
      const { value } = await sockets.next();
      assert.equal(value?.info.remote?.port, client.socket.localPort);
      value?.abort();
    }
  });
});

describe("close()", () => {
  test("frees the port, and leaves connections alone", async (t) => {
    const { listener, connection, socket } = await accept(t);
    const { port } = /** @type {any} */ (listener.info.local);
    assert.equal(await listener.close(), undefined);
    assert.equal(await listener.closed, undefined);
    assert.equal(await listener.close(), undefined);
    const server = net.createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    assert.equal(portOf(server), port);
    server.close();
    await socket.writable.getWriter().write(encode("alive"));
    await connection.receives("alive");
  });

  test("while binding waits until there is something to close", async () => {
    const listener = new SocketListener(loopback);
    await listener.close();
    assert.equal(await listener.ready, undefined);
    assert.equal(await listener.closed, undefined);
  });
});

describe("signal", () => {
  test("stops the listener and rejects closed, and connections live on", async (t) => {
    const controller = new AbortController();
    const { listener, connection, socket } = await accept(t, { signal: controller.signal });
    const next = rejection(listener.values().next());
    controller.abort("night");
    assert.equal(await rejection(listener.closed), "night");
    assert.equal(await next, "night");
    assert.equal(await listener.ready, undefined);
    await listener.close();
    await assert.rejects(dial(t, listener.info.local));
    await socket.writable.getWriter().write(encode("alive"));
    await connection.receives("alive");
  });

  test("that aborts while binding rejects ready, too", async () => {
    const controller = new AbortController();
    const listener = new SocketListener({ ...loopback, signal: controller.signal });
    controller.abort("never mind");
    assert.equal(await rejection(listener.ready), "never mind");
    assert.equal(await rejection(listener.closed), "never mind");
    await listener.close();
    await settle();
  });

  test("that is aborted already keeps the listener from binding", async () => {
    const listener = new SocketListener({ ...loopback, signal: AbortSignal.abort("no") });
    assert.equal(await rejection(listener.ready), "no");
    assert.equal(await rejection(listener.closed), "no");
    assert.equal(listener.info.local, null);
    await listener.close();
  });

  test("has no effect once the listener is closed", async () => {
    const controller = new AbortController();
    const listener = new SocketListener({ ...loopback, signal: controller.signal });
    await listener.ready;
    await listener.close();
    controller.abort("late");
    assert.equal(await listener.closed, undefined);
  });
});
