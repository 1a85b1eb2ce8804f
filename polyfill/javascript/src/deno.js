/**
 * The part of Deno's API for connections that clients of databases, caches and brokers use, on top of the common Socket:
 * drivers that were written for Deno run on it wherever the socket does, when `Deno` is made to mean this module.
 */

import { Conn, TlsConn, take } from "./deno/conn.js";
import { errors } from "./deno/errors.js";
import { Link } from "./deno/link.js";

export { Conn, errors, TlsConn };

/**
 * @typedef {import("../types/deno.d.ts").ConnectOptions} ConnectOptions
 * @typedef {import("../types/deno.d.ts").ConnectTlsOptions} ConnectTlsOptions
 * @typedef {import("../types/deno.d.ts").StartTlsOptions} StartTlsOptions
 * @typedef {import("../types/socket.d.ts").SocketInit} SocketInit
 * @typedef {import("../types/socket.d.ts").SocketTLSInit} SocketTLSInit
 */

/** What Deno connects to where nothing is said. */
const here = "127.0.0.1";

/**
 * @param {ConnectOptions} options
 * @returns {Promise<Conn>}
 */
export async function connect(options) {
  return new Conn(await new Link(connectInit(options)).opened());
}

/**
 * @param {ConnectTlsOptions} options
 * @returns {Promise<TlsConn>} rejects also where the handshake fails, which Deno tells with the first read or write
 */
export async function connectTls(options) {
  const { hostname = here } = options;
  return new TlsConn(
    await new Link({ ...connectInit(options), type: "tls", tls: tlsInit(options, hostname) }).opened(),
  );
}

/**
 * @param {Conn} conn which is of no use any more
 * @param {StartTlsOptions} [options]
 * @returns {Promise<TlsConn>} rejects also where the handshake fails
 */
export async function startTls(conn, options = {}) {
  const tls = tlsInit(options, options.hostname ?? here);
  const link = take(conn);
  await link.secure(tls);
  return new TlsConn(link);
}

/**
 * @param {ConnectOptions} options
 * @returns {SocketInit}
 */
function connectInit({ hostname = here, port, transport = "tcp", signal }) {
  if (transport !== "tcp")
    throw new errors.NotSupported(`commonsocket/deno connects by tcp only, not by "${transport}"`);
  if (!Number.isInteger(port)) throw new TypeError(`Invalid port (expected number): ${port}`);
  if (port < 0 || port > 65_535) throw new RangeError(`Invalid port (out of range): ${port}`);
  return { type: "tcp", remote: { address: hostname, port }, ...(signal && { signal }) };
}

/**
 * @param {StartTlsOptions & Pick<ConnectTlsOptions, "cert" | "key">} options
 * @param {string} servername
 * @returns {SocketTLSInit}
 */
function tlsInit({ caCerts, alpnProtocols, cert, key, unsafelyDisableHostnameVerification }, servername) {
  if (unsafelyDisableHostnameVerification) {
    throw new errors.NotSupported(
      "commonsocket/deno always checks the name in a certificate: give the name that it has as hostname of startTls()",
    );
  }
  return {
    servername,
    ...(caCerts && { ca: caCerts }),
    ...(alpnProtocols && { alpn: alpnProtocols }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

export default { Conn, TlsConn, connect, connectTls, errors, startTls };
