/** Violations of what HTML promises of event handler attributes, each a change of a right implementation of one. */

import { reading, redefine } from "./definitions.js";

/**
 * @typedef {object} Changes
 * @property {(value: any) => any} [keep] what an assigned value becomes
 * @property {(value: any) => any} [show] what a kept value is read as
 * @property {(handler: any, socket: any, event: Event) => void} [call] how a handler is called for an event
 * @property {boolean} [requeue] whether the listener goes to the end of the queue with each assignment
 * @property {boolean} [stays] whether the listener stays when the handler is set to null
 */

/** @type {(value: any) => any} */
const objects = (value) =>
  (typeof value === "object" && value !== null) || typeof value === "function" ? value : null;

/** @type {(handler: any, socket: any, event: Event) => void} */
const callFunctions = (handler, socket, event) => {
  if (typeof handler === "function") Reflect.apply(handler, socket, [event]);
};

/**
 * Gives Socket another `onready`.
 *
 * @param {any} api
 * @param {Changes} [changes]
 */
function onready({ Socket }, { keep = objects, show = (value) => value, call = callFunctions, requeue, stays } = {}) {
  /** @type {WeakMap<object, {value: any, last: any, listener: (event: Event) => void}>} */
  const state = new WeakMap();
  const { set } = /** @type {any} */ (Reflect.getOwnPropertyDescriptor(Socket.prototype, "onready"));
  const holder = {
    set onready(/** @type {any} */ value) {
      Reflect.apply(set, this, [null]);
      assign(this, keep(value));
    },
  };
  /** @type {(socket: any, value: any) => void} */
  const assign = (socket, value) => {
    const entry = state.get(socket) ?? { value: null, last: null, listener: () => {} };
    const active = entry.value !== null && entry.value !== undefined;
    entry.value = value;
    if (active && (requeue || (value === null && !stays))) socket.removeEventListener("ready", entry.listener);
    if (value !== null && (!active || requeue)) {
      entry.listener = (event) => call(entry.value ?? entry.last, socket, event);
      socket.addEventListener("ready", entry.listener);
    }
    entry.last = value ?? entry.last;
    state.set(socket, entry);
  };
  reading(Socket, "onready", (read, socket) => {
    read();
    return show(state.get(socket)?.value ?? null);
  });
  redefine(Socket.prototype, "onready", { set: Reflect.getOwnPropertyDescriptor(holder, "onready")?.set });
}

/** @type {Record<string, (api: any) => void>} */
export const handlers = {
  "a handler is right": (api) => onready(api),
  "a handler is undefined at first": (api) => onready(api, { show: (value) => value ?? undefined }),
  "a handler is wrapped": (api) =>
    onready(api, { show: (value) => (typeof value === "function" ? value.bind(undefined) : value) }),
  "a handler is never called": (api) => onready(api, { call: () => {} }),
  "a handler gets no event": (api) =>
    onready(api, { call: (handler, socket) => callFunctions(handler?.bind(socket), socket, new Event("ready")) }),
  "a handler gets no receiver": (api) =>
    onready(api, { call: (handler, _, event) => callFunctions(handler, undefined, event) }),
  "a handler gets more arguments": (api) =>
    onready(api, {
      call: (handler, socket, event) => {
        if (typeof handler === "function") Reflect.apply(handler, socket, [event, null]);
      },
    }),
  "a handler is called twice": (api) =>
    onready(api, {
      call: (handler, socket, event) => {
        callFunctions(handler, socket, event);
        callFunctions(handler, socket, event);
      },
    }),
  "a handler loses its turn": (api) => onready(api, { requeue: true }),
  "a handler stays": (api) => onready(api, { stays: true }),
  "a handler may be a primitive": (api) => onready(api, { keep: (value) => value ?? null }),
  "a handler must be a function": (api) =>
    onready(api, { keep: (value) => (typeof value === "function" ? value : null) }),
  "a handler may be an object with handleEvent": (api) =>
    onready(api, {
      call: (handler, socket, event) =>
        typeof handler === "function" ? callFunctions(handler, socket, event) : handler.handleEvent(event),
    }),
};
