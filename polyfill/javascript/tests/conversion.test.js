import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Socket } from "../src/index.js";
import { cert, key } from "./certificate.js";
import { connect, construct, encode, eventually, listen, rejection } from "./peer.js";

const remote = { address: "127.0.0.1", port: 9 };

/** @param {any} init */
const make = (init) => new Socket(init);

/**
 * @param {any} init
 * @param {string} message
 */
function refuses(init, message) {
  assert.throws(
    () => make(init),
    (/** @type {any} */ error) => error instanceof TypeError && error.message.includes(message),
  );
}

/**
 * A socket that does not connect, to look at how an init that is good was taken.
 * @param {any} init
 */
function accepts(init) {
  const signal = AbortSignal.abort("only looking");
  assert.equal(make({ remote, signal, ...init }).signal.reason, "only looking");
}

describe("the argument", () => {
  test("has to be an object", () => {
    for (const init of [undefined, null, 1, "init", true, Symbol()]) refuses(init, "not an object");
    refuses(
      Object.assign(() => {}, { remote: null }),
      "remote.address is missing",
    );
  });

  test("is read member by member in lexicographical order, nested ones in between, each once", () => {
    /** @type {string[]} */
    const reads = [];
    /**
     * @param {object} object
     * @param {string} path
     * @returns {any}
     */
    const spy = (object, path = "") =>
      new Proxy(object, {
        get(target, name) {
          reads.push(path + String(name));
          const value = Reflect.get(target, name);
          return Object.getPrototypeOf(value ?? 0) === Object.prototype ? spy(value, `${String(name)}.`) : value;
        },
      });
    make(
      spy({
        remote,
        local: { port: 0, address: "127.0.0.1" },
        tls: { alpn: ["x"] },
        signal: AbortSignal.abort(),
        stranger: 1,
      }),
    );
    assert.deepEqual(reads, [
      "allowHalfOpen",
      "idleTimeout",
      "keepAliveDelay",
      "local",
      "local.address",
      "local.port",
      "noDelay",
      "readyTimeout",
      "receiveBufferSize",
      "remote",
      "remote.address",
      "remote.port",
      "sendBufferSize",
      "signal",
      "tls",
      "tls.alpn",
      "tls.ca",
      "tls.cert",
      "tls.key",
      "tls.requestClientCertificate",
      "tls.serverCertificateHashes",
      "tls.servername",
      "ttl",
      "type",
    ]);
  });

  test("throws what its getters throw", () => {
    const thrown = new RangeError("mine");
    const init = {
      remote,
      get noDelay() {
        throw thrown;
      },
    };
    assert.throws(
      () => make(init),
      (error) => error === thrown,
    );
  });

  test("is not kept", async (t) => {
    const peer = await listen(t);
    const init = { remote: { ...peer.remote } };
    const socket = construct(t, init);
    init.remote.port = 1;
    await socket.ready;
    assert.equal(socket.info.remote?.port, peer.remote.port);
  });

  test("takes undefined members for missing ones", () => {
    accepts({ type: undefined, noDelay: undefined, local: undefined, ttl: undefined });
    accepts({ local: { address: undefined, port: undefined } });
    accepts({ local: null, tls: null });
  });
});

describe("types", () => {
  test("integers are converted with EnforceRange", () => {
    for (const value of [0, -0, 65536.9, "1024", " 0x10 ", true, null, { valueOf: () => 7 }, 4294967295, -0.9]) {
      accepts({ idleTimeout: value });
    }
    for (const value of [-1, 4294967296, Number.NaN, Number.POSITIVE_INFINITY, "", "x", {}, 1n, Symbol()]) {
      if (value === "") accepts({ idleTimeout: value });
      else refuses({ remote, idleTimeout: value }, "");
    }
    for (const port of [-1, 65536, "port", Number.NaN]) refuses({ remote: { address: "a", port } }, "remote.port");
    for (const ttl of [-1, 256]) refuses({ remote, ttl }, "ttl");
    accepts({ ttl: 255.5 });
  });

  test("booleans take anything", () => {
    for (const value of [0, "", "false", {}, Symbol(), 1n]) accepts({ noDelay: value, allowHalfOpen: value });
  });

  test("strings are converted and made well-formed", () => {
    accepts({ remote: { address: { toString: () => "localhost" }, port: 1 } });
    accepts({ remote: { address: 127, port: 1 } });
    refuses({ remote: { address: Symbol("a"), port: 1 } }, "");
    accepts({ tls: { servername: "\ud800" } });
  });

  test("enumerations refuse strangers", () => {
    for (const type of ["TCP", "", null, "sctp", 0]) refuses({ remote, type }, "type is not a SocketType");
    accepts({ type: { toString: () => "tcp" } });
  });

  test("dictionaries take objects, null and undefined", () => {
    for (const value of [1, "x", true, Symbol()]) {
      refuses({ remote: value }, "remote is not an object");
      refuses({ remote, local: value }, "local is not an object");
      refuses({ remote, tls: value }, "tls is not an object");
    }
    refuses({ remote: {} }, "remote.address is missing");
    refuses({ remote: { address: "a" } }, "remote.port is missing");
    refuses({ remote: null }, "remote.address is missing");
  });

  test("signal has to be an AbortSignal", () => {
    for (const signal of [null, {}, { aborted: false }, new EventTarget(), Object.create(AbortSignal.prototype)]) {
      refuses({ remote, signal }, "signal is not a AbortSignal");
    }
  });

  test("sequences are read by the iterator protocol", () => {
    /** @type {number[]} */
    const closed = [];
    const iterable = (/** @type {unknown[]} */ values) => ({
      [Symbol.iterator]() {
        let index = 0;
        return {
          next: () => ({ done: index >= values.length, value: values[index++] }),
          return: () => closed.push(index),
        };
      },
    });
    accepts({ tls: { alpn: iterable(["a", 1]) } });
    accepts({ tls: { alpn: new Set(["a"]) } });
    refuses({ remote, tls: { alpn: iterable([Symbol()]) } }, "");
    assert.deepEqual(closed, [], "an iterator is not closed when an element is no good");
    for (const alpn of ["h2", 1, {}, { [Symbol.iterator]: 1 }, null]) refuses({ remote, tls: { alpn } }, "tls.alpn");
    for (const iterator of [1, { next: () => 1 }]) {
      refuses({ remote, tls: { alpn: { [Symbol.iterator]: () => iterator } } }, "iterator of tls.alpn");
    }
  });

  test("unions choose by the kind of the value", () => {
    const bytes = encode(key);
    const certBytes = encode(cert);
    for (const each of [key, bytes, bytes.buffer, new DataView(bytes.buffer), { toString: () => key }]) {
      accepts({ tls: { key: each, cert: certBytes, ca: [cert, certBytes] } });
    }
    const shared = new SharedArrayBuffer(8);
    refuses({ remote, tls: { key: new Uint8Array(shared), cert: "" } }, "tls.key");
    const resizable = new ArrayBuffer(8, /** @type {any} */ ({ maxByteLength: 16 }));
    refuses({ remote, tls: { key: resizable, cert: "" } }, "tls.key");
    refuses({ remote, tls: { ca: [Symbol()] } }, "");
    refuses({ remote, tls: { serverCertificateHashes: [{ algorithm: "sha-256", value: "text" }] } }, "value");
    refuses({ remote, tls: { serverCertificateHashes: [{}] } }, "algorithm is missing");
  });
});

describe("rules", () => {
  test("remote is required", () => {
    for (const type of ["tcp", "tls", "quic", "udp"]) refuses({ type }, "remote is missing");
    refuses({ type: "tcp", local: { port: 1 } }, "remote is missing");
  });

  test("hosts are parsed as the URL standard does", () => {
    const good = ["localhost", "127.0.0.1", "127.1", "0x7f.1", "a.b.", "exämple.org", "ex%61mple.org", "_x.y"];
    for (const address of [...good, "::1", "[::1]", "[2001:DB8::1]", "fe80::1%eth0"]) {
      accepts({ remote: { address, port: 1 } });
    }
    const bad = [
      "",
      " ",
      "a b",
      "a:1",
      "[::1",
      "::1]",
      "[::1]:80",
      "[127.0.0.1]",
      ":::",
      "1.2.3.256",
      "http://a",
      "a/b",
    ];
    for (const address of [...bad, "a@b", "a#b", "a?b", "a\\b", "a\tb", "\0", "a%00b", "[]", "%", "a%zz", "[::1%]"]) {
      refuses({ remote: { address, port: 1 } }, "remote.address");
    }
  });

  test("local addresses are IP literals", () => {
    for (const address of ["127.0.0.1", "0.0.0.0", "::1", "[::1]", "255.255.255.255"]) accepts({ local: { address } });
    for (const address of ["localhost", "", "127.1", "1.2.3", "1.2.3.4.", "01.2.3.4", "1.2.3.256", "a::g"]) {
      refuses({ remote, local: { address } }, "local.address");
    }
    accepts({ local: { port: 0 } });
  });

  test("numbers that make no sense are refused", () => {
    refuses({ remote: { address: "a", port: 0 } }, "remote.port");
    refuses({ remote, sendBufferSize: 0 }, "sendBufferSize");
    refuses({ remote, receiveBufferSize: 0.5 }, "receiveBufferSize");
    refuses({ remote, ttl: 0 }, "ttl");
    for (const delay of [1, 999]) refuses({ remote, keepAliveDelay: delay }, "keepAliveDelay");
    for (const delay of [0, 1000, 4294967295]) accepts({ keepAliveDelay: delay });
  });

  test("what tls says is checked even before it is used", () => {
    accepts({ tls: { alpn: ["h2", "x".repeat(255)] } });
    for (const name of ["", "x".repeat(256), "ä".repeat(128)]) refuses({ remote, tls: { alpn: [name] } }, "tls.alpn");
    refuses({ remote, tls: { key: "k" } }, "tls.key");
    refuses({ remote, tls: { cert: "c" } }, "tls.cert");
    refuses({ remote, tls: { key, cert: "no certificate" } }, "cannot be used");
    refuses({ remote, tls: { key: new Uint8Array(4), cert } }, "cannot be used");
    refuses({ remote, tls: { ca: [cert, "no certificate"] } }, "cannot be used");
    accepts({ tls: { serverCertificateHashes: [{ algorithm: "sha-256", value: new Uint8Array(32) }] } });
    refuses({ type: "udp", remote, tls: {} }, "udp");
    refuses({ type: "quic", remote, tls: {} }, "tls.alpn");
  });

  test("faults come before what is not supported, and before a signal that is aborted", () => {
    refuses({ type: "udp", remote: { address: "", port: 1 } }, "remote.address");
    refuses({ remote, ttl: 0, signal: AbortSignal.abort() }, "ttl");
  });

  test("a constructor that throws has connected to nobody", async (t) => {
    const peer = await listen(t);
    refuses({ remote: peer.remote, ttl: 0 }, "ttl");
    construct(t, { remote: peer.remote });
    await peer.accept();
    await eventually(() => peer.connections.length > 0, "the good one connects");
    assert.equal(peer.connections.length, 1);
  });
});

test("update() converts as the constructor does, and rejects", async (t) => {
  const { socket } = await connect(t);
  for (const init of [undefined, null, 1, { ttl: 0 }, { type: "x" }, { remote: {} }, { sendBufferSize: -1 }]) {
    assert.ok((await rejection(socket.update(/** @type {any} */ (init)))) instanceof TypeError);
  }
  const thrown = {};
  const getter = {
    get ttl() {
      throw thrown;
    },
  };
  assert.equal(await rejection(socket.update(/** @type {any} */ (getter))), thrown);
});
