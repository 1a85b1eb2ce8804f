import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Deadline } from "../src/core/timers.js";
import { connect, construct, encode, eventsOf, eventually, listen, rejection, settle, stateOf } from "./peer.js";

describe("idleTimeout", () => {
  test("fails a silent socket, not early, with an event and a reset, and drops what is unread", async (t) => {
    const { socket, events, connection } = await connect(t, { init: { idleTimeout: 60 } });
    await connection.send("unread");
    await eventually(() => socket.stats.bytesReceived === 6, "the bytes arrive");
    const start = performance.now();
    const error = await rejection(socket.closed);
    assert.ok(performance.now() - start >= 59, "it counts from the last byte");
    assert.ok(error instanceof DOMException);
    assert.equal(error.name, "TimeoutError");
    assert.equal(await rejection(socket.readable.getReader().read()), error);
    assert.equal(await rejection(socket.writable.getWriter().write(encode("x"))), error);
    assert.equal(socket.signal.reason, error);
    await connection.receivesReset();
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "error", "close"]);
  });

  for (const direction of ["sent", "received"]) {
    test(`starts anew with every byte ${direction}`, async (t) => {
      const { socket, connection } = await connect(t, { init: { idleTimeout: 300 } });
      const writer = socket.writable.getWriter();
      for (let round = 0; round < 8; round++) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        if (direction === "sent") await writer.write(encode("x"));
        else await connection.send("x");
      }
      assert.equal(await stateOf(socket.closed), "pending");
      assert.equal((await rejection(socket.closed)).name, "TimeoutError");
    });
  }

  test("runs in half-closed sockets", async (t) => {
    const local = await connect(t, { init: { idleTimeout: 30 } });
    await local.socket.writable.close();
    assert.equal((await rejection(local.socket.closed)).name, "TimeoutError");
    const remote = await connect(t, { init: { idleTimeout: 30 } });
    await remote.connection.fin();
    assert.equal((await rejection(remote.socket.closed)).name, "TimeoutError");
  });

  test("does not run while a slow peer takes a large chunk bit by bit", async (t) => {
    const { socket, connection } = await connect(t, { init: { idleTimeout: 400 }, reading: false });
    const write = socket.writable.getWriter().write(new Uint8Array(24_000_000));
    const slowly = setInterval(() => {
      connection.socket.resume();
      setTimeout(() => connection.socket.pause());
    }, 20);
    t.after(() => clearInterval(slowly));
    await write;
    assert.equal(await stateOf(socket.closed), "pending");
    clearInterval(slowly);
    connection.socket.resume();
    await eventually(() => connection.length === 24_000_000, "everything arrives");
  });

  test("does not run before the connection is made, nor after the end", async (t) => {
    const { socket } = await connect(t, { init: { idleTimeout: 40 } });
    await socket.readable.cancel();
    await socket.writable.close();
    await socket.closed;
    await settle();
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(socket.signal.aborted, false);
  });
});

describe("readyTimeout", () => {
  test("fails a socket that does not connect in time, and only that", async (t) => {
    // 1 ms has passed when the callback of the event loop's next turn comes, whatever connecting takes.
    const peer = await listen(t);
    const socket = construct(t, { remote: peer.remote, readyTimeout: 1 });
    const events = eventsOf(socket);
    for (const start = performance.now(); performance.now() - start < 5; );
    const error = await rejection(socket.ready);
    assert.equal(error.name, "TimeoutError");
    assert.equal(await rejection(socket.closed), error);
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["error", "close"]);
    await settle();
    for (const connection of peer.connections) assert.equal(connection.length, 0);
  });

  test("has no effect once the connection is made", async (t) => {
    const { socket } = await connect(t, { init: { readyTimeout: 100 } });
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(await stateOf(socket.closed), "pending");
  });
});

describe("deadlines", () => {
  test("can be longer than the platform's timers", async () => {
    let expired = false;
    const deadline = new Deadline(() => {
      expired = true;
    });
    deadline.start(4294967295);
    await settle();
    assert.deepEqual([expired, deadline.running], [false, true]);
    deadline.stop();
    assert.equal(deadline.running, false);
  });

  test("count from when they are told to", async () => {
    // A deadline alone does not keep the process.
    const keeper = setInterval(() => {}, 1000);
    const start = performance.now();
    const duration = await new Promise((resolve) => new Deadline(resolve).start(50, start - 40));
    clearInterval(keeper);
    assert.equal(duration, 50);
    assert.ok(performance.now() - start >= 10);
  });
});
