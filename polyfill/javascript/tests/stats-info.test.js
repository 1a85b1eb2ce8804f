import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketEndpoint, SocketInfo, SocketStats } from "../src/index.js";
import { connect, construct, encode, eventually, listen, settle } from "./peer.js";

test("stats is live, counts payload and times, and freezes", async (t) => {
  const peer = await listen(t);
  const before = performance.now();
  const socket = construct(t, { remote: peer.remote });
  const { stats } = socket;
  assert.ok(stats instanceof SocketStats);
  assert.ok(stats.createdAt >= before && stats.createdAt <= performance.now());
  assert.deepEqual(stats.toJSON(), {
    bytesSent: 0,
    bytesReceived: 0,
    packetsSent: null,
    packetsReceived: null,
    packetsDropped: null,
    createdAt: stats.createdAt,
    readyAt: null,
    closedAt: null,
  });
  await socket.ready;
  const readyAt = Number(stats.readyAt);
  assert.ok(readyAt >= stats.createdAt);
  const connection = await peer.accept();
  const writer = socket.writable.getWriter();
  await writer.write(encode("12345"));
  assert.equal(stats.bytesSent, 5);
  await writer.write(encode("678"));
  assert.equal(stats.bytesSent, 8);
  await connection.send("answer");
  await eventually(() => stats.bytesReceived === 6, "bytes count before anybody reads them");
  const snapshot = stats.toJSON();
  await socket.readable.cancel();
  await connection.send("discarded");
  await eventually(() => stats.bytesReceived === 15, "discarded bytes count");
  assert.equal(snapshot.bytesReceived, 6);
  await writer.close();
  await socket.closed;
  assert.ok(Number(stats.closedAt) >= readyAt);
  const final = JSON.stringify(stats);
  await connection.send("after the end");
  await settle();
  assert.equal(JSON.stringify(stats), final);
});

test("stats of a socket that fails has no time of readiness", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote });
  await socket.abort();
  assert.equal(socket.stats.readyAt, null);
  assert.ok(Number(socket.stats.closedAt) >= socket.stats.createdAt);
});

test("info is live, and stays readable after the end", async (t) => {
  const { socket, connection, peer } = await connect(t);
  const { info } = socket;
  assert.ok(info instanceof SocketInfo && info.remote instanceof SocketEndpoint);
  const expected = {
    type: "tcp",
    remote: peer.remote,
    local: { address: "127.0.0.1", port: connection.socket.remotePort },
  };
  assert.deepEqual(JSON.parse(JSON.stringify(info)), expected);
  assert.equal(info.tls, null);
  assert.deepEqual(Object.keys(info.toJSON()), ["type", "remote", "local"]);
  assert.equal(info.toJSON().remote, info.remote);
  await socket.abort();
  assert.deepEqual(JSON.parse(JSON.stringify(info)), expected);
});
