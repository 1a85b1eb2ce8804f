/**
 * `commonsocket serve`: a host of one socket worker.
 */

import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Socket } from "../src/index.js";
import { installScope, listen } from "../src/worker.js";

/**
 * @typedef {Awaited<ReturnType<typeof listen>>} WorkerServer
 *
 * @typedef {object} Plan what the arguments ask for
 * @property {string} worker
 * @property {{text: string, init: object}[]} listeners
 * @property {number} grace ms
 */

/** A mistake of the user. */
class Mistake extends Error {}

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code, when the worker has been stopped
 */
export async function serve(args) {
  try {
    const plan = planOf(args);
    installScope();
    for (const type of /** @type {const} */ (["uncaughtException", "unhandledRejection"])) {
      // "Exceptions are reported": a fault in the handling of one connection does not end the others.
      process.on(type, (/** @type {unknown} */ reason) => console.error("commonsocket: uncaught:", reason));
    }
    if (!(await load(plan.worker))) return 1;
    const servers = await listenAll(plan.listeners);
    const stopped = stopSignal();
    for (const [index, { address }] of servers.entries()) {
      process.stdout.write(`${addressText(plan.listeners[index].text, address)}\n`);
    }
    await stopped;
    const counts = await Promise.all(servers.map((server) => server.stop(plan.grace)));
    const count = counts.reduce((sum, each) => sum + each, 0);
    if (count > 0) say(`${count} connections had not finished after ${plan.grace / 1000} s and were reset`);
    return 0;
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    say(error.message);
    return 2;
  }
}

/** @param {string} message */
function say(message) {
  process.stderr.write(`commonsocket: ${message}\n`);
}

/**
 * @param {string[]} args
 * @returns {Plan}
 * @throws {Mistake}
 */
function planOf(args) {
  const { values, positionals } = parse(args);
  const [worker, stranger] = positionals;
  if (worker === undefined) throw new Mistake("serve needs the file of a worker; try --help");
  if (stranger !== undefined) throw new Mistake(`serve runs one worker, and "${stranger}" is one too many`);
  if (!values.listen) throw new Mistake("serve needs --listen, such as --listen tcp://127.0.0.1:8080");
  if (!existsSync(worker)) throw new Mistake(`${worker}: there is no such file`);
  const grace = Number(values.grace);
  if (values.grace.trim() === "" || !(grace >= 0 && grace < 1e6)) {
    throw new Mistake(`--grace takes a number of seconds, and "${values.grace}" is none`);
  }
  const tls = credentials(values);
  return { worker, listeners: values.listen.map((text) => listenerOf(text, tls)), grace: grace * 1000 };
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        listen: { type: "string", multiple: true },
        key: { type: "string" },
        cert: { type: "string" },
        alpn: { type: "string", multiple: true },
        grace: { type: "string", default: "10" },
      },
    });
  } catch (error) {
    throw new Mistake(`${/** @type {Error} */ (error).message.split("\n")[0]}; try --help`);
  }
}

/**
 * @param {{key?: string, cert?: string, alpn?: string[]}} options
 * @returns {{key: string, cert: string, alpn?: string[]} | undefined}
 */
function credentials({ key, cert, alpn }) {
  if (key === undefined && cert === undefined) return undefined;
  if (key === undefined || cert === undefined) throw new Mistake("--key and --cert go together");
  return { key: contents(key), cert: contents(cert), ...(alpn && { alpn }) };
}

/** @param {string} file */
function contents(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Mistake(`${file} cannot be read: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * @param {string} text such as tcp://127.0.0.1:0
 * @param {object | undefined} tls
 */
function listenerOf(text, tls) {
  const [, type, host, digits] = text.match(/^(\w+):\/\/(.*):(\d+)$/) ?? [];
  if (digits === undefined) throw new Mistake(`--listen takes an address such as tcp://127.0.0.1:8080, not "${text}"`);
  if (!Socket.supportedTypes.includes(/** @type {any} */ (type))) {
    throw new Mistake(`${text}: only ${Socket.supportedTypes.join(", ")} can be listened for here`);
  }
  const address = host.replace(/^\[(.*)\]$/, "$1");
  if (host !== "*" && !isIP(address)) throw new Mistake(`${text}: the host is to be an IP address, or *`);
  const port = Number(digits);
  if (port > 65535) throw new Mistake(`${text}: ports go up to 65535`);
  const encrypted = type === "tls" || type === "quic";
  if (encrypted && !tls) throw new Mistake(`${text} needs --key and --cert`);
  const local = host === "*" ? { port } : { address, port };
  return { text, init: { type, local, ...(encrypted && { tls }) } };
}

/**
 * @param {string} text the address that was asked for
 * @param {{address: string, port: number} | null} bound
 */
function addressText(text, bound) {
  const { address, port } = /** @type {{address: string, port: number}} */ (bound);
  return `${text.slice(0, text.indexOf(":"))}://${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
}

/**
 * @param {string} worker
 * @returns {Promise<boolean>} whether it could be run
 */
async function load(worker) {
  try {
    await import(pathToFileURL(resolve(worker)).href);
    return true;
  } catch (error) {
    console.error(`commonsocket: ${worker} failed:`, error);
    return false;
  }
}

/**
 * @param {Plan["listeners"]} listeners
 * @returns {Promise<WorkerServer[]>}
 * @throws {Mistake} where one of them cannot be bound; then none is
 */
async function listenAll(listeners) {
  const outcomes = await Promise.allSettled(listeners.map(({ init }) => listen(init)));
  /** @type {WorkerServer[]} */
  const servers = [];
  for (const outcome of outcomes) if (outcome.status === "fulfilled") servers.push(outcome.value);
  const failed = outcomes.findIndex(({ status }) => status === "rejected");
  if (failed < 0) return servers;
  await Promise.all(servers.map((server) => server.close()));
  const { reason } = /** @type {PromiseRejectedResult} */ (outcomes[failed]);
  throw new Mistake(`${listeners[failed].text}: ${reason.errorCode ?? reason.name}: ${reason.message}`);
}

/** @returns {Promise<unknown>} fulfils when the process is asked to stop; asked again, it exits */
function stopSignal() {
  return new Promise((resolve) => {
    let asked = false;
    for (const [name, number] of /** @type {const} */ ([
      ["SIGTERM", 15],
      ["SIGINT", 2],
    ])) {
      process.on(name, () => {
        // What a shell says of a process that a signal has ended.
        if (asked) process.exit(128 + number);
        asked = true;
        resolve(undefined);
      });
    }
  });
}
