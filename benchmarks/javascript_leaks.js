/**
 * What the polyfill leaves behind of connections that are over, on Node: handles, timers, sockets and memory.
 *
 *     node benchmarks/javascript_leaks.js [--connections 10000] [--only tcp,udp] [--keep N] [--most BYTES]
 *
 * Both ends of each connection are the polyfill's, so that as many sockets are accepted as constructed. They exchange a
 * few bytes and end in every way there is in turn: closed by one end or the other, disposed of, aborted by either,
 * rejected in the connect event, given up while connecting, and refused. Each of the batches has a listener of its own.
 * After each quarter of them this counts what is alive, garbage having been collected. File descriptors, active resources and Socket objects
 * have to be as many as before the first batch, and the heap has to stay flat from the second quarter on: at most
 * `--most` bytes may be left of a connection. Exits with 1 if something grew.
 *
 * `--keep N` keeps every Nth socket on purpose, to see that this is noticed.
 */

import { EventEmitter, once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import v8 from "node:v8";
import vm from "node:vm";
import { Socket, SocketListener } from "../polyfill/javascript/src/index.js";
import { cert, key } from "../polyfill/javascript/tests/certificate.js";

/** @typedef {(socket: Socket) => Promise<unknown>} End what one end of a connection does at last */

const batches = 20;
const quarter = batches / 4;
const atOnce = 25;
/** Milliseconds that what is over may take to go. */
const patience = 10_000;
const local = { address: "127.0.0.1" };

/** What the inits of a listener and of a client have besides the address. */
const inits = {
  tcp: [{}, {}],
  tls: [
    { type: "tls", tls: { key, cert } },
    { type: "tls", tls: { ca: [cert] } },
  ],
  starttls: [{ tls: { key, cert } }, { tls: { ca: [cert] } }],
  udp: [{ type: "udp" }, { type: "udp" }],
};

/** @typedef {keyof typeof inits} Transport */

const { values: flags } = parseArgs({
  options: {
    connections: { type: "string", default: "10000" },
    only: { type: "string", default: Object.keys(inits).join() },
    keep: { type: "string", default: "0" },
    most: { type: "string", default: "50" },
  },
});
const [connections, keep, most] = [flags.connections, flags.keep, flags.most].map(Number);
const transports = /** @type {Transport[]} */ (flags.only.split(","));

// ---- The ways in which a connection ends: what each end does when a few bytes have passed both ways

/** @type {Record<string, End>} */
const ends = {
  async close(socket) {
    const closing = socket.writable.close();
    for await (const _ of socket.readable.values({ preventCancel: true }));
    await closing;
    await socket.closed;
  },
  /** With datagrams each end closes by itself. */
  async closeFlow(socket) {
    await socket.writable.close();
    await socket.readable.cancel();
    await socket.closed;
  },
  /** Waits for the end that the other one makes: a reset right behind data is an end like any other to Node. */
  async suffer(socket) {
    const reader = socket.readable.getReader();
    try {
      while (!(await reader.read()).done);
    } catch {}
    await socket.abort();
  },
  abort: (socket) => socket.abort(),
  dispose: (socket) => /** @type {any} */ (socket)[Symbol.asyncDispose](),
};

/** Way -> what the client and what the accepted socket do. */
const streamWays = {
  closed: [ends.close, ends.close],
  "disposed of": [ends.dispose, ends.close],
  "aborted by the client": [ends.abort, ends.suffer],
  "aborted by the server": [ends.suffer, ends.abort],
};
const flowWays = {
  closed: [ends.closeFlow, ends.closeFlow],
  "disposed of": [ends.dispose, ends.dispose],
  aborted: [ends.abort, ends.abort],
};
/** Ways that let no bytes pass. */
const stillborn = ["rejected", "given up", "refused"];

class Bench {
  #transport;
  #way = "";
  #number = 0;
  #news = new EventEmitter();

  /** @type {Set<Promise<unknown>>} */
  #serving = new Set();

  /** @type {Socket[]} */
  #kept = [];

  made = 0;
  accepted = 0;

  /** @param {Transport} transport */
  constructor(transport) {
    this.#transport = transport;
  }

  /** @returns {Record<string, End[]>} */
  get #ways() {
    return this.#transport === "udp" ? flowWays : streamWays;
  }

  /**
   * Listens, has connections come and go, and stops.
   * @param {number} size
   */
  async batch(size) {
    const listener = new SocketListener(/** @type {any} */ ({ ...inits[this.#transport][0], local }));
    listener.onconnect = (/** @type {any} */ event) => this.#connect(event);
    await listener.ready;
    const remote = remoteOf(listener);
    const ways = [...Object.keys(this.#ways), ...stillborn];
    for (const [index, way] of ways.entries()) {
      this.#way = way;
      const to = way === "refused" ? await unused() : remote;
      let left = Math.floor((size * (index + 1)) / ways.length) - Math.floor((size * index) / ways.length);
      while (left > 0) {
        const some = Math.min(left, atOnce);
        const expected = this.accepted + some;
        await Promise.all(Array.from({ length: some }, () => this.#dial(to)));
        // Clients learn of a rejection, but where there are only datagrams.
        while (way === "rejected" && this.accepted < expected) await once(this.#news, "connect");
        left -= some;
        while (this.#serving.size > 0) await Promise.all(this.#serving);
      }
    }
    await listener.close();
  }

  /**
   * Makes a connection and sees it end.
   * @param {{address: string, port: number}} remote
   */
  async #dial(remote) {
    this.made += 1;
    const socket = new Socket(/** @type {any} */ ({ ...inits[this.#transport][1], remote }));
    if (this.#way === "given up") return socket.abort();
    if (stillborn.includes(this.#way)) return this.#inVain(socket);
    await this.#talk(socket, true);
    return this.#ways[this.#way][0](socket);
  }

  /** @param {Socket} socket */
  async #inVain(socket) {
    if (this.#transport !== "udp") return socket.closed.catch(() => {});
    // Nobody is told that nobody is there, and the datagram is what begins a flow.
    await socket.writable.getWriter().write(encode("question"));
    return socket.abort();
  }

  /** @param {{socket: Socket, reject: () => void}} event */
  #connect(event) {
    this.accepted += 1;
    this.#news.emit("connect");
    if (this.#way === "rejected") return event.reject();
    const serving = this.#serve(event.socket).finally(() => this.#serving.delete(serving));
    this.#serving.add(serving);
  }

  /** @param {Socket} socket */
  async #serve(socket) {
    const [client, server] = this.#ways[this.#way] ?? [ends.abort, ends.suffer];
    try {
      await this.#talk(socket, false);
    } catch (error) {
      // An abort may overtake the last word.
      if (client !== ends.abort) throw error;
      return socket.abort();
    }
    return server(socket);
  }

  /**
   * Exchanges a few bytes, over tcp and then over TLS with "starttls".
   * @param {Socket} socket
   * @param {boolean} begins
   */
  async #talk(socket, begins) {
    this.#number += 1;
    if (keep > 0 && this.#number % keep === 0) this.#kept.push(socket);
    if (this.#transport === "starttls") {
      // The client begins with TLS when it has been told to go ahead.
      await exchange(socket, begins, ["starttls", "go ahead"]);
      await socket.update({ type: "tls" });
    }
    // The client has the last word, so that a server that aborts knows that all was read.
    await exchange(socket, begins, ["question", "answer", "thanks"]);
  }
}

/**
 * Sends and gets in turn.
 * @param {Socket} socket
 * @param {boolean} begins whether it is the client
 * @param {string[]} words
 */
async function exchange(socket, begins, words) {
  const writer = socket.writable.getWriter();
  const reader = socket.readable.getReader();
  for (const [index, word] of words.entries()) {
    if (begins === (index % 2 === 0)) {
      await writer.write(encode(word));
    } else {
      let length = 0;
      while (length < word.length) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`the connection ended before "${word}"`);
        length += value.length;
      }
    }
  }
  writer.releaseLock();
  reader.releaseLock();
}

/** @param {string} text */
function encode(text) {
  return new TextEncoder().encode(text);
}

/** @param {SocketListener} listener that is bound */
function remoteOf(listener) {
  const { address, port } = /** @type {{address: string, port: number}} */ (listener.info.local);
  return { address, port };
}

/** A port where nobody is. */
async function unused() {
  const listener = new SocketListener({ local });
  await listener.ready;
  const remote = remoteOf(listener);
  await listener.close();
  return remote;
}

// ---- What is alive

v8.setFlagsFromString("--expose-gc");
const collect = /** @type {() => void} */ (vm.runInNewContext("gc"));
const folder = "/proc/self/fd";

/** Counts what is alive: what has to be as much as before, and memory in bytes. */
function census() {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return {
    handles: existsSync(folder) ? readdirSync(folder).length : 0,
    resources: process.getActiveResourcesInfo().length,
    sockets: v8.queryObjects(Socket, { format: "count" }),
    heap: heapUsed,
    process: rss,
  };
}

/** @typedef {ReturnType<typeof census>} Census */

/**
 * @param {Census} before
 * @param {Census} now
 */
function more(before, now) {
  return /** @type {const} */ (["handles", "resources", "sockets"]).filter((name) => now[name] > before[name]);
}

/**
 * @param {Census} before
 * @returns {Promise<Census>} what is alive as soon as it is no more than before, or when it has had the time to go
 */
async function settled(before) {
  for (const end = performance.now() + patience; ; await sleep(20)) {
    const now = census();
    if (performance.now() >= end || more(before, now).length === 0) return now;
  }
}

/**
 * Runs the batches, prints what is alive after some of them, and says what has grown.
 * @param {Transport} transport
 * @returns {Promise<string[]>}
 */
async function measure(transport) {
  const bench = new Bench(transport);
  const size = Math.floor(connections / batches);
  // What is made once and kept is no leak.
  await bench.batch(Math.max(2 * atOnce, Math.floor(size / 2)));
  await sleep(100);
  Object.assign(bench, { made: 0, accepted: 0 });
  const rows = [census()];
  const began = performance.now();
  for (let number = 1; number <= batches; number++) {
    await bench.batch(size);
    if (number % quarter === 0) rows.push(await settled(rows[0]));
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`\n${transport}: ${bench.made} sockets constructed, ${bench.accepted} accepted, in ${seconds} s`);
  console.log(`  ${row(["connections", ...Object.keys(rows[0])])}`);
  for (const [index, counts] of rows.entries()) {
    console.log(`  ${row([index * quarter * size, ...Object.values(counts)])}`);
  }
  const last = rows[rows.length - 1];
  const each = (last.heap - rows[1].heap) / ((batches - quarter) * size);
  console.log(`  ${each.toFixed(1)} bytes of the heap a connection from the second quarter on; at most ${most}`);
  const grown = more(rows[0], last).map((name) => `${transport}: more ${name} than before`);
  return each > most ? [...grown, `${transport}: the heap grows`] : grown;
}

/** @param {unknown[]} cells */
function row(cells) {
  return cells.map((cell) => String(cell).padStart(12)).join("");
}

if (!(connections >= batches) || !transports.every((name) => Object.hasOwn(inits, name))) {
  console.error(`the transports are ${Object.keys(inits).join()}; at least ${batches} connections are made of each`);
  process.exit(2);
}
const found = [];
for (const transport of transports) found.push(...(await measure(transport)));
for (const each of found) console.error(`leak: ${each}`);
process.exitCode = found.length > 0 ? 1 : 0;
