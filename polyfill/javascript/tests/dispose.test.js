import assert from "node:assert/strict";
import { test } from "node:test";
import { Socket } from "../src/index.js";
import { connect, construct, encode, eventsOf, eventually, listen, rejection, settle, stateOf } from "./peer.js";

const asyncDispose = Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose");

/** @param {any} socket @returns {Promise<undefined>} */
const dispose = (socket) => socket[asyncDispose]();

test("the method is there, not enumerable, and rejects on other receivers", async () => {
  const descriptor = Object.getOwnPropertyDescriptor(Socket.prototype, asyncDispose);
  assert.deepEqual([descriptor?.value.length, descriptor?.enumerable], [0, false]);
  assert.ok((await rejection(descriptor?.value.call({}))) instanceof TypeError);
});

test("a connecting socket is aborted", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote });
  const events = eventsOf(socket);
  const { signal } = socket;
  const disposed = dispose(socket);
  assert.equal(signal.reason.name, "AbortError");
  assert.equal(await disposed, undefined);
  assert.equal(await rejection(socket.ready), signal.reason);
  assert.equal(await rejection(socket.closed), signal.reason);
  await eventually(() => events.length > 0, "close fires");
  assert.deepEqual(events, ["close"]);
});

for (const locked of [false, true]) {
  test(`an open socket is flushed and closed, with its streams ${locked ? "locked" : "free"}`, async (t) => {
    const { socket, events, connection } = await connect(t, { reading: false });
    const writer = socket.writable.getWriter();
    const reader = socket.readable.getReader();
    const read = reader.read();
    const writes = [writer.write(new Uint8Array(6_000_000)), writer.write(encode("end"))];
    if (!locked) {
      writer.releaseLock();
      // The pending read keeps its reader.
    }
    const disposed = dispose(socket);
    assert.deepEqual(await read, { value: undefined, done: true });
    const late = locked ? rejection(writer.write(encode("late"))) : undefined;
    await settle();
    assert.equal(await stateOf(disposed), "pending");
    connection.socket.resume();
    assert.equal(await disposed, undefined);
    await Promise.all(writes);
    if (late) assert.ok((await late) instanceof TypeError);
    const again = socket.writable.locked ? writer : socket.writable.getWriter();
    assert.ok((await rejection(again.write(encode("later")))) instanceof TypeError);
    await connection.receivesFin();
    assert.equal(connection.length, 6_000_003);
    assert.equal(await socket.closed, undefined);
    assert.equal(socket.signal.aborted, false);
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "close"]);
  });
}

test("a socket whose streams nobody asked for closes, and gives closed streams later", async (t) => {
  const { socket, connection } = await connect(t);
  await dispose(socket);
  await connection.receivesFin();
  assert.equal((await socket.readable.getReader().read()).done, true);
  const writer = socket.writable.getWriter();
  assert.ok((await rejection(writer.write(encode("late")))) instanceof TypeError);
  await writer.closed;
});

test("half-closed sockets close", async (t) => {
  const local = await connect(t);
  await local.socket.writable.close();
  await dispose(local.socket);
  assert.equal(await local.socket.closed, undefined);

  const remote = await connect(t);
  await remote.connection.fin();
  await eventually(() => remote.events.includes("end"), "end fires");
  await dispose(remote.socket);
  await remote.connection.receivesFin();
  assert.equal(await remote.socket.closed, undefined);
});

test("twice is once, and after the end nothing", async (t) => {
  const { socket, connection } = await connect(t, { reading: false });
  const writer = socket.writable.getWriter();
  writer.write(new Uint8Array(6_000_000));
  const twice = [dispose(socket), dispose(socket)];
  connection.socket.resume();
  await Promise.all(twice);
  await dispose(socket);

  const failed = await connect(t);
  await failed.socket.abort("own");
  assert.equal(await dispose(failed.socket), undefined);
  assert.equal(failed.socket.signal.reason, "own");
});

test("a failure while flushing rejects", async (t) => {
  const { socket, connection } = await connect(t, { reading: false });
  const writer = socket.writable.getWriter();
  const write = rejection(writer.write(new Uint8Array(20_000_000)));
  const disposed = rejection(dispose(socket));
  await settle();
  connection.reset();
  const error = await disposed;
  assert.equal(error.errorCode, "connection-reset");
  assert.equal(await write, error);
  assert.equal(await rejection(socket.closed), error);
});
