/**
 * A small driver of PostgreSQL as drivers for Deno are written: its network is `Deno.connect()` and `Deno.startTls()`,
 * it reads by `conn.read()` into memory of its own and writes by `conn.write()`. None of those is on npm.
 * https://www.postgresql.org/docs/15/protocol.html
 */

import { work } from "./work.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Decoders of columns by the type of their values; the rest stays text. @type {Record<number, (text: string) => unknown>} */
const decoders = { 16: (text) => text === "t", 23: Number };

/** @param {import("./work.js").Settings} settings */
export async function run(settings) {
  const session = await Session.open(settings);
  return work({ query: (text, values = []) => session.query(text, values), close: () => session.close() });
}

class Session {
  /** Queries wait for the one before. */
  #turn = /** @type {Promise<unknown>} */ (Promise.resolve());

  /** @param {Messages} messages */
  constructor(messages) {
    this.messages = messages;
  }

  /** @param {import("./work.js").Settings} settings */
  static async open({ host, port, user, password, database, ca }) {
    let conn = await Deno.connect({ hostname: host, port });
    conn.setNoDelay();
    if (ca !== null) {
      await conn.write(int32s(8, 80_877_103));
      const answer = new Uint8Array(1);
      await conn.read(answer);
      if (decoder.decode(answer) !== "S") throw new Error("The server has no TLS");
      conn = await Deno.startTls(conn, { hostname: host, ...(ca && { caCerts: [ca] }) });
    }
    const messages = new Messages(conn);
    await messages.send("", int32s(196_608), text("user"), text(user), text("database"), text(database), [0]);
    await authenticate(messages, password);
    const session = new Session(messages);
    await session.untilReady();
    return session;
  }

  /**
   * @param {string} sql
   * @param {any[]} values
   * @returns {Promise<Record<string, unknown>[]>}
   */
  query(sql, values) {
    const rows = this.#turn.catch(() => {}).then(() => this.#query(sql, values));
    this.#turn = rows;
    return rows;
  }

  /**
   * @param {string} sql
   * @param {any[]} values
   */
  async #query(sql, values) {
    const { messages } = this;
    const given = values.map((value) => encoder.encode(Array.isArray(value) ? `{${value}}` : `${value}`));
    const parameters = given.flatMap((value) => [int32s(value.length), value]);
    await messages.send("P", text(""), text(sql), [0, 0]);
    await messages.send("B", text(""), text(""), [0, 0], int16(values.length), ...parameters, [0, 0]);
    await messages.send("D", encoder.encode("P"), text(""));
    await messages.send("E", text(""), int32s(0));
    await messages.send("S");
    return this.untilReady();
  }

  /** @returns {Promise<Record<string, unknown>[]>} the rows that come before the server is ready for a query */
  async untilReady() {
    /** @type {{name: string, type: number}[]} */
    let columns = [];
    /** @type {Record<string, unknown>[]} */
    const rows = [];
    let failure = null;
    for (;;) {
      const { kind, body } = await this.messages.next();
      if (kind === "T") columns = columnsOf(body);
      if (kind === "D") rows.push(rowOf(body, columns));
      if (kind === "E") failure = errorOf(body);
      if (kind === "Z" && failure) throw failure;
      if (kind === "Z") return rows;
    }
  }

  async close() {
    await this.messages.send("X");
    this.messages.conn.close();
  }
}

/** Messages over a connection: a letter, the length, the body. */
class Messages {
  #buffer = new Uint8Array(65_536);
  #start = 0;
  #end = 0;

  /** @param {import("../../../polyfill/javascript/types/deno.d.ts").Conn} conn */
  constructor(conn) {
    this.conn = conn;
  }

  /**
   * @param {string} kind
   * @param {(Uint8Array | number[])[]} parts
   */
  async send(kind, ...parts) {
    const length = parts.reduce((sum, part) => sum + part.length, 4);
    const message = new Uint8Array(await new Blob([kind, ...[int32s(length), ...parts].map(bytes)]).arrayBuffer());
    for (let sent = 0; sent < message.length; ) sent += await this.conn.write(message.subarray(sent));
  }

  /** @returns {Promise<{kind: string, body: Uint8Array}>} */
  async next() {
    const header = await this.#take(5);
    const kind = String.fromCharCode(header[0]);
    return { kind, body: await this.#take(view(header).getInt32(1) - 4) };
  }

  /** @param {number} count */
  async #take(count) {
    const taken = new Uint8Array(count);
    for (let filled = 0; filled < count; ) {
      if (this.#start === this.#end) {
        const received = await this.conn.read(this.#buffer);
        if (received === null) throw new Error("The server has ended the connection");
        [this.#start, this.#end] = [0, received];
      }
      const part = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + count - filled));
      taken.set(part, filled);
      filled += part.length;
      this.#start += part.length;
    }
    return taken;
  }
}

/**
 * SCRAM-SHA-256, RFC 5802 and RFC 7677, without channel binding.
 * @param {Messages} messages
 * @param {string} password
 */
async function authenticate(messages, password) {
  const nonce = crypto.randomUUID();
  const first = `n=,r=${nonce}`;
  await authentication(messages, 10);
  const opening = encoder.encode(`n,,${first}`);
  await messages.send("p", text("SCRAM-SHA-256"), int32s(opening.length), opening);
  const challenge = decoder.decode(await authentication(messages, 11));
  const { r = "", s = "", i = "" } = Object.fromEntries(challenge.split(",").map((part) => [part[0], part.slice(2)]));
  const last = `c=biws,r=${r}`;
  const salt = Uint8Array.from(atob(s), (character) => character.charCodeAt(0));
  const material = await crypto.subtle.importKey("raw", encoder.encode(password), "PBKDF2", false, ["deriveBits"]);
  const derived = { name: "PBKDF2", hash: "SHA-256", salt, iterations: Number(i) };
  const salted = new Uint8Array(await crypto.subtle.deriveBits(derived, material, 256));
  const clientKey = await hmac(salted, "Client Key");
  const stored = new Uint8Array(await crypto.subtle.digest("SHA-256", clientKey));
  const signature = await hmac(stored, `${first},${challenge},${last}`);
  const proof = btoa(String.fromCharCode(...clientKey.map((byte, index) => byte ^ signature[index])));
  await messages.send("p", encoder.encode(`${last},p=${proof}`));
  await authentication(messages, 12);
  await authentication(messages, 0);
}

/**
 * @param {Messages} messages
 * @param {number} expected what the server is to ask for
 */
async function authentication(messages, expected) {
  const { kind, body } = await messages.next();
  if (kind === "E") throw errorOf(body);
  const asked = view(body).getInt32(0);
  if (kind !== "R" || asked !== expected) throw new Error(`The server asks for ${kind} ${asked}, not for ${expected}`);
  return body.subarray(4);
}

/**
 * @param {Uint8Array<ArrayBuffer>} secret
 * @param {string} message
 */
async function hmac(secret, message) {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(message)));
}

/** @param {Uint8Array} body */
function columnsOf(body) {
  const columns = [];
  let at = 2;
  for (let rest = view(body).getInt16(0); rest > 0; rest--) {
    const end = body.indexOf(0, at);
    columns.push({ name: decoder.decode(body.subarray(at, end)), type: view(body).getInt32(end + 7) });
    at = end + 19;
  }
  return columns;
}

/**
 * @param {Uint8Array} body
 * @param {{name: string, type: number}[]} columns
 */
function rowOf(body, columns) {
  /** @type {Record<string, unknown>} */
  const row = {};
  let at = 2;
  for (const { name, type } of columns) {
    const length = view(body).getInt32(at);
    const value = decoder.decode(body.subarray(at + 4, at + 4 + Math.max(0, length)));
    row[name] = length < 0 ? null : (decoders[type]?.(value) ?? value);
    at += 4 + Math.max(0, length);
  }
  return row;
}

/** @param {Uint8Array} body */
function errorOf(body) {
  const fields = Object.fromEntries(
    decoder
      .decode(body)
      .split("\0")
      .map((field) => [field[0], field.slice(1)]),
  );
  return Object.assign(new Error(fields.M), { code: fields.C });
}

/** @param {Uint8Array} data */
const view = (data) => new DataView(data.buffer, data.byteOffset, data.byteLength);

/** @param {Uint8Array | number[]} part */
const bytes = (part) => Uint8Array.from(part);

/** @param {string} value */
const text = (value) => encoder.encode(`${value}\0`);

/** @param {number[]} values */
const int32s = (...values) =>
  Uint8Array.from(values.flatMap((value) => [24, 16, 8, 0].map((shift) => value >>> shift)));

/** @param {number} value */
const int16 = (value) => [value >>> 8, value & 255];
