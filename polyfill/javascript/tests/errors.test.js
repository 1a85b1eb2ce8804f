import assert from "node:assert/strict";
import dns from "node:dns";
import { once } from "node:events";
import { test } from "node:test";
import { errorCodeOf, failureOf } from "../src/core/failure.js";
import { SocketError } from "../src/index.js";
import { connect, construct, encode, eventsOf, eventually, listen, refusingPort, rejection } from "./peer.js";

test("a refused connection fails everything with one object", async (t) => {
  const socket = construct(t, { remote: { address: "127.0.0.1", port: await refusingPort() } });
  /** @type {any[]} */
  const events = [];
  socket.onerror = (/** @type {any} */ event) => events.push(event.error, event.fatal);
  const seen = eventsOf(socket);
  const read = socket.readable.getReader().read();
  const writer = socket.writable.getWriter();
  const write = writer.write(encode("x"));
  const close = writer.close();
  const error = await rejection(socket.ready);
  assert.ok(error instanceof SocketError);
  assert.deepEqual([error.errorCode, error.systemCode, error.code], ["connection-refused", "ECONNREFUSED", 0]);
  for (const promise of [socket.closed, read, write, close, writer.closed]) {
    assert.equal(await rejection(promise), error);
  }
  assert.equal(socket.signal.reason, error);
  await eventually(() => seen.length === 2, "two events");
  assert.deepEqual(events, [error, true]);
  assert.deepEqual(seen, ["error", "close"]);
  assert.deepEqual([socket.info.remote, socket.info.local, socket.stats.readyAt], [null, null, null]);
});

test("a name that does not exist is unresolvable", async (t) => {
  const socket = construct(t, { remote: { address: "nonexistent.invalid", port: 1 } });
  assert.equal((await rejection(socket.ready)).errorCode, "name-unresolvable");
});

test("local addresses that are taken or foreign have their own codes", async (t) => {
  const peer = await listen(t);
  const taken = await listen(t);
  const local = { address: "127.0.0.1", port: taken.remote.port };
  const inUse = await rejection(construct(t, { remote: peer.remote, local }).ready);
  assert.deepEqual([inUse.errorCode, inUse.systemCode], ["address-in-use", "EADDRINUSE"]);
  const foreign = await rejection(construct(t, { remote: peer.remote, local: { address: "192.0.2.1" } }).ready);
  assert.deepEqual([foreign.errorCode, foreign.systemCode], ["address-not-bindable", "EADDRNOTAVAIL"]);
});

test("of several attempts the last one names the failure and the aggregate is its cause", () => {
  const cause = new AggregateError([]);
  const error = failureOf({ phase: "connect", code: "EHOSTUNREACH", message: "no way", cause });
  assert.ok(error instanceof SocketError);
  assert.deepEqual(
    [error.errorCode, error.systemCode, error.message],
    ["remote-unreachable", "EHOSTUNREACH", "no way"],
  );
  assert.equal(error.cause, cause);
  assert.equal(Object.getOwnPropertyDescriptor(error, "cause")?.enumerable, false);
});

test("a name with two addresses that refuse gives the last one's code and the aggregate", async (t) => {
  const port = await refusingPort();
  // What a machine has for localhost differs, so the resolver is made to find two addresses.
  const addresses = [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ];
  t.mock.method(dns, "lookup", (/** @type {unknown[]} */ ...args) => {
    /** @type {Function} */ (args.at(-1))(null, addresses);
  });
  const socket = construct(t, { remote: { address: "two.invalid", port } });
  const error = await rejection(socket.ready);
  const [, last] = error.cause.errors;
  assert.equal(error.cause.errors.length, 2);
  assert.deepEqual([error.systemCode, error.message], [last.code, last.message]);
  assert.equal(error.errorCode, errorCodeOf("connect", last.code));
});

test("system codes are looked up by phase, exactly, then by beginning, then the rest", () => {
  assert.equal(errorCodeOf("connect", "EADDRNOTAVAIL"), "remote-unreachable");
  assert.equal(errorCodeOf("bind", "EADDRNOTAVAIL"), "address-not-bindable");
  assert.equal(errorCodeOf("established", "EPIPE"), "connection-reset");
  assert.equal(errorCodeOf("tls-handshake", "ERR_SSL_WRONG_VERSION_NUMBER"), "tls-handshake-failed");
  assert.equal(errorCodeOf("established", "EWHATEVER"), "unknown");
  assert.equal(errorCodeOf("connect", null), "unknown");
  assert.equal(errorCodeOf("connect", "constructor"), "unknown");
});

test("what the platform's policy forbids is no failure of the transport", () => {
  const error = failureOf({ phase: "connect", code: "ERR_ACCESS_DENIED", message: "", cause: null });
  assert.deepEqual([error.name, error instanceof SocketError], ["NotAllowedError", false]);
});

test("a reset fails an open socket, and the object is the same everywhere", async (t) => {
  const { socket, events, connection } = await connect(t);
  const read = socket.readable.getReader().read();
  connection.reset();
  const error = await rejection(socket.closed);
  assert.deepEqual([error.errorCode, error.systemCode], ["connection-reset", "ECONNRESET"]);
  assert.equal(await rejection(read), error);
  assert.equal(socket.signal.reason, error);
  await eventually(() => events.includes("close"), "close");
  assert.deepEqual(events, ["ready", "error", "close"]);
});

test("a reset fails a socket that has sent its FIN", async (t) => {
  const { socket, connection } = await connect(t);
  await socket.writable.close();
  await connection.receivesFin();
  connection.reset();
  assert.equal((await rejection(socket.closed)).errorCode, "connection-reset");
});

test("bytes that were received before a reset are read before the failure", async (t) => {
  const { socket, connection } = await connect(t);
  await connection.send("the answer");
  await eventually(() => socket.stats.bytesReceived === 10, "the answer arrives");
  connection.reset();
  const error = await rejection(socket.closed);
  assert.ok(socket.signal.aborted, "the signal does not wait for the reader");
  assert.equal(await rejection(socket.writable.getWriter().closed), error);
  const reader = socket.readable.getReader();
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), "the answer");
  assert.equal(await rejection(reader.read()), error);
  assert.equal(await rejection(reader.closed), error);
});

test("a BYOB reader gets the bytes before a reset, too, and so does a reader that came and went", async (t) => {
  const { socket, connection } = await connect(t);
  const idle = socket.readable.getReader();
  const given = rejection(idle.read());
  idle.releaseLock();
  assert.ok((await given) instanceof TypeError);
  await connection.send("0123456789");
  await eventually(() => socket.stats.bytesReceived === 10, "the bytes arrive");
  connection.reset();
  const error = await rejection(socket.closed);
  const reader = socket.readable.getReader({ mode: "byob" });
  let text = "";
  while (text.length < 10) {
    const { value } = await reader.read(new Uint8Array(4));
    text += Buffer.from(value ?? []).toString();
  }
  assert.equal(text, "0123456789");
  assert.equal(await rejection(reader.read(new Uint8Array(4))), error);
});

test("bytes wait in the kernel when a write is the first to notice a reset", async (t) => {
  // The reader is full, so that nothing is read any more, and only the write can find out.
  const { socket, connection } = await connect(t, { init: { receiveBufferSize: 1 } });
  // No more than fits into the kernel's buffer: what the peer's kernel still has when it resets is lost for good.
  const sent = Buffer.alloc(40_000, "z");
  await connection.send(sent);
  await eventually(() => socket.stats.bytesReceived > 0, "the first bytes arrive");
  connection.reset();
  const writer = socket.writable.getWriter();
  let failure;
  for (let tries = 0; tries < 1000 && failure === undefined; tries++) {
    failure = await Promise.race([
      writer.write(encode("x")).then(
        () => undefined,
        (error) => error,
      ),
      socket.closed.catch((error) => error),
    ]);
  }
  assert.equal(failure.errorCode, "connection-reset");
  assert.equal(await rejection(socket.closed), failure);
  let length = 0;
  const reader = socket.readable.getReader();
  const end = await rejection(
    (async () => {
      for (;;) length += (await reader.read()).value?.length ?? 0;
    })(),
  );
  assert.equal(end, failure);
  assert.equal(length, socket.stats.bytesReceived);
  assert.equal(length, sent.length);
});

test("a write to a peer that has gone rejects and fails the socket", async (t) => {
  const { socket, connection } = await connect(t);
  await connection.fin();
  connection.socket.destroy();
  const writer = socket.writable.getWriter();
  const failure = await rejection(
    (async () => {
      for (;;) await writer.write(encode("x"));
    })(),
  );
  assert.equal(failure.errorCode, "connection-reset");
  assert.equal(await rejection(socket.closed), failure);
});

test("a reset after the end changes nothing", async (t) => {
  const { socket, events, connection } = await connect(t);
  await socket.writable.close();
  await socket.readable.cancel();
  await socket.closed;
  connection.reset();
  await once(connection.socket, "close");
  await eventually(() => events.includes("close"), "close");
  assert.equal(socket.signal.aborted, false);
  assert.deepEqual(events, ["ready", "close"]);
});
