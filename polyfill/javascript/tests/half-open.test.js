import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect, encode, eventually, rejection, settle, stateOf } from "./peer.js";

describe("by default", () => {
  test("the peer's FIN ends only readable", async (t) => {
    const { socket, connection } = await connect(t);
    await connection.fin();
    assert.equal((await socket.readable.getReader().read()).done, true);
    const writer = socket.writable.getWriter();
    await writer.write(encode("after your FIN"));
    await connection.receives("after your FIN");
    assert.equal(await stateOf(socket.closed), "pending");
    await writer.close();
    assert.equal(await socket.closed, undefined);
    await connection.receivesFin();
  });

  test("an own FIN ends only writable", async (t) => {
    const { socket, connection } = await connect(t);
    await socket.writable.close();
    await connection.receivesFin();
    await connection.send("after your FIN");
    await connection.fin();
    assert.equal(await new Response(socket.readable).text(), "after your FIN");
    assert.equal(await socket.closed, undefined);
  });
});

describe("with allowHalfOpen false", () => {
  const init = { allowHalfOpen: false };

  test("a FIN is answered once it is delivered", async (t) => {
    const { socket, events, connection } = await connect(t, { init });
    await connection.send("first");
    await connection.fin();
    await eventually(() => socket.stats.bytesReceived === 5, "the bytes arrive");
    await settle();
    assert.equal(connection.ended, false);
    assert.equal(await new Response(socket.readable).text(), "first");
    await connection.receivesFin();
    assert.equal(await socket.closed, undefined);
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "end", "close"]);
    assert.ok((await rejection(socket.writable.getWriter().write(encode("late")))) instanceof TypeError);
  });

  test("queued writes go out before the FIN, and later ones reject, though the writer is locked", async (t) => {
    const { socket, connection } = await connect(t, { init, reading: false });
    const writer = socket.writable.getWriter();
    const chunk = new Uint8Array(4_000_000).fill(1);
    const queued = [writer.write(chunk), writer.write(chunk), writer.write(encode("last"))];
    await connection.fin();
    assert.equal((await socket.readable.getReader().read()).done, true);
    const late = rejection(writer.write(encode("late")));
    connection.socket.resume();
    await Promise.all(queued);
    await connection.receivesFin();
    assert.equal(connection.length, 8_000_004);
    assert.ok((await late) instanceof TypeError);
    assert.ok((await rejection(writer.closed)) instanceof TypeError);
    assert.equal(await socket.closed, undefined);
    assert.equal(socket.signal.aborted, false);
  });

  test("queued writes go out before the FIN when the stream is not locked", async (t) => {
    const { socket, connection } = await connect(t, { init, reading: false });
    const writer = socket.writable.getWriter();
    writer.write(new Uint8Array(4_000_000));
    writer.releaseLock();
    await connection.fin();
    connection.socket.resume();
    await socket.closed;
    await connection.receivesFin();
    assert.equal(connection.length, 4_000_000);
  });

  test("a writer that is closing already is left to it", async (t) => {
    const { socket, connection } = await connect(t, { init, reading: false });
    const writer = socket.writable.getWriter();
    writer.write(new Uint8Array(4_000_000));
    const closed = writer.close();
    await connection.fin();
    connection.socket.resume();
    await closed;
    await socket.closed;
    await connection.receivesFin();
    assert.equal(connection.length, 4_000_000);
  });

  test("an own FIN leaves readable open", async (t) => {
    const { socket, connection } = await connect(t, { init });
    await socket.writable.close();
    await connection.receivesFin();
    await connection.send("still");
    await connection.fin();
    assert.equal(await new Response(socket.readable).text(), "still");
    assert.equal(await socket.closed, undefined);
  });

  test("a FIN after cancelling is answered, too", async (t) => {
    const { socket, connection } = await connect(t, { init });
    await socket.readable.cancel();
    await connection.fin();
    await connection.receivesFin();
    assert.equal(await socket.closed, undefined);
  });
});
