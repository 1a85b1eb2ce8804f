import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect, construct, encode, eventually, listen, rejection, settle, stateOf } from "./peer.js";

/** @param {any} socket @param {any} init @returns {Promise<undefined>} */
const update = (socket, init) => socket.update(init);

describe("members that can change", () => {
  test("are accepted in every state that is not terminal", async (t) => {
    const all = {
      noDelay: true,
      keepAliveDelay: 5000,
      idleTimeout: 60_000,
      readyTimeout: 60_000,
      ttl: 32,
      sendBufferSize: 1,
      receiveBufferSize: 1,
      allowHalfOpen: true,
    };
    const peer = await listen(t);
    const socket = construct(t, { remote: peer.remote });
    assert.equal(await update(socket, all), undefined);
    await socket.ready;
    assert.equal(await update(socket, all), undefined);
    assert.equal(await update(socket, { ...all, noDelay: false, keepAliveDelay: 0 }), undefined);
    assert.equal(await update(socket, {}), undefined);
    await socket.writable.close();
    assert.equal(await update(socket, all), undefined);
  });

  test("sendBufferSize moves desiredSize by the difference, before and after the stream is used", async (t) => {
    const { socket, connection } = await connect(t, { init: { sendBufferSize: 1000 }, reading: false });
    await update(socket, { sendBufferSize: 2000 });
    const writer = socket.writable.getWriter();
    assert.equal(writer.desiredSize, 2000);
    await update(socket, { sendBufferSize: 500 });
    assert.equal(writer.desiredSize, 500);
    writer.write(new Uint8Array(20_000_000));
    writer.write(new Uint8Array(100));
    assert.equal(writer.desiredSize, 500 - 20_000_100);
    await update(socket, { sendBufferSize: 30_000_000 });
    assert.equal(writer.desiredSize, 30_000_000 - 20_000_100);
    connection.socket.resume();
    await eventually(() => connection.length === 20_000_100, "everything arrives");
    await writer.ready;
    assert.equal(writer.desiredSize, 30_000_000);
  });

  test("receiveBufferSize changes how much is received ahead", async (t) => {
    const { socket, connection } = await connect(t, { init: { receiveBufferSize: 1000 } });
    connection.send(Buffer.alloc(300_000));
    await eventually(() => socket.stats.bytesReceived >= 1000, "the buffer is full");
    await settle();
    assert.ok(socket.stats.bytesReceived < 100_000);
    await update(socket, { receiveBufferSize: 300_000 });
    await eventually(() => socket.stats.bytesReceived === 300_000, "the rest is received");
  });

  test("idleTimeout counts anew, and 0 switches it off", async (t) => {
    const { socket } = await connect(t, { init: { idleTimeout: 40 } });
    await update(socket, { idleTimeout: 0 });
    await new Promise((resolve) => setTimeout(resolve, 70));
    assert.equal(await stateOf(socket.closed), "pending");
    const start = performance.now();
    await update(socket, { idleTimeout: 50 });
    assert.equal((await rejection(socket.closed)).name, "TimeoutError");
    assert.ok(performance.now() - start >= 49);
  });

  test("readyTimeout limits the attempt that is under way, and does nothing later", async (t) => {
    const peer = await listen(t);
    const socket = construct(t, { remote: peer.remote });
    update(socket, { readyTimeout: 1 });
    await undefined;
    await undefined;
    for (const start = performance.now(); performance.now() - start < 5; );
    assert.equal((await rejection(socket.ready)).name, "TimeoutError");

    const open = await connect(t);
    assert.equal(await update(open.socket, { readyTimeout: 1 }), undefined);
    await settle();
    assert.equal(await stateOf(open.socket.closed), "pending");
  });

  test("allowHalfOpen decides what the FIN does, and cannot change after it", async (t) => {
    const { socket, connection } = await connect(t);
    await update(socket, { allowHalfOpen: false });
    await connection.fin();
    assert.equal(await socket.closed, undefined);

    const later = await connect(t);
    await later.connection.fin();
    await eventually(() => later.events.includes("end"), "end fires");
    assert.equal(await update(later.socket, { allowHalfOpen: true }), undefined);
    const error = await rejection(update(later.socket, { allowHalfOpen: false }));
    assert.equal(error.name, "InvalidModificationError");
  });
});

describe("members that cannot change", () => {
  test("are accepted when they are equal, and reject when they are not", async (t) => {
    const { signal } = new AbortController();
    const { socket, connection, peer } = await connect(t, { init: { signal, local: { address: "127.0.0.1" } } });
    const same = { type: "tcp", remote: peer.remote, signal, local: { address: "127.0.0.1", port: 0 } };
    assert.equal(await update(socket, same), undefined);
    const others = [
      { remote: { ...peer.remote, port: 1 } },
      { remote: { ...peer.remote, address: "localhost" } },
      { local: { address: "127.0.0.2" } },
      { local: { address: "127.0.0.1", port: 1 } },
      { signal: AbortSignal.abort() },
      { type: "udp" },
      { tls: {} },
    ];
    for (const other of others) {
      const error = await rejection(update(socket, { ...other, noDelay: true }));
      assert.ok(error instanceof DOMException);
      assert.equal(error.name, "InvalidModificationError");
    }
    await socket.writable.getWriter().write(encode("untouched"));
    await connection.receives("untouched");
  });

  test("keep the others of the same call from changing", async (t) => {
    const { socket } = await connect(t);
    const writer = socket.writable.getWriter();
    await rejection(update(socket, { sendBufferSize: 1, remote: { address: "a", port: 1 } }));
    await rejection(update(socket, { sendBufferSize: 1, ttl: 0 }));
    assert.equal(writer.desiredSize, 65536);
  });

  test("an upgrade is impossible when half closed", async (t) => {
    const { socket } = await connect(t);
    await socket.writable.close();
    assert.equal((await rejection(update(socket, { type: "tls" }))).name, "InvalidStateError");
  });
});

describe("calls", () => {
  test("take effect and settle in their order, faulty ones too", async (t) => {
    const { socket } = await connect(t);
    const writer = socket.writable.getWriter();
    /** @type {string[]} */
    const order = [];
    const calls = [
      update(socket, { sendBufferSize: 10 }).then(() => order.push(`first ${writer.desiredSize}`)),
      update(socket, null).catch(() => order.push("second")),
      update(socket, { sendBufferSize: 20, type: "udp" }).catch(() => order.push("third")),
      update(socket, { sendBufferSize: 30 }).then(() => order.push("fourth")),
    ];
    assert.equal(writer.desiredSize, 65536, "nothing happens before update() has returned");
    await Promise.all(calls);
    assert.deepEqual(order, ["first 10", "second", "third", "fourth"]);
    assert.equal(writer.desiredSize, 30);
  });

  test("reject when the socket has ended, and with the failure when it fails meanwhile", async (t) => {
    const { socket } = await connect(t);
    const under = rejection(update(socket, { noDelay: true }));
    socket.abort("meanwhile");
    assert.equal(await under, "meanwhile");
    assert.equal((await rejection(update(socket, {}))).name, "InvalidStateError");

    const clean = await connect(t);
    await clean.socket.readable.cancel();
    await clean.socket.writable.close();
    assert.equal((await rejection(update(clean.socket, {}))).name, "InvalidStateError");
  });

  test("do not keep their argument", async (t) => {
    const { socket } = await connect(t);
    const init = { sendBufferSize: 10 };
    const call = update(socket, init);
    init.sendBufferSize = 20;
    await call;
    assert.equal(socket.writable.getWriter().desiredSize, 10);
  });
});
