/**
 * node:quic as Bun has it, and what of it is told and taken by nothing but the methods that its own parts call on each
 * other. Where a version of Bun has no such method, its users lose what is said here with each, and nothing else.
 */

import { isBuiltin } from "node:module";

/** @typedef {Record<string, any>} QuicModule */

/** Where nothing imports it, nobody is warned that it is experimental; bundlers of other platforms need not find it. */
const name = "node:quic";

/** Whether this Bun has it. */
export const hasQuic = isBuiltin(name);

/** @returns {Promise<QuicModule>} */
export function importQuic() {
  return import(name);
}

/**
 * @param {Function} type a class of node:quic
 * @param {string} description
 * @returns {symbol} the name of a method, or one that nobody uses
 */
function internal(type, description) {
  const found = Object.getOwnPropertySymbols(type.prototype).find((symbol) => symbol.description === description);
  return found ?? Symbol(description);
}

/**
 * `connect()` of node:quic, but it offers all protocols, where that takes but one: else the first is the one that counts.
 * @param {QuicModule} quic
 * @param {object} address of the remote end
 * @param {any} options with an endpoint
 * @param {string[]} alpn
 * @returns {Promise<any>} a QuicSession
 */
export async function connectOffering({ QuicEndpoint, connect }, address, options, alpn) {
  const { endpoint } = options;
  const method = internal(QuicEndpoint, "kConnect");
  // RFC 7301 section 3.1: each ProtocolName has its length in front of it.
  const list = Buffer.concat(
    alpn.flatMap((protocol) => [Buffer.of(Buffer.byteLength(protocol)), Buffer.from(protocol)]),
  );
  endpoint[method] = (/** @type {any} */ to, /** @type {any} */ { tls, ...rest }) =>
    QuicEndpoint.prototype[method].call(endpoint, to, { ...rest, tls: { ...tls, alpn: list } });
  // The endpoint gets to work before this returns.
  const connecting = connect(address, { ...options, alpn: alpn[0] });
  delete endpoint[method];
  return connecting;
}

/**
 * @param {any} stream
 * @param {() => void} closing called when the stream is closed, and still tells its state
 */
export function onClosing(stream, closing) {
  const { prototype } = stream.constructor;
  const finishClose = internal(stream.constructor, "kFinishClose");
  stream[finishClose] = (/** @type {unknown[]} */ ...args) => {
    delete stream[finishClose];
    closing();
    return prototype[finishClose].apply(stream, args);
  };
}

/**
 * @typedef {object} Ending how a session ended
 * @property {"application" | "transport" | "idle" | "unknown"} kind whose error code it is; that nothing was heard of the
 *   peer; or that Bun does not tell
 * @property {number} code
 * @property {string} reason
 */

/** What the first argument of the method means, by its value. @type {Ending["kind"][]} */
const kinds = ["transport", "application", "unknown", "idle"];

/**
 * @param {QuicModule} quic
 * @param {any} session
 * @param {(ending: Ending) => void} ended called once, by whomever it was ended. Without the method an end without an
 *   error is a CONNECTION_CLOSE with the code 0
 */
export function onEnd({ QuicSession }, session, ended) {
  const finishClose = internal(QuicSession, "kFinishClose");
  /** @type {Ending | null} */
  let ending = null;
  session[finishClose] = (/** @type {[number, bigint, string | undefined]} */ ...args) => {
    const [kind, code, reason = ""] = args;
    // A session that leads to its streams by a property of ours would never be freed, nor they.
    delete session[finishClose];
    ending = { kind: kinds[kind] ?? "unknown", code: Number(code), reason };
    return QuicSession.prototype[finishClose].apply(session, args);
  };
  session.closed.then(
    () => ended(ending ?? { kind: "application", code: 0, reason: "" }),
    (/** @type {any} */ { type = "unknown", errorCode = 0n, reason, message }) =>
      ended(ending ?? { kind: type, code: Number(errorCode), reason: reason ?? message }),
  );
}
