import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { openingFor, useTunnel } from "../src/transports/websocket/configuration.js";
import { checkCredentials } from "../src/transports/websocket/credentials.js";
import { decode, decodeDatagram, encodeDatagram, failureIn, initOf } from "../src/transports/websocket/messages.js";
import { PlainCarrier } from "../src/transports/websocket/plain-carrier.js";
import { StreamCarrier } from "../src/transports/websocket/stream-carrier.js";
import { cert, key } from "./certificate.js";

class FakeWebSocket {}

const remote = { host: "db.internal", port: 5432 };

describe("useTunnel()", () => {
  afterEach(() => useTunnel(null));

  test("without it there is no opening", () => assert.equal(openingFor(remote), null));

  test("offers both subprotocols, and the token as a third", () => {
    useTunnel({
      url: "wss://tunnel.example/path?x=y#z",
      token: "a+b/c=d?ü",
      WebSocket: /** @type {any} */ (FakeWebSocket),
    });
    const opening = /** @type {any} */ (openingFor(remote));
    assert.equal(opening.url, "wss://tunnel.example/path?x=y");
    assert.deepEqual(opening.protocols.slice(0, 2), ["binary", "commonsocket.v1"]);
    const [, , secret] = opening.protocols;
    // What RFC 6455 lets a subprotocol be made of: RFC 2616 "token".
    assert.match(secret, /^commonsocket\.token\.[\w-]+$/);
    assert.equal(Buffer.from(secret.split(".")[2], "base64url").toString(), "a+b/c=d?ü");
    assert.equal(opening.WebSocket, FakeWebSocket);
  });

  test("a function is told where to", () => {
    useTunnel({
      url: (target) => `http://tunnel.example/connect?host=${target?.address}&port=${target?.port}`,
      protocols: [],
      WebSocket: /** @type {any} */ (FakeWebSocket),
    });
    const opening = openingFor(remote);
    assert.equal(opening?.url, "ws://tunnel.example/connect?host=db.internal&port=5432");
    assert.deepEqual(opening?.protocols, []);
  });

  test("what is given is not kept", () => {
    const given = { url: "ws://one.example/", WebSocket: /** @type {any} */ (FakeWebSocket) };
    useTunnel(given);
    given.url = "ws://other.example/";
    assert.equal(openingFor(remote)?.url, "ws://one.example/");
  });

  for (const wrong of [
    undefined,
    "wss://tunnel.example",
    {},
    { url: "" },
    { url: "ftp://tunnel.example" },
    { url: "/relative/where/there/is/no/page" },
    { url: "ws://x", token: "" },
    { url: "ws://x", token: 7 },
    { url: "ws://x", protocols: "binary" },
    { url: "ws://x", WebSocket: {} },
  ]) {
    test(`refuses ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => useTunnel(/** @type {any} */ (wrong)), TypeError);
      assert.equal(openingFor(remote), null);
    });
  }
});

describe("messages", () => {
  test("init in JSON, bytes in base64", async () => {
    const options = /** @type {any} */ ({
      type: "tls",
      remote,
      noDelay: true,
      keepAliveDelay: 0,
      tls: { ca: [new Uint8Array([1, 2, 255])], cert: "PEM", alpn: ["a"] },
    });
    assert.deepEqual(JSON.parse(JSON.stringify(await initOf(options))), {
      type: "tls",
      remote: { address: "db.internal", port: 5432 },
      tls: { alpn: ["a"], cert: "PEM", ca: [{ base64: "AQL/" }] },
      noDelay: true,
      keepAliveDelay: 0,
    });
  });

  test("a key of the Web Crypto API goes along if it may", async () => {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const initWith = async (/** @type {boolean} */ extractable) => {
      const { privateKey } = await crypto.subtle.generateKey(algorithm, extractable, ["sign"]);
      return initOf(/** @type {any} */ ({ type: "tls", remote, tls: { key: privateKey, cert: "PEM" } }));
    };
    const { tls } = /** @type {any} */ (await initWith(true));
    assert.match(tls.key.base64, /^M[\w+/]+=*$/);
    await assert.rejects(initWith(false));
  });

  for (const text of [
    "",
    "no JSON",
    "1",
    "null",
    "[]",
    "{}",
    '{"type":"dance"}',
    '{"type":"toString"}',
    '{"type":"credit"}',
  ]) {
    test(`refuses ${text || "nothing"}`, () => assert.throws(() => decode(text)));
  }

  test("datagrams with an address", () => {
    const message = encodeDatagram(new Uint8Array([7, 8]), "::1", 0x1234);
    assert.deepEqual([...message], [0x12, 0x34, 3, 58, 58, 49, 7, 8]);
    assert.deepEqual(decodeDatagram(message), {
      data: new Uint8Array([7, 8]),
      source: { address: "::1", port: 0x1234 },
    });
  });

  test("several attempts are the cause", () => {
    const attempts = [
      { code: "ECONNREFUSED", message: "one" },
      { code: "ENETUNREACH", message: "two" },
    ];
    const { cause } = failureIn({ phase: "connect", code: "ENETUNREACH", message: "both", attempts });
    assert.ok(cause instanceof AggregateError);
    assert.deepEqual(
      cause.errors.map(({ code }) => code),
      ["ECONNREFUSED", "ENETUNREACH"],
    );
    assert.equal(failureIn({ phase: "connect", code: null, message: "one", attempts: [] }).cause, undefined);
  });
});

describe("checkCredentials()", () => {
  test("takes PEM and DER", () => {
    checkCredentials({ key, cert, ca: [cert] });
    const der = (/** @type {string} */ pem) =>
      new Uint8Array(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64"));
    checkCredentials({ key: der(key), cert: der(cert), ca: [Buffer.from(cert)] });
  });

  const junk = ["", "junk", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", new Uint8Array([0x30, 5, 1])];
  for (const wrong of [...junk, new Uint8Array(), new Uint8Array([0x30, 0x80])]) {
    test(`refuses ${wrong}`, () => {
      for (const tls of [{ key: wrong }, { cert: wrong }, { ca: [wrong] }])
        assert.throws(() => checkCredentials(tls), TypeError);
    });
  }
});

/** The two ends of a carrier: what it has sent, and what it has told. */
class Ends {
  /** @type {any[]} */
  sent = [];
  /** @type {any[]} */
  told = [];
  unsent = 0;
  room = 100;

  link = {
    send: (/** @type {any} */ data) => this.sent.push(typeof data === "string" ? JSON.parse(data) : [...data]),
    unsent: 0,
    fail: (/** @type {any} */ { code }) => this.told.push(["failed", code]),
  };

  client = /** @type {any} */ (
    new Proxy(
      {},
      {
        get: (_, name) => {
          if (name === "room") return this.room;
          return (/** @type {any[]} */ ...args) => {
            if (name === "received") this.room = Math.max(0, this.room - args[0].length);
            this.told.push([name, ...args.map((arg) => (arg instanceof Uint8Array ? arg.length : arg))]);
          };
        },
      },
    )
  );

  /** @param {number} credit */
  async connected(credit) {
    const options = /** @type {any} */ ({ type: "tcp", remote, noDelay: false, keepAliveDelay: 0 });
    const carrier = new StreamCarrier(this.link, this.client, options, initOf(options));
    await new Promise(setImmediate);
    carrier.control({ type: "connected", remote: null, local: null, tls: null, credit });
    this.sent.length = 0;
    this.told.length = 0;
    return carrier;
  }
}

describe("a stream by messages", () => {
  test("sends no more than it was granted", async () => {
    const ends = new Ends();
    const carrier = await ends.connected(5);
    assert.equal(carrier.write(new Uint8Array([1, 2, 3])), true);
    assert.equal(carrier.write(new Uint8Array([4, 5, 6, 7, 8])), false);
    assert.deepEqual(ends.sent, [
      [1, 2, 3],
      [4, 5],
    ]);
    carrier.control({ type: "credit", bytes: 2 });
    assert.deepEqual(ends.sent.pop(), [6, 7]);
    assert.deepEqual(ends.told, [
      ["sent", 3],
      ["sent", 2],
      ["sent", 2],
    ]);
    carrier.control({ type: "credit", bytes: 9 });
    assert.deepEqual(ends.sent.pop(), [8]);
    assert.deepEqual(ends.told.slice(3), [["sent", 1], ["accepted"]]);
  });

  test("keeps what there is no room for, and the FIN behind it", async () => {
    const ends = new Ends();
    const carrier = await ends.connected(0);
    carrier.data(new Uint8Array(100));
    carrier.data(new Uint8Array(10));
    carrier.control({ type: "fin" });
    assert.deepEqual(ends.told, [["received", 100, true]]);
    ends.room = 1;
    carrier.resume();
    assert.deepEqual(ends.told.slice(1), [["received", 10, true], ["ended"]]);
  });

  test("grants what was taken, half a window at a time", async () => {
    const ends = new Ends();
    const carrier = await ends.connected(0);
    ends.room = 200_000;
    carrier.data(new Uint8Array(100_000));
    assert.deepEqual(ends.sent, []);
    carrier.data(new Uint8Array(50_000));
    assert.deepEqual(ends.sent, [{ type: "credit", bytes: 150_000 }]);
    ends.room = 0;
    carrier.data(new Uint8Array(200_000));
    assert.equal(ends.sent.length, 1);
  });

  test("takes no more than it has granted", async () => {
    const ends = new Ends();
    const carrier = await ends.connected(0);
    ends.room = 0;
    carrier.data(new Uint8Array(262_144));
    assert.deepEqual(ends.told, []);
    carrier.data(new Uint8Array(1));
    assert.deepEqual(ends.told, [["failed", null]]);
  });

  test("passes everything on before a failure", async () => {
    for (const fail of [
      (/** @type {StreamCarrier} */ carrier) =>
        carrier.control({ type: "failed", phase: "established", code: "ECONNRESET", message: "", attempts: [] }),
      (/** @type {StreamCarrier} */ carrier) => carrier.lost(),
    ]) {
      const ends = new Ends();
      const carrier = await ends.connected(0);
      ends.room = 0;
      carrier.data(new Uint8Array(10));
      fail(carrier);
      assert.deepEqual(ends.told[0], ["received", 10, true]);
      assert.equal(ends.told[1][0], "failed");
    }
  });

  test("gives back what nobody has read for an upgrade, in order", async () => {
    const ends = new Ends();
    const carrier = await ends.connected(0);
    ends.room = 0;
    carrier.data(new Uint8Array([3, 4]));
    const secured = carrier.secure({ alpn: ["a"] }, new Uint8Array([1, 2]));
    carrier.data(new Uint8Array([5]));
    await new Promise(setImmediate);
    assert.deepEqual(ends.sent, [{ type: "secure", tls: { alpn: ["a"] } }]);
    carrier.data(new Uint8Array([6]));
    carrier.control({ type: "held" });
    assert.deepEqual(ends.sent.slice(1), [{ type: "handshake", unread: 6 }, [1, 2], [3, 4], [5], [6]]);
    assert.deepEqual(ends.told, []);
    const tls = { version: "TLSv1.3", cipher: "c", alpn: "a", servername: null, peerCertificates: ["AQI="] };
    carrier.control({ type: "secured", tls });
    const details = await secured;
    assert.equal(details.alpn, "a");
    assert.deepEqual([...new Uint8Array(details.peerCertificates[0])], [1, 2]);
  });

  test("tells of options only what has changed", async () => {
    const ends = new Ends();
    const carrier = await ends.connected(0);
    const options = { noDelay: false, keepAliveDelay: 0, receiveBufferSize: 1 };
    carrier.configure(options);
    assert.deepEqual(ends.sent, []);
    carrier.configure({ ...options, noDelay: true });
    assert.deepEqual(ends.sent, [{ type: "configure", options: { noDelay: true, keepAliveDelay: 0 } }]);
  });
});

describe("plain bytes", () => {
  test("a clean end is the end of the data, any other a reset", () => {
    for (const [event, told] of /** @type {const} */ ([
      [{ code: 1000, wasClean: true }, ["ended"]],
      [{ code: 1005, wasClean: true }, ["ended"]],
      [{ code: 1011, wasClean: true }, ["failed", "ECONNRESET"]],
      [{ code: 1006, wasClean: false }, ["failed", "ECONNRESET"]],
    ])) {
      const ends = new Ends();
      const carrier = new PlainCarrier(ends.link, ends.client);
      carrier.begin();
      carrier.lost(/** @type {any} */ (event));
      assert.deepEqual(ends.told, [["connected", { remote: null, local: null }], told]);
    }
  });

  test("waits while too much is unsent", async () => {
    const ends = new Ends();
    const carrier = new PlainCarrier(ends.link, ends.client);
    assert.equal(carrier.write(new Uint8Array(10)), true);
    ends.link.unsent = 1 << 20;
    assert.equal(carrier.write(new Uint8Array(10)), false);
    ends.link.unsent = 0;
    while (!ends.told.some(([name]) => name === "accepted")) await new Promise((resolve) => setTimeout(resolve, 1));
  });
});
