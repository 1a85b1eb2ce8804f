/**
 * What a WebAssembly guest asks of its embedder, which has the network: functions that are imported, and one that the
 * embedder calls. The operations and events are those of the transports of the Python reference, by the same names.
 *
 * An operation names what it is about by a handle, a number that the guest has drawn; what else it needs is JSON, and
 * bytes travel beside it. Events come by themselves: never within a call of an operation.
 *
 * | operation                      | what it does                                                                      |
 * | ------------------------------ | --------------------------------------------------------------------------------- |
 * | connect {type, remote, local…} | begins to connect: `connected` or `failed` follows                                |
 * | take {server, arrival}         | takes a connection that was `incoming`: as above                                  |
 * | refuse {server, arrival}       | resets it                                                                         |
 * | send, bytes                    | true if the system has taken all of them; else `write-finished` follows           |
 * | send-datagram {remote}, bytes  | the same for one datagram; `remote` null for what is connected. On a connection of |
 * |                                | QUIC `datagrams-sent` follows                                                      |
 * | send-fin                       | false if the connection is broken                                                 |
 * | pause, resume                  | stops and goes on reading                                                         |
 * | apply {noDelay…}               | sets options of the system                                                        |
 * | secure {tls, remote}, bytes    | makes a TLS handshake, to which the bytes belong: `secured` or `failed` follows   |
 * | reset-stream, stop-sending     | of a QUIC stream: RESET_STREAM and STOP_SENDING                                    |
 * | open-stream {unidirectional}   | the number of a new one, or null: `streams-allowed` will say when to ask again    |
 * | listen-on {connection, stream} | gives one of them a handle of its own, about which its events come                |
 * | claim {unidirectional, change} | so many more streams of the peer wait for the program, or fewer: it may open less |
 * | max-datagram-size, packets     | bytes; and how many packets were sent and received, as JSON                       |
 * | keep {needed}                  | whether the socket is a reason for the program to live on                         |
 * | release {reset}                | gives it up: `released` follows                                                   |
 * | listen {type, local…}          | `listening` or `failed` follows, then `incoming` for each connection              |
 * | close                          | stops listening: `released` follows                                               |
 * | check-credentials {tls}        | about no handle: what is wrong with keys and certificates, or null                |
 *
 * Bytes within JSON are `{"base64": "…"}`.
 *
 * @typedef {import("../transport.js").TransportFailure} TransportFailure
 *
 * @typedef {object} Host what the embedder provides as `globalThis.commonsocketHost`
 * @property {readonly import("../transport.js").SocketType[]} types
 * @property {(operation: string, handle: number, details: string, bytes?: Uint8Array) => unknown} call
 * @property {(handle: number, event: string, details: string, bytes?: Uint8Array<ArrayBuffer>) => unknown} [deliver] set by this
 *   module, called by the embedder
 *
 * @typedef {(details: any, bytes: Uint8Array<ArrayBuffer>) => unknown} Reaction
 * @typedef {Record<string, Reaction>} Reactions by event
 */

import { bytesFromBase64, toBase64 } from "../base64.js";

/** @type {Host | undefined} */
const host = /** @type {any} */ (globalThis).commonsocketHost;

/** @type {Map<number, Reactions>} */
const handles = new Map();

/** The handle of operations that are about none. */
export const none = 0;

let drawn = none;

if (host) host.deliver = (handle, event, details, bytes) => deliver(handle, event, details, bytes);

/** @returns {readonly import("../transport.js").SocketType[]} */
export function hostTypes() {
  return host?.types ?? [];
}

/**
 * @param {Reactions} reactions to the events of the new handle
 * @returns {number} a handle
 */
export function draw(reactions) {
  drawn += 1;
  handles.set(drawn, reactions);
  return drawn;
}

/** @param {number} handle about which nothing more will be told */
export function forget(handle) {
  handles.delete(handle);
}

/**
 * @param {string} operation
 * @param {number} handle
 * @param {object} [details]
 * @param {Uint8Array} [bytes]
 * @returns {unknown} null about a handle that was forgotten
 */
export function ask(operation, handle, details = {}, bytes = undefined) {
  // What was released stands for nothing any more, though what it has brought may still be read.
  if (handle !== none && !handles.has(handle)) return null;
  return /** @type {Host} */ (host).call(operation, handle, JSON.stringify(details, asBase64), bytes);
}

/**
 * @param {number} handle
 * @param {string} event
 * @param {string} details
 * @param {Uint8Array<ArrayBuffer>} [bytes] whose memory nobody else has
 */
function deliver(handle, event, details, bytes = new Uint8Array()) {
  return handles.get(handle)?.[event]?.(details && JSON.parse(details, fromBase64), bytes);
}

/**
 * @param {string} _name
 * @param {any} value
 */
function asBase64(_name, value) {
  return value instanceof Uint8Array ? { base64: toBase64(value) } : value;
}

/**
 * @param {string} _name
 * @param {any} value
 */
function fromBase64(_name, value) {
  return typeof value?.base64 === "string" ? bytesFromBase64(value.base64) : value;
}

/**
 * @param {any} details as the event `failed` has them
 * @returns {TransportFailure}
 */
export function failureFrom({ phase, code, message, attempts }) {
  const errors = attempts.map((/** @type {any} */ attempt) => systemError(attempt));
  const cause = errors.length > 1 ? new AggregateError(errors, message) : systemError({ code, message });
  return { phase, code, message, cause };
}

/** @param {{code: string | null, message: string}} failure */
function systemError({ code, message }) {
  return Object.assign(new Error(message), { code });
}
