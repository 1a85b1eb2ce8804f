import assert from "node:assert/strict";
import { test } from "node:test";
import { Socket } from "../src/index.js";
import { connect, construct, encode, eventsOf, eventually, listen, stateOf } from "./peer.js";

test("nothing happens before the constructor has returned", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote });
  const seen = eventsOf(socket);
  assert.equal(await stateOf(socket.ready), "pending");
  assert.deepEqual([seen, socket.info.remote, socket.info.local, socket.stats.readyAt], [[], null, null, null]);
  assert.equal(await socket.ready, undefined);
  assert.deepEqual(socket.info.remote?.toJSON(), peer.remote);
  assert.equal(typeof socket.stats.readyAt, "number");
  await eventually(() => seen.length > 0, "an event");
  assert.deepEqual(seen, ["ready"]);
});

test("a name is looked up, and info has what it was resolved to", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: { address: "LOCALHOST", port: peer.remote.port } });
  await socket.ready;
  assert.equal(socket.info.remote?.address, "127.0.0.1");
});

test("IPv6 works with and without brackets", async (t) => {
  const peer = await listen(t, { host: "::1" });
  for (const address of ["::1", "[::1]", "0:0:0:0:0:0:0:1"]) {
    const socket = construct(t, { remote: { address, port: peer.remote.port } });
    await socket.ready;
    assert.equal(socket.info.remote?.address, "::1");
    assert.equal(socket.info.local?.address, "::1");
  }
});

test("the local end is bound", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote, local: { address: "127.0.0.2" } });
  await socket.ready;
  const connection = await peer.accept();
  assert.equal(connection.socket.remoteAddress, "127.0.0.2");
  assert.deepEqual(socket.info.local?.toJSON(), { address: "127.0.0.2", port: connection.socket.remotePort });

  const free = await listen(t);
  const { port } = free.remote;
  await new Promise((resolve) => free.server.close(resolve));
  const bound = construct(t, { remote: { address: "localhost", port: peer.remote.port }, local: { port } });
  await bound.ready;
  assert.equal((await peer.accept()).socket.remotePort, port);
});

test("writes and closes that were made while connecting flow in order", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote });
  const writer = socket.writable.getWriter();
  const done = Promise.all([writer.write(encode("a")), writer.write(encode("")), writer.write(encode("b"))]);
  const closed = writer.close();
  const read = socket.readable.getReader().read();
  assert.equal(await stateOf(done), "pending");
  await done;
  await closed;
  const connection = await peer.accept();
  await connection.receives("ab");
  await connection.receivesFin();
  await connection.send("c");
  assert.equal(Buffer.from((await read).value ?? []).toString(), "c");
});

test("ready stays fulfilled when the socket fails later", async (t) => {
  const { socket } = await connect(t);
  await socket.abort("later");
  assert.equal(await socket.ready, undefined);
  assert.equal(await stateOf(socket.ready), "fulfilled");
});

test("there is no method close", () => {
  assert.equal("close" in Socket.prototype, false);
});
