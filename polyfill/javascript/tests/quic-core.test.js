/**
 * The core of quic sockets, over a transport that does what the test says: what a platform's QUIC cannot be made to do at
 * the right moment. Real connections are the affair of the conformance suite.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { socketOptions } from "../src/core/init.js";
import { QuicCore } from "../src/core/quic-core.js";
import { platform as node } from "../src/transports/node/index.js";
import { encode, rejection, stateOf } from "./peer.js";

/**
 * @typedef {import("../src/transports/transport.js").QuicClient} QuicClient
 * @typedef {import("../src/transports/transport.js").StreamClient} StreamClient
 */

/** The transport's end of a stream, which takes everything down. */
class FakeStream {
  /** @type {string[]} */
  calls = [];

  /** Whether writes are accepted at once. */
  flows = true;

  /** @param {StreamClient} client */
  constructor(client) {
    this.client = client;
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    this.calls.push(`write ${bytes.length}`);
    if (this.flows) this.client.sent(bytes.length);
    return this.flows;
  }

  writeFin() {
    this.calls.push("fin");
    queueMicrotask(() => this.client.finAccepted());
  }

  resume() {}

  resetStream() {
    this.calls.push("reset");
  }

  stopSending() {
    this.calls.push("stop");
  }
}

/** A whole connection. */
class FakeQuic extends FakeStream {
  maxDatagramSize = 1000;
  packets = { sent: 3, received: 2 };

  /** Whether the next datagram may be sent. */
  datagramsFlow = true;

  /** What was asked for: a stream, when `opened` is called. @type {((connect: (client: StreamClient) => any) => void)[]} */
  asked = [];

  configure() {}

  /** @param {Uint8Array} data */
  sendDatagram(data) {
    this.calls.push(`datagram ${data.length}`);
    return this.datagramsFlow;
  }

  /**
   * @param {boolean} _unidirectional
   * @param {(connect: (client: StreamClient) => any) => void} opened
   */
  openStream(_unidirectional, opened) {
    this.asked.push(opened);
  }

  /** Grants the stream that was asked for first. */
  grant() {
    const opened = /** @type {NonNullable<typeof this.asked[0]>} */ (this.asked.shift());
    return capture((connect) => opened(connect));
  }

  /** @param {boolean} unidirectional */
  peerOpens(unidirectional) {
    const client = /** @type {QuicClient} */ (this.client);
    return capture((connect) => client.streamOpened(unidirectional, connect));
  }

  close() {
    this.#letGo("close");
  }

  reset() {
    this.#letGo("connection close");
  }

  /** @param {string} call */
  #letGo(call) {
    this.calls.push(call);
    /** @type {QuicClient} */ (this.client).released();
  }
}

/**
 * @param {(connect: (client: StreamClient) => FakeStream) => void} hand hands a stream over
 * @returns {FakeStream} the transport's end of it
 */
function capture(hand) {
  /** @type {FakeStream | undefined} */
  let stream;
  hand((client) => {
    stream = new FakeStream(client);
    return stream;
  });
  return /** @type {FakeStream} */ (stream);
}

/** @param {{ready?: boolean}} [options] whether the handshake is done */
function connect({ ready = true } = {}) {
  /** @type {FakeQuic | undefined} */
  let quic;
  /** @type {any} */
  const platform = {
    ...node,
    supportedTypes: ["quic"],
    connect(/** @type {unknown} */ _, /** @type {QuicClient} */ client) {
      quic = new FakeQuic(client);
      return quic;
    },
  };
  const init = { type: "quic", remote: { address: "127.0.0.1", port: 1 }, tls: { alpn: ["test"] } };
  const core = new QuicCore(new EventTarget(), socketOptions(init, platform), platform);
  core.start();
  const transport = /** @type {FakeQuic} */ (quic);
  const client = /** @type {QuicClient} */ (transport.client);
  const details = { remote: { address: "127.0.0.1", port: 1 }, local: { address: "127.0.0.1", port: 2 } };
  const finish = () => client.connected(details);
  if (ready) finish();
  return { core, transport, client, finish, session: /** @type {any} */ (core.quic) };
}

const failure = { phase: /** @type {const} */ ("established"), code: "ECONNRESET", message: "gone", cause: undefined };

test("a stream is opened when there is a connection and the peer allows it", async () => {
  const { transport, finish, session } = connect({ ready: false });
  const promise = session.createBidirectionalStream();
  assert.equal(transport.asked.length, 0, "before the handshake");
  finish();
  assert.equal(await stateOf(promise), "pending");
  const stream = transport.grant();
  const { readable, writable } = await promise;
  await writable.getWriter().write(encode("hello"));
  assert.deepEqual(stream.calls, ["write 5"]);
  stream.client.received(new Uint8Array(3), false);
  assert.equal((await readable.getReader().read()).value.length, 3);
});

test("the connection is closed when the last stream is finished, in whatever order they finish", async () => {
  const { core, transport, client, session } = connect();
  const opening = session.createUnidirectionalStream();
  const other = transport.grant();
  const writable = await opening;
  await core.writeSide.stream.close();
  client.ended();
  for await (const _ of /** @type {any} */ (core.readSide.stream));
  assert.equal(await stateOf(core.closed), "pending");
  assert.deepEqual(transport.calls, ["fin"]);
  await writable.close();
  assert.deepEqual(other.calls, ["fin"]);
  await core.closed;
  assert.deepEqual(transport.calls, ["fin", "close"]);
  assert.equal((await rejection(session.createBidirectionalStream())).name, "InvalidStateError");
});

test("what is done to the primary stream before the handshake is told behind it", async () => {
  const { core, transport, finish } = connect({ ready: false });
  await core.readSide.stream.cancel();
  core.writeSide.stream.abort(new Error("never mind")).catch(() => {});
  await undefined;
  assert.deepEqual(transport.calls, []);
  finish();
  assert.deepEqual(transport.calls, ["stop", "reset", "close"]);
  await core.closed;
});

test("RESET_STREAM errors readable behind what was received, STOP_SENDING writable, and neither the rest", async () => {
  const { core, client } = connect();
  client.received(new Uint8Array(4), false);
  client.streamReset(7);
  const reader = core.readSide.stream.getReader();
  assert.equal((await reader.read()).value.length, 4);
  const reset = await rejection(reader.read());
  assert.equal(reset.errorCode, "connection-reset");
  assert.match(reset.message, /7/);
  assert.equal(core.lifecycle.state, "remote-closed");
  client.stopped(8);
  assert.match((await rejection(core.writeSide.stream.getWriter().write(encode("x")))).message, /8/);
  await core.closed;
});

test("STOP_SENDING rejects the write that waits, and what the transport accepts later is nothing", async () => {
  const { core, transport, client } = connect();
  transport.flows = false;
  const write = core.writeSide.stream.getWriter().write(new Uint8Array(10));
  await stateOf(write);
  client.stopped(null);
  assert.equal((await rejection(write)).errorCode, "connection-reset");
  client.accepted();
  assert.equal(core.lifecycle.state, "local-closed");
});

test("CONNECTION_CLOSE with the code 0 behind everything closes the socket once everything is read", async () => {
  const { core, transport, client } = connect();
  await core.writeSide.stream.close();
  client.received(new Uint8Array(4), false);
  client.ended();
  const other = transport.peerOpens(true);
  other.client.received(new Uint8Array(5), false);
  other.client.ended();
  client.peerClosed(failure, 0);
  assert.equal(await stateOf(core.closed), "pending");
  assert.equal((await new Response(core.readSide.stream).arrayBuffer()).byteLength, 4);
  assert.equal(await stateOf(core.closed), "pending");
  const { value: readable } = await /** @type {any} */ (core.quic).incomingUnidirectionalStreams.getReader().read();
  assert.equal((await new Response(readable).arrayBuffer()).byteLength, 5);
  await core.closed;
});

test("CONNECTION_CLOSE in front of it fails everything with one object, behind what was received", async () => {
  const { core, transport, client, session } = connect();
  const opening = session.createBidirectionalStream();
  const other = transport.grant();
  const { readable } = await opening;
  const wish = session.createUnidirectionalStream();
  const incoming = session.incomingBidirectionalStreams.getReader().read();
  other.client.received(new Uint8Array(6), false);
  client.datagram(new Uint8Array(7));
  client.peerClosed(failure, 0);
  const reason = await rejection(core.closed);
  assert.equal(await rejection(wish), reason);
  assert.equal(await rejection(incoming), reason);
  for (const [stream, size] of [
    [readable, 6],
    [session.datagrams.readable, 7],
  ]) {
    const reader = stream.getReader();
    assert.equal((await reader.read()).value.length, size);
    assert.equal(await rejection(reader.read()), reason);
  }
});

test("abort() drops what is unread everywhere", async () => {
  const { core, transport, client, session } = connect();
  const reason = new Error("enough");
  transport.peerOpens(false).client.received(new Uint8Array(6), false);
  client.datagram(new Uint8Array(7));
  await core.abort(reason);
  assert.deepEqual(transport.calls, ["connection close"]);
  assert.equal(await rejection(session.incomingBidirectionalStreams.getReader().read()), reason);
  assert.equal(await rejection(session.datagrams.readable.getReader().read()), reason);
});

test("streams of the peer wait in their order, and those that nobody wants any more are refused", async () => {
  const { transport, session } = connect();
  const [first, second] = [transport.peerOpens(false), transport.peerOpens(false)];
  const reader = session.incomingBidirectionalStreams.getReader();
  const { value } = await reader.read();
  await value.writable.getWriter().write(encode("first"));
  assert.deepEqual(first.calls, ["write 5"]);
  await reader.cancel();
  assert.deepEqual(second.calls, ["stop", "reset"]);
  assert.deepEqual(transport.peerOpens(false).calls, ["stop", "reset"]);
});

test("a chunk of the wrong kind resets another stream, and leaves the socket alone", async () => {
  const { core, transport, session } = connect();
  const opening = session.createUnidirectionalStream();
  const other = transport.grant();
  const writer = (await opening).getWriter();
  assert.equal((await rejection(writer.write("text"))).name, "TypeError");
  assert.deepEqual(other.calls, ["reset"]);
  assert.equal(core.lifecycle.state, "open");
});

test("datagrams that are too large are dropped, and those behind a full queue wait", async () => {
  const { core, transport, client, session } = connect();
  const writer = session.datagrams.writable.getWriter();
  await writer.write(new Uint8Array(1001));
  assert.equal(core.stats.packetsDropped, 1);
  transport.datagramsFlow = false;
  const write = writer.write(new Uint8Array(10));
  assert.equal(await stateOf(write), "pending");
  client.datagramsAccepted();
  await write;
  assert.deepEqual(transport.calls, ["datagram 10"]);
  assert.equal(core.stats.bytesSent, 10);
});

test("disposal flushes and ends every stream", async () => {
  const { core, transport, session } = connect();
  const opening = session.createUnidirectionalStream();
  const other = transport.grant();
  (await opening).getWriter().write(new Uint8Array(9));
  await core.dispose();
  assert.deepEqual(other.calls, ["write 9", "fin"]);
  assert.deepEqual(transport.calls, ["stop", "fin", "close"]);
});

test("the counters of packets are the transport's, until the socket is over", async () => {
  const { core, transport } = connect();
  transport.packets = { sent: 10, received: 9 };
  assert.deepEqual([core.stats.packetsSent, core.stats.packetsReceived], [10, 9]);
  await core.abort("over");
  transport.packets = { sent: 11, received: 10 };
  assert.deepEqual([core.stats.packetsSent, core.stats.packetsReceived], [10, 9]);
});
