/** What the agent claims for the implementation under test; the runner's manifest may allow less. */

/** @typedef {{types: Set<unknown>, globals: Record<string, any>, hosted: boolean}} Given */

/** @type {(type: string) => (given: Given) => boolean} */
const connects =
  (type) =>
  ({ types }) =>
    types.has(type);

/** @type {(name: string) => (given: Given) => boolean} */
const has =
  (name) =>
  ({ globals }) =>
    typeof globals[name] === "function";

/**
 * Whether sockets may be constructed with these members: "What is not supported is said at once", by a NotSupportedError.
 * @type {(init: object) => (given: Given) => boolean}
 */
const offers =
  (init) =>
  ({ globals }) => {
    try {
      // With a signal that is aborted already, nothing is sent.
      const { signal } = abortedController();
      new globals.Socket({ type: "tls", remote: { address: "127.0.0.1", port: 9 }, signal, ...init });
      return true;
    } catch (/** @type {any} */ { name }) {
      return name !== "NotSupportedError";
    }
  };

function abortedController() {
  const controller = new AbortController();
  controller.abort();
  return controller;
}

/** @type {(claim: (given: Given) => boolean) => (given: Given) => boolean} */
const accepts = (claim) => (given) => has("SocketListener")(given) && claim(given);

const tcp = connects("tcp");
const tls = connects("tls");
const udp = connects("udp");
const quic = connects("quic");

// The features of spec/socket/requirements.yaml that can be told from outside. A feature that depends on more is
// claimed with its socket type: the tests tell whether it is there.
/** @type {Record<string, (given: Given) => boolean>} */
const CLAIMS = {
  tcp,
  "half-open": tcp,
  byob: tcp,
  rst: tcp,
  bind: offers({ type: "tcp", local: { address: "127.0.0.1" } }),
  names: tcp,
  addresses: tcp,
  "socket-options": tcp,
  tls,
  starttls: tls,
  "trust-anchors": offers({ tls: { ca: [""] } }),
  "client-certificates": offers({ tls: { key: "", cert: "" } }),
  "certificate-hashes": offers({
    tls: { serverCertificateHashes: [{ algorithm: "sha-256", value: new Uint8Array(32) }] },
  }),
  "peer-certificates": tls,
  "truncation-detection": tls,
  udp,
  "udp-bound": udp,
  "udp-server": accepts(udp),
  quic,
  "quic-streams": quic,
  "quic-datagrams": quic,
  "quic-server": accepts(quic),
  server: has("SocketListener"),
  listener: has("SocketListener"),
  "connect-event": ({ hosted }) => hosted,
  "crypto-keys": has("CryptoKey"),
  "transferable-streams": has("structuredClone"),
  "structured-clone": has("structuredClone"),
  "detached-buffers": has("structuredClone"),
  "shared-memory": has("SharedArrayBuffer"),
  "async-iteration": ({ globals }) => Symbol.asyncIterator in globals.ReadableStream.prototype,
  "unhandled-rejections": () => true,
  "process-lifetime": () => true,
};

// What is expected of an implementation that does not say which types it supports.
const SIMPLEST = ["tcp"];

/**
 * @param {Record<string, any>} globals
 * @param {boolean} hosted whether there is a host of socket workers
 * @returns {string[]}
 */
export function claimedFeatures(globals, hosted) {
  let types;
  try {
    types = new Set(globals.Socket.supportedTypes ?? SIMPLEST);
  } catch {
    types = new Set(SIMPLEST);
  }
  const given = { types, globals, hosted };
  return Object.keys(CLAIMS).filter((name) => CLAIMS[name](given));
}
