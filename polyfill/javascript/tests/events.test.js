import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketError, SocketErrorEvent } from "../src/index.js";
import { connect, construct, eventsOf, eventually, listen, refusingPort, stateOf } from "./peer.js";

test("each event fires once, in its order, at the socket", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote });
  /** @type {Event[]} */
  const events = [];
  for (const type of ["ready", "end", "error", "close", "data"]) socket.addEventListener(type, (e) => events.push(e));
  const connection = await peer.accept();
  await connection.send("x");
  await connection.fin();
  assert.equal(await new Response(socket.readable).text(), "x");
  await socket.writable.close();
  await eventually(() => events.length === 3, "three events");
  assert.deepEqual(
    events.map(({ type }) => type),
    ["ready", "end", "close"],
  );
  for (const event of events) {
    assert.equal(Object.getPrototypeOf(event), Event.prototype);
    assert.deepEqual([event.target, event.bubbles, event.cancelable, event.composed], [socket, false, false, false]);
  }
});

test("a listener that is added right after construction misses nothing", async (t) => {
  const port = await refusingPort();
  for (const address of ["127.0.0.1", "localhost"]) {
    const socket = construct(t, { remote: { address, port } });
    const event = await new Promise((resolve) => socket.addEventListener("error", resolve));
    assert.ok(event instanceof SocketErrorEvent);
    assert.ok(event.error instanceof SocketError);
    assert.deepEqual([event.fatal, event.error.errorCode], [true, "connection-refused"]);
  }
});

test("closed has settled when close fires, and nothing fires after it", async (t) => {
  const { socket, events } = await connect(t);
  const state = new Promise((resolve) => {
    socket.onclose = () => resolve(stateOf(socket.closed));
  });
  socket.abort();
  assert.equal(await state, "rejected");
  assert.deepEqual(events, ["ready", "close"]);
});

test("events that a script dispatches change nothing", async (t) => {
  const { socket, events } = await connect(t);
  await eventually(() => events.length === 1, "ready fires");
  for (const type of ["ready", "end", "close"]) socket.dispatchEvent(new Event(type));
  socket.dispatchEvent(new SocketErrorEvent("error", { error: new Error("made up") }));
  assert.deepEqual(events, ["ready", "ready", "end", "close", "error"]);
  assert.equal(await stateOf(socket.closed), "pending");
  assert.equal(socket.signal.aborted, false);
});

test("events of a connection that fails at once still come in order", async (t) => {
  const { socket, events, peer } = await connect(t);
  const other = construct(t, { remote: peer.remote });
  const seen = eventsOf(other);
  await other.ready;
  // The ready event is queued and not dispatched yet.
  other.abort();
  await eventually(() => seen.length === 2, "two events");
  assert.deepEqual(seen, ["ready", "close"]);
  assert.equal(events.includes("close"), false);
  await socket.abort();
});
