import assert from "node:assert/strict";
import { once } from "node:events";
import nodeNet from "node:net";
import { pipeline } from "node:stream/promises";
import { describe, test } from "node:test";
import nodeTls from "node:tls";
import { systemCodes } from "../src/generated/errors.js";
import { nodeError } from "../src/net/errors.js";
import net from "../src/net.js";
import { SocketError } from "../src/socket-error.js";
import tls from "../src/tls.js";
import { cert, key } from "./certificate.js";
import { echo, listen } from "./server.js";

/** @typedef {import("node:test").TestContext} TestContext */

/**
 * @param {TestContext} t
 * @param {any} options
 */
function connect(t, options) {
  const socket = net.connect({ host: "127.0.0.1", ...options });
  t.after(() => socket.destroy());
  return socket;
}

describe("net.Socket", () => {
  test("carries bytes both ways, ends when the peer does, and tells both ends", async (t) => {
    const port = await listen(t, echo);
    const socket = net.connect(port, "127.0.0.1");
    assert.equal(socket.connecting, true);
    assert.equal(socket.readyState, "opening");
    await once(socket, "connect");
    assert.equal(socket.connecting, false);
    assert.deepEqual([socket.remoteAddress, socket.remotePort, socket.remoteFamily], ["127.0.0.1", port, "IPv4"]);
    assert.deepEqual(socket.address(), { address: "127.0.0.1", port: socket.localPort, family: "IPv4" });
    socket.write("hello ");
    socket.end("world");
    const chunks = await socket.toArray();
    assert.ok(Buffer.isBuffer(chunks[0]));
    assert.equal(Buffer.concat(chunks).toString(), "hello world");
    if (!socket.closed) await once(socket, "close");
    assert.deepEqual([socket.bytesWritten, socket.bytesRead, socket.readyState], [11, 11, "closed"]);
  });

  test("writes what was written before connect()", async (t) => {
    const port = await listen(t, echo);
    const socket = new net.Socket();
    socket.write("early");
    socket.setNoDelay(true).setKeepAlive(true, 5000).connect({ port, host: "127.0.0.1" });
    const [chunk] = await once(socket, "data");
    assert.equal(chunk.toString(), "early");
    socket.destroy();
    await once(socket, "close");
  });

  test("keeps back what nobody reads, and the bytes in their order", async (t) => {
    const size = 8 * 1024 * 1024;
    const sent = Buffer.alloc(size, "0123456789abcdef");
    const port = await listen(t, (peer) => peer.end(sent));
    const socket = connect(t, { port });
    socket.pause();
    await once(socket, "connect");
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(socket.bytesRead < size / 2, `${socket.bytesRead} bytes were taken in advance`);
    const chunks = await socket.toArray();
    assert.ok(Buffer.concat(chunks).equals(sent));
  });

  test("calls back for writes, cork() included, and tells of drain", async (t) => {
    const port = await listen(t, echo);
    const socket = connect(t, { port });
    await once(socket, "connect");
    socket.cork();
    /** @type {string[]} */
    const order = [];
    const written = ["a", "b", "c"].map(
      (text) =>
        new Promise((resolve, reject) => {
          socket.write(text, (error) => (error ? reject(error) : resolve(order.push(text))));
        }),
    );
    socket.uncork();
    await Promise.all(written);
    assert.deepEqual(order, ["a", "b", "c"]);
    const [chunk] = await once(socket, "data");
    assert.equal(chunk.toString(), "abc");
    assert.equal(socket.write(Buffer.alloc(1024 * 1024)), false);
    await once(socket, "drain");
  });

  test("stays half-open where that is asked for, and ends by itself where it is not", async (t) => {
    const port = await listen(t, (peer) => {
      peer.end("bye");
      peer.on("data", (chunk) => replies.push(chunk.toString()));
      peer.on("end", () => ended());
    });
    /** @type {string[]} */
    const replies = [];
    /** @type {() => void} */
    let ended = () => {};
    const peerEnded = () =>
      new Promise((resolve) => {
        ended = () => resolve(undefined);
      });

    let whenEnded = peerEnded();
    const open = connect(t, { port, allowHalfOpen: true }).resume();
    await once(open, "end");
    assert.equal(open.writable, true);
    open.end("still here");
    await whenEnded;
    assert.deepEqual(replies, ["still here"]);

    whenEnded = peerEnded();
    const closing = connect(t, { port }).resume();
    await Promise.all([once(closing, "close"), whenEnded]);
  });

  test("fails with the code that Node would give", async (t) => {
    const port = await listen(t, () => {});
    const free = nodeNet.createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port: nobody } = /** @type {nodeNet.AddressInfo} */ (free.address());
    await new Promise((resolve) => free.close(resolve));
    const refused = connect(t, { port: nobody });
    const [error] = await once(refused, "error");
    assert.equal(error.code, "ECONNREFUSED");
    assert.deepEqual([error.syscall, error.address, error.port], ["connect", "127.0.0.1", nobody]);
    assert.equal(error.cause.errorCode, "connection-refused");

    const unknown = connect(t, { host: "nowhere.invalid", port });
    const [dns] = await once(unknown, "error");
    assert.match(dns.code, /^(ENOTFOUND|EAI_AGAIN)$/);
  });

  test("passes on what came before a reset, then ECONNRESET", async (t) => {
    const port = await listen(t, (peer) => {
      peer.write("last words");
      peer.once("data", () => peer.resetAndDestroy());
    });
    const socket = connect(t, { port });
    /** @type {string[]} */
    const seen = [];
    socket.on("data", (chunk) => {
      seen.push(chunk.toString());
      socket.write("go");
    });
    const [error] = await once(socket, "error");
    assert.equal(error.code, "ECONNRESET");
    assert.deepEqual(seen, ["last words"]);
  });

  test("sends a FIN by destroy(), a reset by resetAndDestroy()", async (t) => {
    /** @type {(how: string) => void} */
    let tell = () => {};
    const port = await listen(t, (peer) => {
      peer.on("data", () => peer.write("back"));
      peer.on("end", () => tell("FIN"));
      peer.on("error", (error) => tell(/** @type {NodeJS.ErrnoException} */ (error).code ?? ""));
    });
    for (const [method, expected] of /** @type {const} */ ([
      ["destroy", "FIN"],
      ["resetAndDestroy", "ECONNRESET"],
    ])) {
      const told = new Promise((resolve) => {
        tell = resolve;
      });
      const socket = connect(t, { port });
      socket.write("there");
      await once(socket, "data");
      socket[method]();
      assert.equal(await told, expected);
    }
  });

  test("tells of a time without activity, again after each", async (t) => {
    const port = await listen(t, echo);
    const socket = connect(t, { port, timeout: 20 });
    await once(socket, "timeout");
    assert.equal(socket.destroyed, false);
    socket.write("x");
    await once(socket, "data");
    await once(socket, "timeout");
    socket.setTimeout(0);
    assert.equal(socket.timeout, 0);
  });

  test("is destroyed by its signal", async (t) => {
    const port = await listen(t, echo);
    const controller = new AbortController();
    const socket = connect(t, { port, signal: controller.signal });
    await once(socket, "connect");
    const failed = once(socket, "error");
    controller.abort();
    const [error] = await failed;
    assert.equal(error.name, "AbortError");
  });

  test("works in a pipeline", async (t) => {
    const port = await listen(t, echo);
    const socket = connect(t, { port });
    /** @type {Buffer[]} */
    const got = [];
    await pipeline(
      async function* () {
        yield Buffer.from("through ");
        yield Buffer.from("and back");
      },
      socket,
      async (source) => {
        for await (const chunk of source) got.push(chunk);
      },
    );
    assert.equal(Buffer.concat(got).toString(), "through and back");
  });

  test("refuses what it cannot honour, and says what to do", () => {
    for (const options of [{ path: "/tmp/.s" }, { port: 1, lookup: () => {} }, { port: 1, onread: {} }]) {
      assert.throws(() => net.connect(/** @type {any} */ (options)), {
        name: "TypeError",
        code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
        message: /is not supported by commonsocket: \w/,
      });
    }
    assert.throws(() => net.connect(/** @type {any} */ ("/tmp/.s")), /path is not supported/);
  });

  test("knows addresses as Node does", () => {
    for (const text of [
      "127.0.0.1",
      "::1",
      "fe80::1%eth0",
      "[::1]",
      "1.2.3",
      "example.com",
      "",
      "::ffff:1.2.3.4",
      "1::2::3",
    ]) {
      assert.equal(net.isIP(text), nodeNet.isIP(text), text);
    }
  });
});

describe("tls.connect", () => {
  const secureServer = () => nodeTls.createServer({ key, cert, ALPNProtocols: ["echo"] });
  const ca = cert;

  test("connects with TLS from the first byte", async (t) => {
    const port = await listen(t, echo, secureServer());
    const socket = tls.connect({ host: "127.0.0.1", port, servername: "localhost", ca, ALPNProtocols: ["echo"] });
    t.after(() => socket.destroy());
    await once(socket, "secureConnect");
    assert.deepEqual([socket.encrypted, socket.authorized, socket.alpnProtocol], [true, true, "echo"]);
    assert.equal(socket.getProtocol(), "TLSv1.3");
    assert.match(socket.getCipher().name ?? "", /^TLS_/);
    assert.ok(socket.getPeerCertificate().raw);
    socket.end("secret");
    assert.equal(Buffer.concat(await socket.toArray()).toString(), "secret");
  });

  test("upgrades a connection, on which only the new stream reads from then on", async (t) => {
    const context = nodeTls.createSecureContext({ key, cert });
    const port = await listen(t, (peer) => {
      peer.once("data", (ask) => {
        peer.pause();
        peer.write(ask.toString() === "tls?" ? "S" : "N");
        const secured = new nodeTls.TLSSocket(peer, { isServer: true, secureContext: context });
        secured.on("error", () => {});
        secured.pipe(secured);
      });
    });
    const plain = connect(t, { port });
    plain.write("tls?");
    const [answer] = await once(plain, "data");
    assert.equal(answer.toString(), "S");
    plain.removeAllListeners();
    const socket = tls.connect({ socket: plain, host: "127.0.0.1", servername: "localhost", ca });
    socket.write("before the handshake is done");
    await once(socket, "secureConnect");
    socket.end(", and after");
    assert.equal(Buffer.concat(await socket.toArray()).toString(), "before the handshake is done, and after");
    assert.equal(socket.remotePort, port);
  });

  test("upgrades in place by startTls()", async (t) => {
    const port = await listen(t, (peer) => {
      const secured = new nodeTls.TLSSocket(peer, { isServer: true, key, cert });
      secured.on("error", () => {});
      secured.pipe(secured);
    });
    const socket = connect(t, { port });
    await once(socket, "connect");
    socket.startTls({ servername: "localhost", ca });
    socket.end("in place");
    assert.equal(Buffer.concat(await socket.toArray()).toString(), "in place");
  });

  test("refuses a certificate that nobody vouches for", async (t) => {
    const port = await listen(t, echo, secureServer());
    const socket = tls.connect({ host: "127.0.0.1", port, servername: "localhost" });
    const [error] = await once(socket, "error");
    assert.equal(error.cause.errorCode, "tls-certificate-rejected");
    assert.equal(socket.authorized, false);
  });

  test("refuses bytes that came before the handshake and were read", async (t) => {
    const port = await listen(t, (peer) => peer.write("Sinjected"));
    const plain = connect(t, { port });
    plain.pause();
    await once(plain, "readable");
    const socket = tls.connect({ socket: plain, servername: "localhost", ca });
    const [error] = await once(socket, "error");
    assert.match(error.message, /injected/);
  });

  test("refuses what would make it insecure, and says what to do", async (t) => {
    const port = await listen(t, echo);
    for (const options of [{ rejectUnauthorized: false }, { checkServerIdentity: () => undefined }, { pfx: "x" }]) {
      assert.throws(() => tls.connect({ host: "127.0.0.1", port, ...options }), {
        code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
      });
    }
  });
});

test("every code of a SocketError has one of Node's", () => {
  const codes = new Set(Object.values(systemCodes).flatMap((phase) => Object.values(phase)));
  for (const errorCode of codes) {
    const { code } = nodeError(new SocketError("", /** @type {any} */ ({ errorCode })), "connect");
    assert.equal(code === "UNKNOWN", errorCode === "unknown", errorCode);
  }
});
