import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import * as api from "../src/index.js";
import { catchUncaught } from "./client.js";
import { construct, eventually, listen, rejection } from "./peer.js";

const { ConnectEvent, Socket, SocketError, SocketErrorEvent, SocketListener } = api;

/** @type {Record<string, {length: number, parent?: Function, attributes?: string[], operations?: Record<string, number>}>} */
const shapes = {
  Socket: {
    length: 1,
    parent: EventTarget,
    attributes: "readable writable ready closed signal stats info quic onready onend onerror onclose".split(" "),
    operations: { update: 1, abort: 0 },
  },
  SocketStats: {
    length: 0,
    attributes: "bytesSent bytesReceived packetsSent packetsReceived packetsDropped createdAt readyAt closedAt".split(
      " ",
    ),
    operations: { toJSON: 0 },
  },
  SocketEndpoint: { length: 0, attributes: ["address", "port"], operations: { toJSON: 0 } },
  SocketInfo: { length: 0, attributes: ["type", "remote", "local", "tls"], operations: { toJSON: 0 } },
  SocketTLSInfo: { length: 0, attributes: ["version", "cipher", "alpn", "servername", "peerCertificates"] },
  SocketError: { length: 0, parent: DOMException, attributes: ["errorCode", "systemCode"] },
  SocketErrorEvent: { length: 1, parent: Event, attributes: ["error", "fatal"] },
  QuicSession: {
    length: 0,
    attributes: ["incomingBidirectionalStreams", "incomingUnidirectionalStreams", "datagrams", "maxDatagramSize"],
    operations: { createBidirectionalStream: 0, createUnidirectionalStream: 0 },
  },
  QuicStream: { length: 0, attributes: ["readable", "writable"] },
  ConnectEvent: { length: 2, parent: Event, attributes: ["socket"], operations: { reject: 0, waitUntil: 1 } },
  SocketListener: {
    length: 0,
    parent: EventTarget,
    attributes: ["ready", "closed", "info", "onconnect"],
    operations: { close: 0, values: 0 },
  },
};

const promiseAttributes = ["ready", "closed"];
const promiseOperations = ["update", "abort", "close", "createBidirectionalStream", "createUnidirectionalStream"];

for (const [name, { length, parent, attributes = [], operations = {} }] of Object.entries(shapes)) {
  describe(name, () => {
    const interfaceObject = /** @type {any} */ (api)[name];
    const { prototype } = interfaceObject;

    test("has the properties of an interface object", () => {
      assert.equal(interfaceObject.name, name);
      assert.equal(interfaceObject.length, length);
      assert.equal(Object.getPrototypeOf(interfaceObject), parent ?? Function.prototype);
      assert.equal(Object.getPrototypeOf(prototype), parent?.prototype ?? Object.prototype);
      assert.deepEqual(Object.getOwnPropertyDescriptor(interfaceObject, "prototype"), {
        value: prototype,
        writable: false,
        enumerable: false,
        configurable: false,
      });
      assert.equal(Object.getOwnPropertyDescriptor(prototype, "constructor")?.enumerable, false);
      assert.deepEqual(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag), {
        value: name,
        writable: false,
        enumerable: false,
        configurable: true,
      });
      assert.throws(() => interfaceObject(), TypeError);
    });

    test("has its members and no others", () => {
      const names = ["constructor", ...attributes, ...Object.keys(operations)];
      assert.deepEqual(Object.getOwnPropertyNames(prototype).sort(), names.sort());
    });

    for (const attribute of attributes) {
      test(`${attribute} is an enumerable accessor that checks its receiver`, async () => {
        const { get, set, enumerable, configurable } = /** @type {PropertyDescriptor} */ (
          Object.getOwnPropertyDescriptor(prototype, attribute)
        );
        assert.deepEqual([enumerable, configurable, get?.length, get?.name], [true, true, 0, `get ${attribute}`]);
        if (attribute.startsWith("on")) assert.deepEqual([set?.length, set?.name], [1, `set ${attribute}`]);
        else assert.equal(set, undefined);
        for (const receiver of [undefined, {}, prototype]) {
          if (promiseAttributes.includes(attribute)) {
            assert.ok((await rejection(get?.call(receiver))) instanceof TypeError);
          } else {
            assert.throws(() => get?.call(receiver), TypeError);
          }
        }
      });
    }

    for (const [operation, count] of Object.entries(operations)) {
      test(`${operation}() is an enumerable method that checks its receiver`, async () => {
        const { value, writable, enumerable, configurable } = /** @type {PropertyDescriptor} */ (
          Object.getOwnPropertyDescriptor(prototype, operation)
        );
        assert.deepEqual([writable, enumerable, configurable], [true, true, true]);
        assert.deepEqual([value.length, value.name], [count, operation]);
        for (const receiver of [undefined, {}, prototype]) {
          if (promiseOperations.includes(operation)) {
            assert.ok((await rejection(value.call(receiver, {}))) instanceof TypeError);
          } else {
            assert.throws(() => value.call(receiver, Promise.resolve()), TypeError);
          }
        }
      });
    }
  });
}

test("the package exports what its declarations say", async () => {
  const declarations = await readFile(new URL("../types/socket.d.ts", import.meta.url), "utf8");
  const classes = [...declarations.matchAll(/^export class (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(api).sort(), classes.sort());
});

test("interfaces without a constructor refuse scripts", () => {
  for (const name of ["SocketStats", "SocketEndpoint", "SocketInfo", "SocketTLSInfo", "QuicSession", "QuicStream"]) {
    assert.throws(() => new /** @type {any} */ (api)[name](), new TypeError("Illegal constructor"));
    assert.throws(() => new /** @type {any} */ (api)[name]({ slots: {} }), TypeError);
  }
});

test("supportedTypes is one frozen array", () => {
  assert.deepEqual([...Socket.supportedTypes], ["tcp", "udp", "tls"]);
  assert.ok(Object.isFrozen(Socket.supportedTypes));
  assert.equal(Socket.supportedTypes, Socket.supportedTypes);
  const descriptor = Object.getOwnPropertyDescriptor(Socket, "supportedTypes");
  assert.deepEqual([descriptor?.enumerable, descriptor?.set], [true, undefined]);
});

test("a type that this platform lacks is not supported", () => {
  const remote = { address: "127.0.0.1", port: 1 };
  const init = { type: "quic", remote, tls: { alpn: ["x"] } };
  assert.throws(() => new Socket(/** @type {any} */ (init)), { name: "NotSupportedError" });
  assert.throws(() => new SocketListener(/** @type {any} */ ({ type: "sctp" })), TypeError);
});

test("every read of an attribute of an object type gives the same object", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote });
  for (const name of /** @type {const} */ ([
    "readable",
    "writable",
    "ready",
    "closed",
    "signal",
    "stats",
    "info",
    "quic",
  ])) {
    const value = socket[name];
    assert.equal(socket[name], value);
  }
  assert.equal(Object.prototype.toString.call(socket), "[object Socket]");
  assert.ok(socket instanceof Socket && socket instanceof EventTarget);
  assert.equal(socket.quic, null);
});

test("a socket cannot be cloned", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote });
  assert.throws(() => structuredClone(socket), { name: "DataCloneError" });
  assert.throws(() => structuredClone({ nested: [socket] }), { name: "DataCloneError" });
});

test("Socket can be extended", async (t) => {
  class Named extends Socket {
    label = "named";

    shout() {
      return `${this.label} ${this.info.type}`;
    }
  }
  const peer = await listen(t);
  const socket = new Named({ remote: peer.remote });
  t.after(() => socket.abort());
  assert.equal(socket.shout(), "named tcp");
  await socket.ready;
});

test("event handler attributes follow the HTML standard", async (t) => {
  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote });
  assert.equal(socket.onready, null);
  for (const value of [undefined, 1, "function", true, Symbol()]) {
    socket.onready = () => {};
    socket.onready = /** @type {any} */ (value);
    assert.equal(socket.onready, null);
  }
  // An object is kept, and never called, not even its handleEvent.
  const object = { handleEvent: () => assert.fail("handleEvent is for listeners") };
  socket.onready = /** @type {any} */ (object);
  assert.equal(socket.onready, object);

  /** @type {string[]} */
  const calls = [];
  socket.onready = () => calls.push("replaced");
  socket.addEventListener("ready", () => calls.push("listener"));
  // The handler keeps the place of the first one that was set.
  socket.onready = function (/** @type {Event} */ event) {
    calls.push("handler");
    assert.equal(this, socket);
    assert.deepEqual([event.type, event.target, event.bubbles, event.cancelable], ["ready", socket, false, false]);
  };
  await socket.ready;
  await new Promise((resolve) => socket.addEventListener("ready", resolve));
  assert.deepEqual(calls, ["handler", "listener"]);
  socket.onready = null;
  socket.dispatchEvent(new Event("ready"));
  assert.deepEqual(calls, ["handler", "listener", "listener"]);
});

test("SocketError is a DOMException of its own name", () => {
  const plain = new SocketError();
  assert.deepEqual(
    [plain.name, plain.code, plain.message, plain.errorCode, plain.systemCode],
    ["SocketError", 0, "", "unknown", null],
  );
  assert.ok(plain instanceof DOMException && plain instanceof Error);
  const full = new SocketError("lost", { errorCode: "timeout", systemCode: "ETIMEDOUT" });
  assert.deepEqual([full.message, full.errorCode, full.systemCode], ["lost", "timeout", "ETIMEDOUT"]);
  assert.throws(() => new SocketError("", /** @type {any} */ ({ errorCode: "stranger" })), TypeError);
  assert.throws(() => new SocketError(/** @type {any} */ (Symbol())), TypeError);
});

test("SocketErrorEvent and ConnectEvent can be made by scripts", async (t) => {
  const plain = new SocketErrorEvent("error");
  assert.deepEqual([plain.type, plain.error, plain.fatal, plain.bubbles], ["error", undefined, true, false]);
  const full = new SocketErrorEvent("error", /** @type {any} */ ({ error: 1, fatal: 0, cancelable: "yes" }));
  assert.deepEqual([full.error, full.fatal, full.cancelable], [1, false, true]);
  assert.throws(() => new /** @type {any} */ (SocketErrorEvent)(), TypeError);

  const peer = await listen(t);
  const socket = construct(t, { remote: peer.remote });
  assert.throws(() => new ConnectEvent("connect", /** @type {any} */ ({ socket: {} })), TypeError);
  assert.throws(() => new ConnectEvent("connect", /** @type {any} */ ({})), TypeError);
  const event = new ConnectEvent("connect", { socket });
  assert.equal(event.socket, socket);
  assert.throws(() => event.reject("no"), { name: "InvalidStateError" });
  assert.throws(() => event.waitUntil(Promise.resolve()), { name: "InvalidStateError" });
  const target = new EventTarget();
  const reported = catchUncaught(t);
  target.addEventListener("connect", () => {
    event.waitUntil(Promise.reject(new Error("only reported")));
    event.reject("no");
  });
  target.dispatchEvent(event);
  assert.equal(await rejection(socket.closed), "no");
  await eventually(() => reported.length > 0, "the rejection is reported");
  assert.equal(/** @type {any} */ (reported[0]).message, "only reported");
});
