import assert from "node:assert/strict";
import { createHash, webcrypto, X509Certificate } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { describe, test } from "node:test";
import tls from "node:tls";
import { Socket } from "../src/index.js";
import { cert, key } from "./certificate.js";
import { decode, encode } from "./peer.js";

/**
 * @typedef {import("node:test").TestContext} TestContext
 * @typedef {import("../src/socket-error.js").SocketError} SocketError
 */

const der = new X509Certificate(cert).raw;

/**
 * A server that is given each connection when its handshake is done.
 * @param {TestContext} t
 * @param {tls.TlsOptions} options
 * @param {(socket: tls.TLSSocket) => void} [serve]
 */
async function secureServer(t, options = {}, serve = () => {}) {
  const server = tls.createServer({ key, cert, allowHalfOpen: true, ...options }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  return listening(t, server);
}

/**
 * @param {TestContext} t
 * @param {net.Server} server
 */
async function listening(t, server) {
  /** @type {Set<net.Socket>} */
  const connections = new Set();
  server.on("connection", (socket) => connections.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return { address: "127.0.0.1", port };
}

/**
 * @param {TestContext} t
 * @param {any} init
 */
function construct(t, init) {
  const socket = new Socket({ type: "tls", ...init });
  t.after(() => socket.abort());
  return socket;
}

/**
 * @param {Promise<unknown>} promise
 * @returns {Promise<SocketError>}
 */
async function failure(promise) {
  return promise.then(
    () => assert.fail("was to reject"),
    (error) => error,
  );
}

/** @param {ReadableStream<Uint8Array>} stream */
async function text(stream) {
  const parts = [];
  for await (const part of stream) parts.push(decode(part));
  return parts.join("");
}

describe("a connection", () => {
  test("carries bytes both ways and ends each way by itself", async (t) => {
    const remote = await secureServer(t, {}, (socket) => {
      socket.on("data", (data) => socket.write(data));
      socket.on("end", () => socket.end(" and goodbye"));
    });
    const socket = construct(t, { remote, tls: { ca: [cert] } });
    const writer = socket.writable.getWriter();
    writer.write(encode("hello"));
    await writer.close();
    assert.equal(await text(socket.readable), "hello and goodbye");
    await socket.closed;
  });

  test("tells what was agreed on", async (t) => {
    const remote = await secureServer(t, { ALPNProtocols: ["b", "c"] });
    const init = { ca: [new Uint8Array(der)], alpn: ["a", "b"], servername: "localhost" };
    const { ready, info } = construct(t, { remote, tls: init });
    assert.deepEqual([info.type, info.tls], ["tls", null]);
    await ready;
    const agreed = /** @type {import("../src/socket-tls-info.js").SocketTLSInfo} */ (info.tls);
    assert.equal(agreed.version, "TLSv1.3");
    assert.match(agreed.cipher, /^TLS_/);
    assert.equal(agreed.alpn, "b");
    assert.equal(agreed.servername, "localhost");
    const certificates = agreed.peerCertificates.map((each) => Buffer.from(each));
    assert.deepEqual(certificates, [der]);
    assert.ok(Object.isFrozen(agreed.peerCertificates));
  });

  test("sends no address as a name", async (t) => {
    /** @type {unknown[]} */
    const names = [];
    const remote = await secureServer(t, {}, (socket) => {
      names.push(/** @type {any} */ (socket).servername);
      socket.end();
    });
    const socket = construct(t, { remote, tls: { ca: [cert] } });
    await socket.ready;
    assert.equal(socket.info.tls?.servername, null);
    assert.equal(await text(socket.readable), "");
    assert.deepEqual(names, [false]);
  });

  test("presents a certificate, whose key may be a CryptoKey", async (t) => {
    const body = Buffer.from(key.replace(/-----.*-----|\n/g, ""), "base64");
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const cryptoKey = await webcrypto.subtle.importKey("pkcs8", body, algorithm, true, ["sign"]);
    const seen = deferred();
    const remote = await secureServer(t, { requestCert: true, rejectUnauthorized: true, ca: [cert] }, (socket) =>
      seen.resolve(socket.getPeerCertificate().raw),
    );
    const socket = construct(t, { remote, tls: { ca: [cert], key: cryptoKey, cert } });
    await socket.ready;
    assert.deepEqual(await seen.promise, der);
  });

  test("keeps its data intact under backpressure", async (t) => {
    const size = 3_000_000;
    const data = Buffer.alloc(size, "The quick brown fox. ");
    const remote = await secureServer(t, {}, (socket) => socket.end(data));
    const socket = construct(t, { remote, tls: { ca: [cert] }, receiveBufferSize: 10_000 });
    const hash = createHash("sha256");
    let received = 0;
    for await (const chunk of socket.readable) {
      received += chunk.length;
      hash.update(chunk);
      if (received % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(received, size);
    assert.equal(hash.digest("hex"), createHash("sha256").update(data).digest("hex"));
  });
});

describe("a handshake that fails", () => {
  /** @type {[string, Record<string, unknown>, string][]} */
  const refused = [
    ["is not trusted", {}, "tls-certificate-rejected"],
    ["is for another name", { ca: [cert], servername: "other.test" }, "tls-certificate-rejected"],
    ["has another hash", { serverCertificateHashes: [hashed(new Uint8Array(32))] }, "tls-certificate-rejected"],
    ["has a hash of another kind", { serverCertificateHashes: [hashed(sha256(), "md5")] }, "tls-certificate-rejected"],
  ];
  for (const [what, init, code] of refused) {
    test(`because the certificate ${what}`, async (t) => {
      const remote = await secureServer(t);
      const socket = construct(t, { remote, tls: init });
      const error = await failure(socket.ready);
      assert.equal(error.errorCode, code);
      assert.equal(await failure(socket.closed), error);
    });
  }

  test("because the peer speaks no TLS, or ends, or resets", async (t) => {
    const answers = [
      (/** @type {net.Socket} */ raw) => raw.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
      (/** @type {net.Socket} */ raw) => raw.end(),
      (/** @type {net.Socket} */ raw) => raw.resetAndDestroy(),
    ];
    for (const answer of answers) {
      const remote = await listening(
        t,
        net.createServer((raw) => raw.once("data", () => answer(raw))),
      );
      assert.equal((await failure(construct(t, { remote }).ready)).errorCode, "tls-handshake-failed");
    }
  });

  test("not where the hash of the certificate is given", async (t) => {
    const remote = await secureServer(t);
    await construct(t, { remote, tls: { serverCertificateHashes: [hashed(sha256())] } }).ready;
  });
});

describe("an upgrade", () => {
  test("keeps the streams, sends earlier writes plainly and later ones encrypted", async (t) => {
    const remote = await listening(
      t,
      net.createServer({ allowHalfOpen: true }, (raw) => {
        raw.once("data", (data) => {
          raw.write(`plain ${data}`);
          const socket = new tls.TLSSocket(raw, { isServer: true, key, cert });
          socket.on("data", (secret) => socket.end(`secret ${secret}`));
        });
      }),
    );
    const socket = construct(t, { type: "tcp", remote, tls: { ca: [cert] } });
    const writer = socket.writable.getWriter();
    const reader = socket.readable.getReader();
    writer.write(encode("before"));
    assert.equal(decode((await reader.read()).value), "plain before");
    const pending = reader.read();
    const upgraded = socket.update({ type: "tls" });
    writer.write(encode("after"));
    assert.deepEqual([socket.info.type, socket.info.tls], ["tcp", null]);
    await upgraded;
    assert.deepEqual([socket.info.type, socket.info.tls?.version], ["tls", "TLSv1.3"]);
    assert.equal(decode((await pending).value), "secret after");
    await assert.rejects(socket.update({ type: "tls" }), { name: "InvalidStateError" });
    await assert.rejects(socket.update({ tls: {} }), { name: "NotSupportedError" });
  });

  test("fails where plaintext was injected, and delivers none of it", async (t) => {
    const remote = await listening(
      t,
      net.createServer((raw) => raw.write("injected")),
    );
    const socket = construct(t, { type: "tcp", remote, tls: { ca: [cert] } });
    await socket.ready;
    while (socket.stats.bytesReceived < 8) await new Promise((resolve) => setImmediate(resolve));
    const error = await failure(socket.update({ type: "tls" }));
    assert.equal(error.errorCode, "tls-handshake-failed");
    assert.equal(await failure(socket.closed), error);
    assert.equal(await failure(socket.readable.getReader().read()), error);
  });

  test("ends with the socket where that is aborted meanwhile", async (t) => {
    const remote = await listening(t, net.createServer());
    const socket = construct(t, { type: "tcp", remote });
    await socket.ready;
    const upgrading = failure(socket.update({ type: "tls" }));
    const reason = new Error("enough");
    await socket.abort(reason);
    assert.equal(await upgrading, reason);
  });
});

/**
 * @param {Uint8Array} value
 * @param {string} [algorithm]
 */
function hashed(value, algorithm = "sha-256") {
  return { algorithm, value };
}

function sha256() {
  return new Uint8Array(createHash("sha256").update(der).digest());
}

function deferred() {
  /** @type {(value: unknown) => void} */
  let resolve = () => {};
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
