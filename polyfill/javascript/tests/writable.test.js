import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { connect, construct, encode, eventually, listen, rejection, settle, stateOf } from "./peer.js";

/** @param {any} writer @param {any} chunk */
const writeAny = (writer, chunk) => writer.write(chunk);

describe("chunks", () => {
  test("are any BufferSource, of which only the bytes of the view are sent", async (t) => {
    const { socket, connection } = await connect(t);
    const writer = socket.writable.getWriter();
    const buffer = encode("0123456789abcdef").buffer;
    await writer.write(buffer);
    await writer.write(new Uint8Array(buffer, 1, 2));
    await writer.write(new DataView(buffer, 3, 1));
    await writer.write(new Uint16Array(buffer, 4, 2));
    await writer.write(new Float64Array(buffer, 8, 1));
    await writer.write(Buffer.from("!"));
    await writer.write(new Uint8Array());
    await writer.write(new ArrayBuffer(0));
    await connection.receives("0123456789abcdef1234567" + "89abcdef!");
    assert.equal(socket.stats.bytesSent, 32);
    assert.equal(buffer.byteLength, 16, "nothing was detached");
  });

  test("whose buffer is detached write nothing", async (t) => {
    const { socket, connection } = await connect(t);
    const writer = socket.writable.getWriter();
    const chunk = encode("gone");
    structuredClone(chunk, { transfer: [chunk.buffer] });
    await writer.write(chunk);
    await writer.write(encode("here"));
    await connection.receives("here");
    assert.equal(socket.stats.bytesSent, 4);
  });

  const bad = {
    "a string": "text",
    undefined,
    null: null,
    "a number": 5,
    "an array": [1],
    "an object": { byteLength: 3 },
    "shared memory": new SharedArrayBuffer(4),
    "a view on shared memory": new Uint8Array(new SharedArrayBuffer(4)),
    "resizable memory": new ArrayBuffer(4, /** @type {any} */ ({ maxByteLength: 8 })),
    "a getter that throws": {
      get byteLength() {
        throw new Error("never read");
      },
    },
  };
  for (const [name, chunk] of Object.entries(bad)) {
    test(`that are ${name} fail the socket with the TypeError of the write`, async (t) => {
      const { socket, events, connection } = await connect(t);
      const writer = socket.writable.getWriter();
      await writer.write(encode("before"));
      await connection.receives("before");
      const error = await rejection(writeAny(writer, chunk));
      assert.ok(error instanceof TypeError);
      assert.equal(await rejection(socket.closed), error);
      assert.equal(await rejection(socket.readable.getReader().closed), error);
      assert.equal(socket.signal.reason, error);
      await connection.receivesReset();
      assert.equal(connection.text, "before");
      await eventually(() => events.includes("close"), "close fires");
      assert.deepEqual(events, ["ready", "error", "close"]);
    });
  }

  test("that are bad fail a socket that is still connecting", async (t) => {
    const peer = await listen(t);
    const socket = construct(t, { remote: peer.remote });
    const error = await rejection(writeAny(socket.writable.getWriter(), "text"));
    assert.equal(await rejection(socket.ready), error);
    assert.equal(await rejection(socket.closed), error);
  });
});

describe("memory", () => {
  // Timing decides whether a fault here shows, so all sizes are written often, and in bursts.
  for (const size of [1, 1000, 8192, 8193, 65536, 300_000, 2_500_000]) {
    test(`of ${size} bytes can be used again when its write has fulfilled`, async (t) => {
      const { socket, connection } = await connect(t, { reading: false });
      const writer = socket.writable.getWriter();
      const rounds = Math.min(3000, Math.ceil(12_000_000 / size));
      const hash = createHash("sha256");
      const chunk = new Uint8Array(size);
      const writing = (async () => {
        for (let round = 0; round < rounds; round++) {
          chunk.fill(round % 251);
          hash.update(chunk);
          await writer.write(chunk);
          chunk.fill(255);
          // Now and then Node calls back before the next write.
          if (round % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        await writer.close();
      })();
      await settle();
      connection.socket.resume();
      await writing;
      await connection.receivesFin();
      assert.equal(connection.length, rounds * size);
      assert.equal(createHash("sha256").update(connection.bytes).digest("hex"), hash.digest("hex"));
      assert.equal(socket.stats.bytesSent, rounds * size);
    });
  }

  test("of mixed sizes keeps its order", async (t) => {
    const { socket, connection } = await connect(t, { reading: false });
    const writer = socket.writable.getWriter();
    const sizes = [1, 5000, 70_000, 2, 0, 8192, 1_500_000, 3, 3, 3, 9000];
    const expected = [];
    for (let round = 0; round < 60; round++) {
      const chunk = new Uint8Array(sizes[round % sizes.length]).fill(round + 1);
      expected.push(chunk);
      if (Number(writer.desiredSize) <= 0) {
        connection.socket.resume();
        await writer.ready;
      }
      writer.write(chunk);
    }
    connection.socket.resume();
    await writer.close();
    await connection.receivesFin();
    assert.ok(connection.bytes.equals(Buffer.concat(expected)));
  });
});

describe("backpressure", () => {
  test("counts bytes from sendBufferSize down, and up again", async (t) => {
    const { socket, connection } = await connect(t, { init: { sendBufferSize: 1000 } });
    const writer = socket.writable.getWriter();
    assert.equal(writer.desiredSize, 1000);
    const writes = [writer.write(new Uint8Array(300)), writer.write(new Uint16Array(300))];
    assert.equal(writer.desiredSize, 100);
    writes.push(writer.write(new ArrayBuffer(100)));
    assert.equal(writer.desiredSize, 0);
    assert.equal(await stateOf(Promise.all(writes)), "fulfilled");
    await writer.ready;
    assert.equal(writer.desiredSize, 1000);
    await eventually(() => connection.length === 1000, "everything arrives");
  });

  test("stalls writes when the peer stalls, and goes on when it reads", async (t) => {
    const { socket, connection } = await connect(t, { reading: false });
    const writer = socket.writable.getWriter();
    let written = 0;
    let stalled = false;
    while (!stalled) {
      const write = writer.write(new Uint8Array(100_000));
      written += 100_000;
      await Promise.race([write, settle()]);
      stalled = (await stateOf(write)) === "pending";
    }
    assert.equal(await stateOf(writer.ready), "pending");
    assert.ok(/** @type {number} */ (writer.desiredSize) <= 0);
    assert.ok(socket.stats.bytesSent <= written - 100_000);
    connection.socket.resume();
    await writer.ready;
    await eventually(() => connection.length === written, "everything arrives");
    assert.equal(socket.stats.bytesSent, written);
  });

  test("lets the event loop turn, however fast the peer is", async (t) => {
    const { socket } = await connect(t);
    const writer = socket.writable.getWriter();
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    for (let written = 0; written < 100_000_000 && !turned; written += 65536) await writer.write(new Uint8Array(65536));
    assert.ok(turned);
  });
});

describe("the end", () => {
  test("is a FIN behind everything that was written", async (t) => {
    const { socket, connection } = await connect(t);
    const writer = socket.writable.getWriter();
    for (let index = 0; index < 10; index++) writer.write(encode(`${index}`));
    await writer.close();
    await connection.receivesFin();
    assert.equal(connection.text, "0123456789");
    assert.ok((await rejection(writer.write(encode("late")))) instanceof TypeError);
    assert.equal(await stateOf(socket.closed), "pending");
    assert.equal(socket.signal.aborted, false);
    await connection.send("answer");
    const reader = socket.readable.getReader();
    assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), "answer");
  });

  test("waits for the connection", async (t) => {
    const peer = await listen(t);
    const socket = construct(t, { remote: peer.remote });
    await socket.writable.close();
    await (await peer.accept()).receivesFin();
  });

  test("comes when the pipe into it ends, and the pipe's failure aborts the socket", async (t) => {
    const { socket, connection } = await connect(t);
    await new Blob(["piped"]).stream().pipeTo(socket.writable);
    await connection.receivesFin();
    assert.equal(connection.text, "piped");

    const second = await connect(t);
    const failure = new Error("upstream");
    const failing = new ReadableStream({ pull: (controller) => controller.error(failure) });
    assert.equal(await rejection(failing.pipeTo(second.socket.writable)), failure);
    assert.equal(await rejection(second.socket.closed), failure);
    await second.connection.receivesReset();
  });
});
