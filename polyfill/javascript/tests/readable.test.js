import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReceiveQueue } from "../src/core/receive-queue.js";
import { connect, construct, decode, encode, eventually, listen, rejection, settle, stateOf } from "./peer.js";

/** @param {ReadableStream<Uint8Array>} readable */
async function textOf(readable) {
  let text = "";
  for await (const chunk of readable) text += decode(chunk);
  return text;
}

/**
 * A pattern in which every byte says where it belongs.
 * @param {number} length
 */
function pattern(length) {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}

describe("reading", () => {
  test("delivers everything in order as Uint8Array, to for await, to pipeTo and to Response", async (t) => {
    const bytes = pattern(3_000_001);
    const collect = [
      async (/** @type {ReadableStream<Uint8Array>} */ readable) => {
        const chunks = [];
        for await (const chunk of readable) {
          assert.equal(Object.getPrototypeOf(chunk), Uint8Array.prototype);
          assert.notEqual(chunk.length, 0);
          chunks.push(chunk);
        }
        return Buffer.concat(chunks);
      },
      async (/** @type {ReadableStream<Uint8Array>} */ readable) => {
        /** @type {Uint8Array[]} */
        const chunks = [];
        const sink = {
          async write(/** @type {Uint8Array} */ chunk) {
            // Slower than the socket, so that receiving stops and resumes.
            await new Promise((resolve) => setImmediate(resolve));
            chunks.push(chunk);
          },
        };
        await readable.pipeTo(new WritableStream(sink));
        return Buffer.concat(chunks);
      },
      async (/** @type {ReadableStream} */ readable) => Buffer.from(await new Response(readable).arrayBuffer()),
    ];
    for (const take of collect) {
      const { socket, connection } = await connect(t);
      const taken = take(socket.readable);
      await connection.send(bytes);
      await connection.fin();
      assert.ok((await taken).equals(bytes));
    }
  });

  test("fills BYOB views in place, of any size and element type", async (t) => {
    const bytes = pattern(1_000_000);
    for (const size of [1000, 65536, 300_000]) {
      const { socket, connection } = await connect(t);
      const reader = socket.readable.getReader({ mode: "byob" });
      const sent = connection.send(bytes).then(() => connection.fin());
      const chunks = [];
      let buffer = new ArrayBuffer(size + 8);
      for (;;) {
        const { value, done } = await reader.read(new DataView(buffer, 4, size));
        assert.ok(value instanceof DataView);
        buffer = value.buffer;
        assert.equal(value.byteOffset, 4);
        if (done) break;
        chunks.push(Buffer.from(new Uint8Array(buffer, 4, value.byteLength)));
      }
      assert.ok(Buffer.concat(chunks).equals(bytes));
      await sent;
    }
  });

  test("answers many BYOB reads that wait", async (t) => {
    const { socket, connection } = await connect(t);
    const reader = socket.readable.getReader({ mode: "byob" });
    const reads = [3, 1, 4].map((length) => reader.read(new Uint8Array(length)));
    await connection.send("abcdefgh");
    const texts = (await Promise.all(reads)).map(({ value }) => decode(value));
    assert.deepEqual(texts, ["abc", "d", "efgh"]);
  });

  test("gives elements of several bytes whole, and what is left over to the next read", async (t) => {
    const { socket, connection } = await connect(t);
    const reader = socket.readable.getReader({ mode: "byob" });
    const read = reader.read(new Uint16Array(4));
    await connection.send("abc");
    assert.equal(decode((await read).value), "ab");
    assert.equal(decode((await reader.read(new Uint8Array(4))).value), "c");
    const half = reader.read(new Uint16Array(1));
    await connection.send("d");
    await eventually(() => socket.stats.bytesReceived === 4, "half an element arrives");
    await connection.fin();
    // "If firstPendingPullInto's bytes filled mod its element size is not 0, [...] throw a TypeError".
    assert.ok((await rejection(half)) instanceof TypeError);
    await socket.writable.close();
    assert.equal(await socket.closed, undefined);
  });

  test("ends BYOB reads with an empty view of the caller's memory", async (t) => {
    const { socket, connection } = await connect(t);
    const reader = socket.readable.getReader({ mode: "byob" });
    const read = reader.read(new Uint8Array(16));
    await connection.fin();
    const { value, done } = await read;
    assert.deepEqual([done, value?.byteLength, value?.buffer.byteLength], [true, 0, 16]);
  });

  test("keeps bytes for the next reader when one leaves that had asked for them", async (t) => {
    for (const mode of /** @type {const} */ ([undefined, "byob"])) {
      const { socket, connection } = await connect(t);
      if (mode) {
        const reader = socket.readable.getReader({ mode });
        const read = rejection(reader.read(new Uint8Array(4)));
        reader.releaseLock();
        assert.ok((await read) instanceof TypeError);
      } else {
        const reader = socket.readable.getReader();
        const read = rejection(reader.read());
        reader.releaseLock();
        assert.ok((await read) instanceof TypeError);
      }
      await connection.send("kept bytes");
      await eventually(() => socket.stats.bytesReceived === 10, "the bytes arrive");
      await connection.fin();
      assert.equal(await textOf(socket.readable), "kept bytes");
    }
  });

  test("works on both branches of a tee", async (t) => {
    const { socket, connection } = await connect(t);
    const branches = socket.readable.tee();
    await connection.send("twice");
    await connection.fin();
    assert.deepEqual(await Promise.all(branches.map(textOf)), ["twice", "twice"]);
  });
});

describe("the end", () => {
  test("is noticed without any read, and even without the stream", async (t) => {
    const { socket, events, connection } = await connect(t);
    await connection.fin();
    await eventually(() => events.includes("end"), "end fires");
    assert.equal(await stateOf(socket.closed), "pending");
    await socket.writable.close();
    assert.equal(await socket.closed, undefined);
    assert.deepEqual(await socket.readable.getReader().read(), { value: undefined, done: true });
  });

  test("is not there while bytes are unread", async (t) => {
    const { socket, events, connection } = await connect(t);
    await connection.send("unread");
    await connection.fin();
    await socket.writable.close();
    await eventually(() => socket.stats.bytesReceived === 6, "the bytes arrive");
    await settle();
    assert.equal(await stateOf(socket.closed), "pending");
    assert.deepEqual(events, ["ready"]);
    const reader = socket.readable.getReader();
    assert.equal(decode((await reader.read()).value), "unread");
    assert.equal((await reader.read()).done, true);
    await socket.closed;
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "end", "close"]);
  });
});

describe("backpressure", () => {
  test("stops receiving at receiveBufferSize and resumes", async (t) => {
    const bytes = pattern(20_000_000);
    const { socket, connection } = await connect(t, { init: { receiveBufferSize: 10_000 } });
    const sent = connection.send(bytes);
    await eventually(() => socket.stats.bytesReceived >= 10_000, "the buffer is full");
    await settle();
    assert.ok(socket.stats.bytesReceived < 10_000 + 65536, `${socket.stats.bytesReceived} bytes are unread`);
    assert.equal(await stateOf(sent), "pending");
    let delivered = 0;
    for await (const chunk of socket.readable) {
      assert.ok(bytes.subarray(delivered, delivered + chunk.length).equals(chunk));
      delivered += chunk.length;
      assert.ok(socket.stats.bytesReceived - delivered < 10_000 + 65536);
      if (delivered === bytes.length) break;
    }
    await sent;
    assert.equal(socket.stats.bytesReceived, bytes.length);
  });

  test("receives ahead of the reader up to receiveBufferSize", async (t) => {
    const { socket, connection } = await connect(t, { init: { receiveBufferSize: 500_000 } });
    const sent = connection.send(Buffer.alloc(400_000));
    await eventually(() => socket.stats.bytesReceived === 400_000, "everything is received though nobody reads");
    await sent;
  });
});

describe("cancelling", () => {
  test("puts nothing on the wire, discards what comes, and leaves writable alone", async (t) => {
    const { socket, events, connection } = await connect(t, { init: { receiveBufferSize: 1000 } });
    await connection.send("dropped");
    await eventually(() => socket.stats.bytesReceived === 7, "some bytes arrive");
    const reader = socket.readable.getReader();
    await reader.cancel("enough");
    assert.equal((await reader.read()).done, true);
    await connection.send(Buffer.alloc(5_000_000));
    await eventually(() => socket.stats.bytesReceived === 5_000_007, "what comes later is taken in");
    const writer = socket.writable.getWriter();
    await writer.write(encode("still here"));
    await connection.receives("still here");
    assert.equal(connection.ended, false);
    await connection.fin();
    await eventually(() => events.includes("end"), "end fires");
    assert.equal(await stateOf(socket.closed), "pending");
    await writer.close();
    await socket.closed;
    assert.equal(socket.signal.aborted, false);
  });

  test("then closing writable closes the socket without waiting for the peer", async (t) => {
    const { socket, events, connection } = await connect(t);
    await socket.readable.cancel();
    await socket.writable.close();
    await socket.closed;
    await connection.receivesFin();
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "close"]);
  });

  test("does not let a reset destroy the last bytes that were written", async (t) => {
    const { socket, connection } = await connect(t, { reading: false });
    await connection.send(Buffer.alloc(100_000));
    await socket.readable.cancel();
    const writer = socket.writable.getWriter();
    await writer.write(encode("the last words"));
    await writer.close();
    await socket.closed;
    // The peer sends into the closed socket, and only then reads.
    await connection.send(Buffer.alloc(100_000));
    connection.socket.resume();
    await connection.receivesFin();
    assert.deepEqual([connection.text, connection.error], ["the last words", null]);
  });

  test("delivers a FIN that waits behind unread bytes", async (t) => {
    const { socket, events, connection } = await connect(t);
    await connection.send("unread");
    await connection.fin();
    await eventually(() => socket.stats.bytesReceived === 6, "the bytes arrive");
    await settle();
    await socket.readable.cancel();
    await eventually(() => events.includes("end"), "end fires");
    await socket.writable.close();
    await socket.closed;
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "end", "close"]);
  });

  test("while connecting does not disturb the connection", async (t) => {
    const peer = await listen(t);
    const socket = construct(t, { remote: peer.remote });
    await socket.readable.cancel();
    await socket.ready;
    const connection = await peer.accept();
    await connection.send("nobody listens");
    await eventually(() => socket.stats.bytesReceived === 14, "the bytes are thrown away");
    await socket.writable.close();
    await socket.closed;
  });

  test("is what break in a loop does", async (t) => {
    const { socket, connection } = await connect(t);
    await connection.send("one");
    for await (const chunk of socket.readable) {
      assert.equal(decode(chunk), "one");
      break;
    }
    await socket.writable.getWriter().write(encode("two"));
    await connection.receives("two");
  });

  test("after the end does nothing", async (t) => {
    const { socket, connection } = await connect(t);
    await connection.fin();
    assert.equal(await textOf(socket.readable), "");
    await socket.readable.cancel();
    assert.equal(await stateOf(socket.closed), "pending");
  });
});

describe("the receive queue", () => {
  test("copies small pieces together and hands over large ones", () => {
    const queue = new ReceiveQueue();
    const scratch = encode("abc");
    queue.append(scratch);
    scratch.fill(0);
    queue.append(encode("def"));
    const large = new Uint8Array(100_000).fill(1);
    queue.adopt(large);
    queue.append(encode("ghi"));
    assert.equal(queue.size, 100_009);
    const target = new Uint8Array(4);
    assert.equal(queue.fill(target), 4);
    assert.equal(decode(target), "abcd");
    assert.equal(decode(queue.shift()), "ef");
    assert.equal(queue.shift().buffer, large.buffer);
    assert.equal(queue.fill(target), 3);
    assert.equal(decode(target.subarray(0, 3)), "ghi");
    assert.equal(queue.fill(target), 0);
    queue.append(encode("x"));
    queue.clear();
    assert.equal(queue.size, 0);
  });
});
