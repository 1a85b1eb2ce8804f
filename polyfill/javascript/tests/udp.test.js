import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Socket, SocketError, SocketListener } from "../src/index.js";
import { construct, decode, encode, eventsOf, eventually, rejection, settle, stateOf } from "./peer.js";

/**
 * @typedef {import("node:test").TestContext} TestContext
 * @typedef {{address: string, port: number}} Endpoint
 */

/** The other end: a plain dgram socket on loopback that tells what it saw. */
class Peer {
  /** @type {{text: string, size: number, source: Endpoint}[]} */
  received = [];

  #taken = 0;

  /** @param {dgram.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    socket.on("message", (message, { address, port }) => {
      this.received.push({ text: message.toString(), size: message.length, source: { address, port } });
    });
  }

  get remote() {
    const { address, port } = this.socket.address();
    return { address, port };
  }

  /** @returns {Promise<{text: string, size: number, source: Endpoint}>} */
  async next() {
    const index = this.#taken++;
    await eventually(() => this.received.length > index, "the peer receives a datagram");
    return this.received[index];
  }

  /**
   * @param {string | Uint8Array} data
   * @param {Endpoint | null} to
   */
  async send(data, to) {
    const { address, port } = /** @type {Endpoint} */ (to);
    await new Promise((resolve) => this.socket.send(data, port, address, resolve));
  }
}

/**
 * @param {TestContext} t
 * @param {string} [address]
 */
async function open(t, address = "127.0.0.1") {
  const socket = dgram.createSocket(address.includes(":") ? "udp6" : "udp4");
  t.after(() => socket.close());
  socket.bind(0, address);
  await once(socket, "listening");
  return new Peer(socket);
}

/**
 * @param {TestContext} t
 * @param {any} [init]
 */
async function connect(t, init = {}) {
  const peer = await open(t);
  const socket = construct(t, { type: "udp", remote: peer.remote, ...init });
  const events = eventsOf(socket);
  await socket.ready;
  const reader = socket.readable.getReader();
  const writer = socket.writable.getWriter();
  return { peer, socket, events, reader, writer, local: socket.info.local };
}

/**
 * @param {TestContext} t
 * @param {any} [init]
 */
async function bind(t, init = {}) {
  const socket = construct(t, { type: "udp", local: { address: "127.0.0.1" }, ...init });
  await socket.ready;
  const reader = /** @type {ReadableStreamDefaultReader<any>} */ (socket.readable.getReader());
  return { socket, reader, writer: socket.writable.getWriter(), local: socket.info.local };
}

/**
 * @param {TestContext} t
 * @param {any} [init]
 */
async function serve(t, init = {}) {
  const listener = new SocketListener({ type: "udp", local: { address: "127.0.0.1" }, ...init });
  /** @type {Socket[]} */
  const sockets = [];
  listener.addEventListener("connect", (/** @type {any} */ { socket }) => sockets.push(socket));
  t.after(() => {
    for (const socket of sockets) socket.abort();
    listener.close();
  });
  await listener.ready;
  const accepted = async () => {
    await eventually(() => sockets.length > 0, "a connect event fires");
    return /** @type {Socket} */ (sockets.shift());
  };
  return { listener, sockets, accepted, local: listener.info.local };
}

/** @param {Socket} socket */
const counters = ({ stats }) => {
  const { packetsSent, packetsReceived, packetsDropped, bytesSent, bytesReceived } = stats;
  return { packetsSent, packetsReceived, packetsDropped, bytesSent, bytesReceived };
};

describe("a connected udp socket", () => {
  test("exchanges datagrams as bytes, each whole and by itself, and counts them", async (t) => {
    const { peer, socket, events, reader, writer, local } = await connect(t);
    assert.deepEqual(socket.info.remote?.toJSON(), peer.remote);
    assert.deepEqual([socket.info.type, local?.address], ["udp", "127.0.0.1"]);
    for (const size of [3, 0, 65_507]) {
      await writer.write(new Uint8Array(size).fill(120));
      const { size: received, source } = await peer.next();
      assert.deepEqual([received, source], [size, local?.toJSON()]);
      await peer.send(new Uint8Array(size).fill(121), source);
      const { value } = await reader.read();
      assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype);
      assert.deepEqual(
        [value?.length, value?.buffer.byteLength, value?.every((/** @type {number} */ byte) => byte === 121)],
        [size, size, true],
      );
    }
    assert.deepEqual(counters(socket), {
      packetsSent: 3,
      packetsReceived: 3,
      packetsDropped: 0,
      bytesSent: 65_510,
      bytesReceived: 65_510,
    });
    assert.deepEqual(events, ["ready"]);
  });

  test("has a default stream, which gives no BYOB reader", async (t) => {
    const { reader, socket } = await connect(t);
    reader.releaseLock();
    assert.throws(() => socket.readable.getReader({ mode: "byob" }), TypeError);
  });

  test("sends what was written before it was ready, and is ready without a packet", async (t) => {
    const peer = await open(t);
    const socket = construct(t, { type: "udp", remote: peer.remote });
    const writer = socket.writable.getWriter();
    assert.equal(writer.desiredSize, 65536);
    const writes = ["early", "", "bird"].map((text) => writer.write(encode(text)));
    assert.equal(writer.desiredSize, 65536 - 9);
    await socket.ready;
    await Promise.all(writes);
    for (const text of ["early", "", "bird"]) assert.equal((await peer.next()).text, text);

    const silent = construct(t, { type: "udp", remote: peer.remote });
    await silent.ready;
    await settle();
    assert.equal(peer.received.length, 3);
  });

  test("delivers nothing from other sources, not even what came before it was connected", async (t) => {
    const [peer, stranger] = [await open(t), await open(t)];
    const { port } = (await open(t)).remote;
    const local = { address: "127.0.0.1", port: port ^ 1 };
    const socket = construct(t, { type: "udp", remote: peer.remote, local });
    const storm = setInterval(() => stranger.socket.send("strange", local.port, local.address), 0);
    t.after(() => clearInterval(storm));
    await socket.ready;
    await settle();
    await peer.send("known", local);
    assert.equal(decode((await socket.readable.getReader().read()).value), "known");
    assert.equal(socket.stats.packetsReceived, 1);
  });

  test("takes names and IPv6 addresses for remote ends", async (t) => {
    const peer = await open(t, "::1");
    const socket = construct(t, { type: "udp", remote: { address: "[::1]", port: peer.remote.port } });
    await socket.writable.getWriter().write(encode("six"));
    const { text, source } = await peer.next();
    assert.equal(text, "six");
    await peer.send("back", source);
    assert.equal(decode((await socket.readable.getReader().read()).value), "back");
    assert.equal(socket.info.remote?.address, "::1");

    const four = await open(t);
    const local = { address: "127.0.0.1" };
    const named = construct(t, { type: "udp", local, remote: { address: "localhost", port: four.remote.port } });
    await named.writable.getWriter().write(encode("by name"));
    assert.equal((await four.next()).text, "by name");
    assert.equal(named.info.remote?.address, "127.0.0.1");
  });

  test("fails where it cannot be made", async (t) => {
    const peer = await open(t);
    for (const [init, errorCode] of /** @type {[any, string][]} */ ([
      [{ remote: { address: "nowhere.invalid", port: 1 } }, "name-unresolvable"],
      [{ remote: peer.remote, local: peer.remote }, "address-in-use"],
      [{ remote: peer.remote, local: { address: "192.0.2.1" } }, "address-not-bindable"],
      [{ local: peer.remote }, "address-in-use"],
    ])) {
      const socket = construct(t, { type: "udp", ...init });
      const events = eventsOf(socket);
      const error = await rejection(socket.ready);
      assert.ok(error instanceof SocketError);
      assert.equal(error.errorCode, errorCode);
      assert.equal(await rejection(socket.closed), error);
      assert.equal(await rejection(socket.readable.getReader().read()), error);
      await eventually(() => events.includes("close"), "close fires");
      assert.deepEqual(events, ["error", "close"]);
      await socket.abort();
    }
  });

  test("is refused what makes no sense", () => {
    const remote = { address: "127.0.0.1", port: 1 };
    assert.throws(() => new Socket(/** @type {any} */ ({ type: "udp" })), TypeError);
    assert.throws(() => new Socket({ type: "udp", remote, tls: {} }), TypeError);
    assert.throws(() => new Socket(/** @type {any} */ ({ type: "udp", remote: { ...remote, port: 0 } })), TypeError);
  });

  test("is aborted by a chunk that is no buffer", async (t) => {
    const { socket, events, writer, peer } = await connect(t);
    const error = await rejection(writer.write(/** @type {any} */ ({ data: encode("x"), remote: peer.remote })));
    assert.ok(error instanceof TypeError);
    assert.equal(await rejection(socket.closed), error);
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "error", "close"]);
    assert.equal(peer.received.length, 0);
  });

  test("copies a chunk before its write fulfils", async (t) => {
    const { peer, writer } = await connect(t);
    const chunk = new Uint8Array(1000);
    for (let round = 0; round < 50; round++) {
      await writer.write(chunk.fill(round));
      chunk.fill(255);
    }
    for (let round = 0; round < 50; round++) {
      const { text } = await peer.next();
      assert.equal(text, String.fromCharCode(round).repeat(1000));
    }
  });

  test("takes a new limit, idle time and ttl, and none of the options of connections", async (t) => {
    const { peer, socket, writer, reader, local } = await connect(t);
    await socket.update({ sendBufferSize: 1000, receiveBufferSize: 500_000, ttl: 9 });
    assert.equal(writer.desiredSize, 1000);
    for (const change of [{ noDelay: true }, { keepAliveDelay: 1000 }, { allowHalfOpen: false, ttl: 7 }]) {
      assert.equal((await rejection(socket.update(change))).name, "NotSupportedError");
    }
    assert.equal(
      (await rejection(socket.update({ remote: { address: "127.0.0.1", port: 1 } }))).name,
      "InvalidModificationError",
    );
    await peer.send("x", local);
    await reader.read();
    await socket.update({ idleTimeout: 20 });
    assert.equal((await rejection(socket.closed)).name, "TimeoutError");
  });
});

describe("the receive queue", () => {
  test("drops the datagram that does not fit, keeps one always, and counts", async (t) => {
    const { peer, socket, reader, local } = await connect(t, { receiveBufferSize: 10 });
    const arrives = async (/** @type {string} */ text) => {
      const before = Number(socket.stats.packetsReceived) + Number(socket.stats.packetsDropped);
      await peer.send(text, local);
      const now = () => Number(socket.stats.packetsReceived) + Number(socket.stats.packetsDropped);
      await eventually(() => now() > before, "a datagram arrives");
    };
    for (const text of ["0123456", "789ab", "", "xyz", "!"]) await arrives(text);
    assert.equal(socket.stats.packetsDropped, 2);
    for (const text of ["0123456", "", "xyz"]) assert.equal(decode((await reader.read()).value), text);
    for (const text of ["larger than the queue", "one more"]) await arrives(text);
    assert.equal(decode((await reader.read()).value), "larger than the queue");
    assert.equal(socket.stats.packetsDropped, 3);
    assert.equal(socket.stats.packetsReceived, 4);
  });

  test("bounds datagrams without bytes, too", async (t) => {
    const { peer, socket, local } = await connect(t, { receiveBufferSize: 1 });
    const total = () => Number(socket.stats.packetsReceived) + Number(socket.stats.packetsDropped);
    for (let count = 0; count < 1100; count += 50) {
      for (let each = 0; each < 50; each++) await peer.send("", local);
      await eventually(() => total() === count + 50, "datagrams arrive");
    }
    assert.equal(socket.stats.packetsReceived, 1024);
  });

  test("keeps datagrams in order across readers that leave and pending reads", async (t) => {
    const { peer, socket, reader, local } = await connect(t);
    const left = rejection(reader.read());
    reader.releaseLock();
    assert.ok((await left) instanceof TypeError);
    for (const text of ["one", "two", "three", "four"]) await peer.send(text, local);
    await eventually(() => socket.stats.packetsReceived === 4, "datagrams arrive");
    const seen = [];
    for await (const chunk of socket.readable) if (seen.push(decode(chunk)) === 4) break;
    assert.deepEqual(seen, ["one", "two", "three", "four"]);
  });
});

describe("soft errors", () => {
  test("tell of a datagram that is too large, which is dropped", async (t) => {
    const { peer, socket, writer, local } = await connect(t);
    /** @type {any[]} */
    const errors = [];
    socket.onerror = (/** @type {any} */ event) => errors.push(event);
    const chunks = [encode("before"), new Uint8Array(65_508), new Uint8Array(200_000), encode("after")];
    await Promise.all(chunks.map((chunk) => writer.write(chunk)));
    for (const text of ["before", "after"]) assert.equal((await peer.next()).text, text);
    await eventually(() => errors.length === 2, "error events fire");
    for (const { error, fatal } of errors) {
      assert.ok(error instanceof SocketError);
      assert.deepEqual([fatal, error.systemCode], [false, "EMSGSIZE"]);
    }
    assert.deepEqual([counters(socket).packetsSent, counters(socket).packetsDropped], [2, 2]);
    assert.equal(await stateOf(socket.closed), "pending");
    assert.equal(socket.signal.aborted, false);
    assert.notEqual(local, null);
  });

  test("of a port where nobody is leave the socket as it was", async (t) => {
    const gone = await open(t);
    const { remote } = gone;
    const socket = construct(t, { type: "udp", remote });
    await socket.ready;
    gone.socket.close();
    t.mock.method(gone.socket, "close", () => {});
    /** @type {any[]} */
    const errors = [];
    socket.onerror = (/** @type {any} */ event) => errors.push(event);
    const writer = socket.writable.getWriter();
    const read = socket.readable.getReader().read();
    for (let round = 0; round < 3; round++) {
      await writer.write(encode("anybody?"));
      await settle();
    }
    assert.ok(errors.every(({ fatal, error }) => fatal === false && error.errorCode === "connection-refused"));
    assert.equal(await stateOf(read), "pending");
    assert.equal(await stateOf(socket.closed), "pending");
    assert.equal(Number(counters(socket).packetsSent) + Number(counters(socket).packetsDropped), 3);
  });
});

describe("the end of a udp socket", () => {
  test("comes when writable is closed and readable cancelled, in either order, without a packet", async (t) => {
    for (const first of ["close", "cancel"]) {
      const { peer, socket, events, reader, writer, local } = await connect(t);
      await writer.write(encode("last"));
      await (first === "close" ? writer.close() : reader.cancel());
      await peer.send("late", local);
      if (first === "close") assert.equal(decode((await reader.read()).value), "late");
      assert.equal(await stateOf(socket.closed), "pending");
      await (first === "close" ? reader.cancel() : writer.close());
      assert.equal(await socket.closed, undefined);
      await eventually(() => events.includes("close"), "close fires");
      assert.deepEqual(events, ["ready", "close"]);
      assert.equal(socket.signal.aborted, false);
      assert.deepEqual(
        peer.received.map(({ text }) => text),
        ["last"],
      );
    }
  });

  test("may wait for the connection", async (t) => {
    const peer = await open(t);
    const socket = construct(t, { type: "udp", remote: peer.remote });
    const writer = socket.writable.getWriter();
    const write = writer.write(encode("only"));
    const closed = writer.close();
    await socket.readable.cancel();
    await Promise.all([write, closed, socket.ready, socket.closed]);
    assert.equal((await peer.next()).text, "only");
  });

  test("of the write side throws away what is queued, and nothing else, when writable is aborted", async (t) => {
    const { peer, socket, events, reader, writer, local } = await connect(t);
    const writes = ["a", "b", "c"].map((text) => writer.write(encode(text)));
    const outcomes = Promise.allSettled(writes);
    await writer.abort("enough");
    const [, ...queued] = await outcomes;
    for (const outcome of queued) assert.deepEqual(outcome, { status: "rejected", reason: "enough" });
    assert.equal(socket.signal.aborted, false);
    await peer.send("still read", local);
    assert.equal(decode((await reader.read()).value), "still read");
    await reader.cancel();
    assert.equal(await socket.closed, undefined);
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "close"]);

    const early = construct(t, { type: "udp", remote: peer.remote });
    const writer2 = early.writable.getWriter();
    const write = rejection(writer2.write(encode("never")));
    await writer2.abort("stop");
    assert.equal(await write, "stop");
    assert.equal(await early.ready, undefined);
    const late = construct(t, { type: "udp", remote: peer.remote });
    await late.writable.abort("never mind");
    assert.equal(await late.ready, undefined);
    assert.equal(await stateOf(late.closed), "pending");
    await late.readable.cancel();
    assert.equal(await late.closed, undefined);
    await settle();
    assert.ok(peer.received.length <= 1);
  });

  test("comes at once by abort()", async (t) => {
    const { peer, socket, events, reader, writer, local } = await connect(t);
    await peer.send("unread", local);
    await eventually(() => socket.stats.packetsReceived === 1, "a datagram arrives");
    const aborted = socket.abort("why");
    assert.equal(socket.signal.reason, "why");
    await aborted;
    for (const promise of [reader.read(), writer.closed, socket.closed]) assert.equal(await rejection(promise), "why");
    const again = dgram.createSocket("udp4").bind(local?.port, "127.0.0.1");
    await once(again, "listening");
    again.close();
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["ready", "close"]);

    const connecting = construct(t, { type: "udp", remote: { address: "localhost", port: 9 } });
    await connecting.abort("changed my mind");
    assert.equal(await rejection(connecting.ready), "changed my mind");
  });

  test("comes behind what is queued when it is disposed of", async (t) => {
    const { peer, socket, writer } = await connect(t);
    const writes = ["x", "y", "z"].map((text) => writer.write(encode(text)));
    const dispose = /** @type {any} */ (Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose"));
    assert.equal(await /** @type {any} */ (socket)[dispose](), undefined);
    await Promise.all(writes);
    for (const text of ["x", "y", "z"]) assert.equal((await peer.next()).text, text);
    assert.equal(await socket.closed, undefined);
  });
});

describe("a bound udp socket", () => {
  test("exchanges datagrams with anybody, each with its remote end", async (t) => {
    const { socket, reader, writer, local } = await bind(t);
    assert.equal(socket.info.remote, null);
    for (const peer of [await open(t), await open(t)]) {
      await peer.send("question", local);
      const { value } = await reader.read();
      assert.deepEqual(Object.keys(value), ["data", "remote"]);
      assert.deepEqual([decode(value.data), value.remote], ["question", peer.remote]);
      await writer.write(value);
      assert.deepEqual(await peer.next(), { text: "question", size: 8, source: local?.toJSON() });
      await writer.write({ data: encode("by name").buffer, remote: { address: "localhost", port: peer.remote.port } });
      assert.equal((await peer.next()).text, "by name");
    }
    assert.deepEqual([socket.stats.packetsSent, socket.stats.packetsReceived], [4, 2]);
  });

  test("is bound to both families if no address is given, and spells each as its own", async (t) => {
    const { reader, writer, local } = await bind(t, { local: {} });
    for (const address of ["127.0.0.1", "::1"]) {
      const peer = await open(t, address);
      await peer.send("hello", { address, port: /** @type {Endpoint} */ (local).port });
      const { value } = await reader.read();
      assert.deepEqual(value.remote, peer.remote);
      await writer.write(value);
      assert.equal((await peer.next()).text, "hello");
    }
  });

  test("is aborted by what is no datagram with a remote end", async (t) => {
    const remote = { address: "127.0.0.1", port: 9 };
    for (const chunk of [
      encode("plain"),
      { data: encode("x") },
      { data: "text", remote },
      { data: encode("x"), remote: { ...remote, port: 0 } },
      { data: encode("x"), remote: { ...remote, address: "not a host" } },
      {
        get data() {
          throw new TypeError("a getter");
        },
      },
      null,
    ]) {
      const { socket, writer } = await bind(t);
      const error = await rejection(writer.write(/** @type {any} */ (chunk)));
      assert.ok(error instanceof TypeError);
      assert.equal(await rejection(socket.closed), error);
    }
  });

  test("reads each member of a chunk once, when it is written", async (t) => {
    const peer = await open(t);
    const { writer } = await bind(t);
    /** @type {string[]} */
    const read = [];
    const chunk = {
      get remote() {
        read.push("remote");
        return peer.remote;
      },
      get data() {
        read.push("data");
        return encode("once");
      },
    };
    const writes = [writer.write(chunk), writer.write(chunk)];
    assert.deepEqual(read, ["data", "remote", "data", "remote"]);
    await Promise.all(writes);
    assert.equal((await peer.next()).text, "once");
  });

  test("drops what it cannot send to a remote end, with a soft error", async (t) => {
    const { socket, writer } = await bind(t);
    const failed = new Promise((resolve) => socket.addEventListener("error", resolve));
    await writer.write({ data: encode("x"), remote: { address: "nowhere.invalid", port: 9 } });
    const { fatal, error } = await failed;
    assert.deepEqual([fatal, error.name, error.systemCode], [false, "SocketError", "ENOTFOUND"]);
    assert.deepEqual([socket.stats.packetsSent, socket.stats.packetsDropped], [0, 1]);
  });
});

describe("a udp listener", () => {
  test("brings each source as a flow, with its first datagram in it", async (t) => {
    const { listener, accepted, sockets, local } = await serve(t);
    assert.equal(listener.info.type, "udp");
    const peers = [await open(t), await open(t)];
    const flows = [];
    for (const [index, peer] of peers.entries()) {
      await peer.send(`first of ${index}`, local);
      const flow = await accepted();
      flows.push(flow);
      assert.equal(await stateOf(flow.ready), "fulfilled");
      assert.deepEqual([flow.info.remote?.toJSON(), flow.info.local?.toJSON()], [peer.remote, local?.toJSON()]);
    }
    for (const [index, peer] of peers.entries()) await peer.send(`second of ${index}`, local);
    for (const [index, flow] of flows.entries()) {
      const reader = flow.readable.getReader();
      assert.equal(decode((await reader.read()).value), `first of ${index}`);
      assert.equal(decode((await reader.read()).value), `second of ${index}`);
      const writer = flow.writable.getWriter();
      await writer.write(encode("answer"));
      assert.deepEqual(await peers[index].next(), { text: "answer", size: 6, source: local?.toJSON() });
      assert.deepEqual([flow.stats.packetsReceived, flow.stats.packetsSent], [2, 1]);
    }
    assert.equal(sockets.length, 0);
  });

  test("has flows with queues and options of their own", async (t) => {
    const { accepted, local } = await serve(t, { accept: { receiveBufferSize: 5, sendBufferSize: 77 } });
    const [peer, other] = [await open(t), await open(t)];
    for (const text of ["12345", "6"]) await peer.send(text, local);
    const full = await accepted();
    await eventually(() => full.stats.packetsDropped === 1, "a datagram is dropped");
    await other.send("12345", local);
    const roomy = await accepted();
    await roomy.update({ receiveBufferSize: 10 });
    await other.send("6789", local);
    await eventually(() => roomy.stats.packetsReceived === 2, "datagrams arrive");
    await peer.send("7", local);
    await eventually(() => full.stats.packetsDropped === 2, "another one is dropped");
    assert.equal(full.writable.getWriter().desiredSize, 77);
  });

  test("ends idle flows cleanly, behind what was not read", async (t) => {
    const { accepted, local } = await serve(t, { accept: { idleTimeout: 20 } });
    const peer = await open(t);
    await peer.send("unread", local);
    const flow = await accepted();
    const events = eventsOf(flow);
    const writer = flow.writable.getWriter();
    assert.equal(await flow.closed, undefined);
    assert.equal(flow.signal.aborted, false);
    const reader = flow.readable.getReader();
    assert.equal(decode((await reader.read()).value), "unread");
    assert.equal((await reader.read()).done, true);
    assert.ok((await rejection(writer.write(encode("late")))) instanceof TypeError);
    await eventually(() => events.includes("close"), "close fires");
    assert.deepEqual(events, ["close"]);
    await peer.send("again", local);
    const next = await accepted();
    assert.notEqual(next, flow);
    assert.equal(decode((await next.readable.getReader().read()).value), "again");

    // With the streams not locked, or not there, they are just closed.
    await peer.send("and again", local);
    assert.equal(await next.closed, undefined);
    await next.writable.close().catch(() => {});
  });

  test("has flows end after 30 seconds without a datagram, unless told otherwise", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { accepted, local } = await serve(t);
    await (await open(t)).send("x", local);
    const flow = await accepted();
    const now = performance.now.bind(performance);
    t.mock.method(performance, "now", () => now() + 29_000);
    t.mock.timers.tick(29_000);
    assert.equal(await stateOf(flow.closed), "pending");
    t.mock.method(performance, "now", () => now() + 30_001);
    t.mock.timers.tick(2000);
    assert.equal(await stateOf(flow.closed), "fulfilled");
  });

  test("drops datagrams that nobody wants, and aborts flows that are rejected", async (t) => {
    const listener = new SocketListener({ type: "udp", local: { address: "127.0.0.1" } });
    t.after(() => listener.close());
    await listener.ready;
    const peer = await open(t);
    await peer.send("nobody listens", listener.info.local);
    await settle();
    /** @type {Socket[]} */
    const rejected = [];
    listener.onconnect = (/** @type {any} */ event) => {
      rejected.push(event.socket);
      event.reject("go away");
    };
    await peer.send("go on?", listener.info.local);
    await eventually(() => rejected.length === 1, "a connect event fires");
    assert.equal(await rejection(rejected[0].closed), "go away");
    assert.equal(rejected[0].stats.packetsReceived, 0);
  });

  test("gives flows to whoever iterates", async (t) => {
    const listener = new SocketListener({ type: "udp", local: { address: "127.0.0.1" } });
    const sockets = listener.values();
    await listener.ready;
    const peer = await open(t);
    await peer.send("ping", listener.info.local);
    const { value: flow } = await sockets.next();
    assert.equal(decode((await /** @type {Socket} */ (flow).readable.getReader().read()).value), "ping");
    const closed = sockets.return?.();
    await settle();
    assert.equal(await stateOf(listener.closed), "pending", "a flow holds the port");
    flow?.abort();
    await closed;
    await listener.closed;
  });

  test("that is closed begins no flow, and has the port until the last one has ended", async (t) => {
    const { listener, accepted, sockets, local } = await serve(t);
    const peer = await open(t);
    await peer.send("hello", local);
    const flow = await accepted();
    const closing = listener.close();
    await (await open(t)).send("late", local);
    await flow.writable.getWriter().write(encode("still here"));
    assert.equal((await peer.next()).text, "still here");
    assert.equal(await stateOf(closing), "pending");
    assert.equal(sockets.length, 0);
    await flow.abort();
    await closing;
    const again = dgram.createSocket("udp4").bind(local?.port, "127.0.0.1");
    await once(again, "listening");
    again.close();
  });

  test("fails where it cannot be bound", async (t) => {
    const peer = await open(t);
    const listener = new SocketListener({ type: "udp", local: peer.remote });
    const error = await rejection(listener.ready);
    assert.deepEqual([error.name, error.errorCode], ["SocketError", "address-in-use"]);
    assert.equal(await rejection(listener.closed), error);
    await listener.close();

    const never = new SocketListener({ type: "udp", local: { address: "127.0.0.1" }, signal: AbortSignal.abort("no") });
    assert.equal(await rejection(never.ready), "no");
    const controller = new AbortController();
    const aborted = new SocketListener({ type: "udp", local: { address: "127.0.0.1" }, signal: controller.signal });
    controller.abort("never mind");
    assert.equal(await rejection(aborted.ready), "never mind");
    await aborted.close();
  });
});
