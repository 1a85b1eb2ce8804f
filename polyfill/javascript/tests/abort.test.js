import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect, construct, encode, eventsOf, eventually, listen, rejection, settle, stateOf } from "./peer.js";

describe("abort()", () => {
  test("fails everything with its reason, and resets the connection", async (t) => {
    for (const reason of ["why", null, false, 0, "", { any: "thing" }]) {
      const { socket, events, connection } = await connect(t);
      await connection.send("unread");
      await eventually(() => socket.stats.bytesReceived === 6, "bytes arrive");
      const { signal } = socket;
      const reader = socket.readable.getReader();
      const writer = socket.writable.getWriter();
      let inListener;
      signal.addEventListener("abort", () => {
        inListener = Promise.all([stateOf(socket.closed), rejection(reader.closed), rejection(writer.closed)]);
      });
      const aborted = socket.abort(reason);
      assert.deepEqual([signal.aborted, signal.reason], [true, reason]);
      assert.deepEqual(await inListener, ["rejected", reason, reason]);
      assert.equal(await aborted, undefined);
      assert.equal(await rejection(socket.closed), reason);
      assert.equal(await rejection(reader.read()), reason, "unread bytes are dropped");
      await connection.receivesReset();
      await eventually(() => events.includes("close"), "close fires");
      assert.deepEqual(events, ["ready", "close"]);
    }
  });

  test("without a reason has an AbortError for one", async (t) => {
    for (const args of [[], [undefined]]) {
      const { socket } = await connect(t);
      await socket.abort(...args);
      const error = await rejection(socket.closed);
      assert.ok(error instanceof DOMException);
      assert.equal(error.name, "AbortError");
      assert.equal(socket.signal.reason, error);
    }
  });

  test("drops what was not handed over, rejects writes that wait, and forgets the FIN", async (t) => {
    const { socket, connection } = await connect(t, { reading: false });
    const writer = socket.writable.getWriter();
    const writes = [1, 2, 3].map(() => writer.write(new Uint8Array(5_000_000)));
    const closed = writer.close();
    const rejections = Promise.all([...writes, closed].map(rejection));
    await settle();
    await socket.abort("stop");
    assert.deepEqual(await rejections, ["stop", "stop", "stop", "stop"]);
    connection.socket.resume();
    await connection.ends();
    assert.ok(connection.length < 15_000_000);
  });

  test("while the FIN is being handed over still ends the connection", async (t) => {
    for (const delay of [false, true]) {
      const { socket, connection } = await connect(t);
      const closed = Promise.allSettled([socket.writable.close()]);
      if (delay) await new Promise((resolve) => process.nextTick(resolve));
      await socket.abort("stop");
      await closed;
      assert.equal(await rejection(socket.closed), "stop");
      await connection.ends();
    }
  });

  test("stops an attempt to connect", async (t) => {
    const peer = await listen(t);
    for (const address of ["127.0.0.1", "localhost"]) {
      const socket = construct(t, { remote: { address, port: peer.remote.port } });
      const events = eventsOf(socket);
      const write = rejection(socket.writable.getWriter().write(encode("never")));
      await socket.abort("changed my mind");
      assert.equal(await write, "changed my mind");
      for (const promise of [socket.ready, socket.closed]) assert.equal(await rejection(promise), "changed my mind");
      await eventually(() => events.length > 0, "close fires");
      assert.deepEqual(events, ["close"]);
    }
    await settle();
    for (const connection of peer.connections) assert.equal(connection.length, 0);
  });

  test("counts once, and never after the end", async (t) => {
    const { socket, connection } = await connect(t);
    await Promise.all([socket.abort("first"), socket.abort("second")]);
    await socket.abort("third");
    assert.equal(await rejection(socket.closed), "first");
    assert.equal(socket.signal.reason, "first");
    await connection.receivesReset();

    const clean = await connect(t);
    await clean.socket.readable.cancel();
    await clean.socket.writable.close();
    await clean.socket.closed;
    assert.equal(await clean.socket.abort("late"), undefined);
    assert.equal(clean.socket.signal.aborted, false);
    assert.equal(await clean.socket.closed, undefined);
  });

  test("works in both half-closed states", async (t) => {
    const local = await connect(t);
    await local.socket.writable.close();
    await local.connection.receivesFin();
    await local.socket.abort("stop");
    await local.connection.receivesReset();

    const remote = await connect(t);
    await remote.connection.fin();
    await eventually(() => remote.events.includes("end"), "end fires");
    await remote.socket.abort("stop");
    await remote.connection.receivesReset();
    await eventually(() => remote.events.includes("close"), "close fires");
    assert.deepEqual(remote.events, ["ready", "end", "close"]);
  });
});

describe("aborting writable", () => {
  test("aborts the socket with the same reason", async (t) => {
    const { socket, events, connection } = await connect(t);
    const read = socket.readable.getReader().read();
    await socket.writable.abort("cut");
    assert.equal(await rejection(socket.closed), "cut");
    assert.equal(await rejection(read), "cut");
    assert.equal(socket.signal.reason, "cut");
    await connection.receivesReset();
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "close"]);
  });

  test("without a reason leaves the stream undefined and gives the socket an AbortError", async (t) => {
    const { socket } = await connect(t);
    const writer = socket.writable.getWriter();
    await writer.abort();
    assert.equal((await rejection(socket.closed)).name, "AbortError");
    assert.equal(await rejection(writer.closed), undefined);
  });

  test("does not wait for the write in flight", async (t) => {
    const { socket, connection } = await connect(t, { reading: false });
    const writer = socket.writable.getWriter();
    const write = rejection(writer.write(new Uint8Array(20_000_000)));
    await settle();
    const aborted = writer.abort("cut");
    assert.equal(socket.signal.reason, "cut");
    await aborted;
    assert.equal(await write, "cut");
    connection.socket.resume();
    await connection.ends();
    assert.ok(connection.length < 20_000_000);
  });

  test("while connecting abandons the attempt", async (t) => {
    const peer = await listen(t);
    const socket = construct(t, { remote: peer.remote });
    const writer = socket.writable.getWriter();
    const write = rejection(writer.write(encode("never")));
    await writer.abort("cut");
    assert.equal(await write, "cut");
    assert.equal(await rejection(socket.ready), "cut");
  });

  test("that is closed does nothing", async (t) => {
    const { socket } = await connect(t);
    await socket.writable.close();
    await socket.writable.abort("late");
    assert.equal(await stateOf(socket.closed), "pending");
    assert.equal(socket.signal.aborted, false);
  });
});

describe("init.signal", () => {
  test("that is aborted already gives a socket that has failed, and nothing is sent", async (t) => {
    const peer = await listen(t);
    const socket = construct(t, { remote: peer.remote, signal: AbortSignal.abort("no") });
    const events = eventsOf(socket);
    assert.deepEqual([socket.signal.aborted, socket.signal.reason], [true, "no"]);
    assert.equal(await rejection(socket.ready), "no");
    assert.equal(await rejection(socket.closed), "no");
    assert.equal(await rejection(socket.readable.getReader().read()), "no");
    assert.equal(await rejection(socket.writable.getWriter().write(encode("x"))), "no");
    await socket.abort();
    await eventually(() => events.length > 0, "close fires");
    assert.deepEqual(events, ["close"]);
    await settle();
    assert.equal(peer.connections.length, 0);
  });

  test("aborts while connecting, while open, and every socket that shares it", async (t) => {
    const controller = new AbortController();
    /** @type {Error[]} */
    const warnings = [];
    const listener = (/** @type {Error} */ warning) => warnings.push(warning);
    process.on("warning", listener);
    t.after(() => process.off("warning", listener));
    const { socket, events, connection, peer } = await connect(t, { init: { signal: controller.signal } });
    const others = Array.from({ length: 20 }, () => construct(t, { remote: peer.remote, signal: controller.signal }));
    assert.notEqual(socket.signal, controller.signal);
    const reason = new Error("mine");
    controller.abort(reason);
    assert.equal(socket.signal.reason, reason);
    for (const other of [socket, ...others]) assert.equal(await rejection(other.closed), reason);
    await connection.receivesReset();
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "close"]);
    assert.deepEqual(warnings, []);
  });

  test("is let go of at the end", async (t) => {
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = function (/** @type {any[]} */ ...args) {
      listeners += 1;
      addEventListener.apply(this, /** @type {any} */ (args));
    };
    controller.signal.removeEventListener = function (/** @type {any[]} */ ...args) {
      listeners -= 1;
      removeEventListener.apply(this, /** @type {any} */ (args));
    };
    const { socket, peer } = await connect(t, { init: { signal: controller.signal } });
    const other = construct(t, { remote: peer.remote, signal: controller.signal });
    assert.equal(listeners, 1);
    await socket.readable.cancel();
    await socket.writable.close();
    await socket.closed;
    assert.equal(listeners, 1);
    await other.abort("own");
    assert.equal(listeners, 0);
    controller.abort("late");
    assert.equal(await socket.closed, undefined);
    assert.equal(await rejection(other.closed), "own");
  });

  test("of AbortSignal.timeout() fails the socket with its TimeoutError", async (t) => {
    const { socket } = await connect(t, { init: { signal: AbortSignal.timeout(20) } });
    assert.equal((await rejection(socket.closed)).name, "TimeoutError");
  });
});
