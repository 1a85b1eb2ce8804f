// What Chromium does with the bytes of Direct Sockets, as seen in version 156, and that the transport loses none of them
// all the same. That it works in a Chromium is what the target `chromium-iwa` shows.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { plainAddress } from "../src/transports/direct/address.js";
import { failureOf } from "../src/transports/direct/failure.js";
import { platform } from "../src/transports/direct/index.js";
import { SendPipe } from "../src/transports/direct/send-pipe.js";

const pipeSize = 64 * 1024;

/** The pipe behind a TCPSocket's writable: it loses what is written while it is full to the last byte. */
class Pipe {
  level = 0;
  lost = 0;
  #drained = /** @type {() => void} */ (() => {});

  /** What the peer got. @type {number[]} */
  received = [];

  #queue = /** @type {number[]} */ ([]);

  writable = new WritableStream({
    write: async (/** @type {Uint8Array} */ chunk) => {
      if (this.level === pipeSize) {
        this.lost += chunk.length;
        return;
      }
      for (let rest = chunk; ; ) {
        const count = Math.min(rest.length, pipeSize - this.level);
        for (const byte of rest.subarray(0, count)) this.#queue.push(byte);
        this.level += count;
        rest = rest.subarray(count);
        if (rest.length === 0) return;
        await new Promise((resolve) => {
          this.#drained = () => resolve(undefined);
        });
      }
    },
  });

  /** @param {number} count the peer takes so many bytes at most */
  drain(count) {
    for (const byte of this.#queue.splice(0, count)) this.received.push(byte);
    const before = this.level;
    this.level = this.#queue.length;
    if (this.level < before) this.#drained();
  }
}

/** @param {number} size */
const pattern = (size, seed = 0) =>
  Uint8Array.from({ length: size }, (_, index) => (index * 7 + seed + index / 251) & 255);

/**
 * @param {Pipe} pipe
 * @param {Uint8Array[]} chunks
 */
async function sendAll(pipe, chunks) {
  let counted = 0;
  let accepted = () => {};
  let finished = () => {};
  const end = new Promise((resolve) => {
    finished = () => resolve(undefined);
  });
  const sender = new SendPipe(pipe.writable, {
    sent: (count) => {
      counted += count;
    },
    accepted: () => accepted(),
    finished: () => finished(),
  });
  for (const chunk of chunks) {
    const waiting = new Promise((resolve) => {
      accepted = () => resolve(undefined);
    });
    if (!sender.write(chunk)) await waiting;
  }
  sender.finish();
  await end;
  return counted;
}

/**
 * @param {Pipe} pipe
 * @param {Promise<unknown>} done
 * @param {() => Promise<unknown>} step
 */
async function drainUntil(pipe, done, step) {
  let over = false;
  done.finally(() => {
    over = true;
  });
  while (!over || pipe.level > 0) await step();
}

/** @param {Uint8Array[]} chunks */
const joined = (chunks) => Buffer.concat(chunks);

/** @type {Record<string, Uint8Array[]>} */
const traffic = {
  "a chunk that fills the pipe to the last byte, and another": [pattern(pipeSize), pattern(pipeSize, 1)],
  "chunks that fill it together": Array.from({ length: 200 }, (_, index) => pattern(4096, index)),
  "chunks of odd sizes": Array.from({ length: 300 }, (_, index) => pattern((index * 977) % 9000, index)),
  "chunks larger than it": [pattern(300_000), pattern(1, 1), pattern(200_001, 2), pattern(pipeSize + 1, 3)],
  "single bytes": Array.from({ length: 3000 }, (_, index) => pattern(1, index)),
};

describe("what is written to a TCPSocket", () => {
  test("is lost where it is simply written", async () => {
    const pipe = new Pipe();
    const writer = pipe.writable.getWriter();
    for (const chunk of traffic["chunks that fill it together"]) await writer.write(chunk);
    assert.equal(pipe.lost, (200 - 16) * 4096);
  });

  for (const [words, chunks] of Object.entries(traffic)) {
    test(`arrives wholly and in order at a peer that reads: ${words}`, async () => {
      const pipe = new Pipe();
      const sending = sendAll(pipe, chunks);
      await drainUntil(pipe, sending, async () => {
        pipe.drain(pipeSize);
        await turn();
      });
      assert.ok(joined(chunks).equals(Buffer.from(pipe.received)));
      assert.equal(await sending, joined(chunks).length);
    });
  }

  test("arrives wholly at a peer that reads slowly, where more is to come than the pipe holds", async () => {
    const pipe = new Pipe();
    const chunks = Array.from({ length: 6 }, (_, index) => pattern(pipeSize + index * 5000 + 1, index));
    const sending = sendAll(pipe, chunks);
    let count = 0;
    await drainUntil(pipe, sending, async () => {
      count += 1;
      // Whole halves leave it full to the last byte again and again.
      pipe.drain(count % 3 === 0 ? 1234 : pipeSize / 2);
      await sleep(3);
    });
    assert.ok(joined(chunks).equals(Buffer.from(pipe.received)));
  });

  test("is written again when it was lost", async () => {
    const pipe = new Pipe();
    const sending = sendAll(pipe, [pattern(100_000), pattern(pipeSize * 2, 1)]);
    await turn();
    pipe.drain(100_000 - pipeSize);
    await sleep(20);
    assert.ok(pipe.lost > 0, "the first chunk has left the pipe full to the last byte");
    await drainUntil(pipe, sending, async () => {
      pipe.drain(pipeSize);
      await turn();
    });
    assert.ok(joined([pattern(100_000), pattern(pipeSize * 2, 1)]).equals(Buffer.from(pipe.received)));
  });

  test("is accepted only when its memory is not needed any more", async () => {
    const pipe = new Pipe();
    const chunk = pattern(pipeSize * 3 + 10);
    let accepted = false;
    const observer = {
      sent() {},
      finished() {},
      accepted() {
        accepted = true;
        chunk.fill(0);
      },
    };
    assert.equal(new SendPipe(pipe.writable, observer).write(chunk), false);
    while (!accepted) {
      pipe.drain(10_000);
      await turn();
    }
    while (pipe.level > 0 || pipe.received.length < chunk.length) {
      pipe.drain(10_000);
      await turn();
    }
    assert.ok(pattern(pipeSize * 3 + 10).every((byte, index) => byte === pipe.received[index]));
  });

  test("never fills the pipe to the last byte where its size is known", async () => {
    const pipe = new Pipe();
    const sending = sendAll(pipe, [...traffic["chunks that fill it together"].slice(0, 16), pattern(10, 1)]);
    await turn();
    assert.equal(pipe.level, pipeSize, "there was more than the pipe holds, so that it takes what it can");
    assert.equal(pipe.lost, 0);
    await drainUntil(pipe, sending, async () => {
      pipe.drain(pipeSize);
      await turn();
    });
    assert.equal(pipe.received.length, pipeSize + 10);
  });
});

describe("what Chromium says", () => {
  test("an IPv4 address on a socket of both families is told as such", () => {
    assert.equal(plainAddress("::ffff:7f00:1"), "127.0.0.1");
    assert.equal(plainAddress("::ffff:c0a8:ff0a"), "192.168.255.10");
    assert.equal(plainAddress("::1"), "::1");
    assert.equal(plainAddress("10.0.0.1"), "10.0.0.1");
  });

  /** @type {[name: string, message: string, code: string | null][]} */
  const errors = [
    ["NetworkError", "Stream aborted by the remote: net::ERR_CONNECTION_RESET", "ECONNRESET"],
    ["NetworkError", "Stream aborted by the remote: net::ERR_SOMETHING_NEW", "ERR_SOMETHING_NEW"],
    ["NetworkError", "Hostname couldn't be resolved.", "ENOTFOUND"],
    ["NetworkError", "Network Error.", null],
    ["DataError", "The address is not valid.", "EADDRNOTAVAIL"],
    ["InvalidAccessError", "Access to the requested host or port is blocked.", "ERR_ACCESS_DENIED"],
    ["NotAllowedError", "Permissions-Policy: direct-sockets are disabled.", "ERR_ACCESS_DENIED"],
  ];
  for (const [name, message, code] of errors) {
    test(`"${message}" is ${code ?? "nothing in particular"}`, () => {
      const cause = new DOMException(message, name);
      assert.deepEqual(failureOf("connect", cause), { phase: "connect", code, message, cause });
    });
  }
});

describe("the platform", () => {
  const common = /** @type {any} */ ({ type: "tcp", remote: { host: "127.0.0.1", port: 1 } });

  test("refuses what Direct Sockets cannot do", () => {
    for (const options of [
      { ...common, local: { address: "127.0.0.1", port: 0 } },
      { ...common, local: { address: undefined, port: 40_000 } },
      { ...common, type: "tls" },
    ]) {
      assert.throws(() => platform.checkOptions?.(options), { name: "NotSupportedError" });
    }
  });

  test("takes what it can", () => {
    platform.checkOptions?.(common);
    platform.checkOptions?.({ ...common, local: { address: undefined, port: 0 } });
    platform.checkOptions?.({ ...common, type: "udp", local: { address: "127.0.0.1", port: 40_000 } });
  });
});
