/**
 * What the engine lacks of the web platform, from packages that are well kept, and timers and the console from the host.
 * An entry imports this module before anything that looks for a global.
 */

import "core-js/web/structured-clone.js";
import "core-js/web/url.js";
import { setErrorHandler, setWarningHandler } from "event-target-shim";
import { TextDecoder, TextEncoder } from "fast-text-encoding";
import * as streams from "web-streams-polyfill";
import { AbortController, AbortSignal } from "./abort.js";
import { Event, EventTarget } from "./events.js";

/** The functions that the host offers; `launcher.py` says what they do. @type {any} */
const host = globalThis;

/** @type {Map<number, () => void>} */
const timers = new Map();

let drawn = 0;

/**
 * @param {(...args: any[]) => void} callback
 * @param {number} delay ms
 * @param {any[]} args
 */
function setTimeout(callback, delay = 0, ...args) {
  drawn += 1;
  const id = drawn;
  timers.set(id, () => {
    timers.delete(id);
    callback(...args);
  });
  host.hostSetTimer(id, Math.max(Number(delay) || 0, 0));
  return id;
}

/** @param {number} id */
function clearTimeout(id) {
  if (timers.delete(id)) host.hostClearTimer(id);
}

/** @param {(text: string) => void} print */
function consoleOf(print) {
  /** @param {any[]} values */
  const log = (...values) =>
    print(values.map((value) => (value instanceof Error ? `${value}\n${value.stack}` : `${value}`)).join(" "));
  return { log, info: log, debug: log, warn: log, error: log };
}

// What listeners throw is reported, as by any event target.
setErrorHandler((error) => host.hostUncaught(error));
setWarningHandler(() => {});

Object.assign(globalThis, streams, {
  AbortController,
  AbortSignal,
  Event,
  EventTarget,
  TextDecoder,
  TextEncoder,
  clearTimeout,
  console: consoleOf((text) => host.hostPrint(text)),
  setTimeout,
});

host.hostTimerExpired = (/** @type {number} */ id) => timers.get(id)?.();
