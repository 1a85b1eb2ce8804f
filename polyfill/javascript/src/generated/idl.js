// Generated from spec/socket/socket.webidl by `conformance spec generate`; change the source, not this file.

/** @typedef {"object" | "any" | "undefined"} Bare a kind that has only one type */
/**
 * @typedef {object} NamedType a type that is one name
 * @property {"primitive" | "string" | "buffer" | "enum" | "dictionary" | "interface" | "callback" | Bare} kind
 * @property {string} name
 * @property {boolean} nullable
 * @property {true} [enforceRange]
 */
/**
 * @typedef {object} UnionType a choice between types
 * @property {"union"} kind
 * @property {readonly Type[]} members
 * @property {boolean} nullable
 */
/**
 * @typedef {object} GenericType a type over another one
 * @property {"sequence" | "FrozenArray" | "Promise"} kind
 * @property {Type} of
 * @property {boolean} nullable
 */
/** @typedef {NamedType | UnionType | GenericType} Type */
/**
 * @typedef {object} Member a member of a dictionary
 * @property {string} name
 * @property {boolean} required
 * @property {Type} type
 * @property {unknown} [default] there only if the member has one
 */
/**
 * @typedef {object} Dictionary
 * @property {string | null} inherits
 * @property {readonly Member[]} members its own, in the order of the IDL, which is not the order of conversion
 */

/**
 * @template T
 * @param {T} value
 * @returns {T}
 */
const freeze = (value) => {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
};

/**
 * The values of each enumeration.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const enums = freeze({
  SocketType: ["tcp", "udp", "tls", "quic"],
  SocketErrorCode: [
    "unknown",
    "access-denied",
    "name-unresolvable",
    "address-in-use",
    "address-not-bindable",
    "remote-unreachable",
    "connection-refused",
    "connection-reset",
    "connection-aborted",
    "timeout",
    "resource-limit",
    "tls-handshake-failed",
    "tls-certificate-rejected",
    "tls-protocol-error",
    "tls-truncated",
  ],
});

/**
 * The members of each dictionary.
 * @type {Readonly<Record<string, Dictionary>>}
 */
export const dictionaries = freeze({
  SocketAddress: {
    inherits: null,
    members: [
      { name: "address", required: true, type: { kind: "string", name: "USVString", nullable: false } },
      {
        name: "port",
        required: true,
        type: { kind: "primitive", name: "unsigned short", nullable: false, enforceRange: true },
      },
    ],
  },
  SocketLocalAddress: {
    inherits: null,
    members: [
      { name: "address", required: false, type: { kind: "string", name: "USVString", nullable: false } },
      {
        name: "port",
        required: false,
        type: { kind: "primitive", name: "unsigned short", nullable: false, enforceRange: true },
      },
    ],
  },
  SocketCertificateHash: {
    inherits: null,
    members: [
      { name: "algorithm", required: true, type: { kind: "string", name: "DOMString", nullable: false } },
      { name: "value", required: true, type: { kind: "buffer", name: "BufferSource", nullable: false } },
    ],
  },
  SocketTLSInit: {
    inherits: null,
    members: [
      { name: "servername", required: false, type: { kind: "string", name: "USVString", nullable: false } },
      {
        name: "alpn",
        required: false,
        type: { kind: "sequence", of: { kind: "string", name: "USVString", nullable: false }, nullable: false },
      },
      {
        name: "key",
        required: false,
        type: {
          kind: "union",
          members: [
            { kind: "interface", name: "CryptoKey", nullable: false },
            { kind: "string", name: "USVString", nullable: false },
            { kind: "buffer", name: "BufferSource", nullable: false },
          ],
          nullable: false,
        },
      },
      {
        name: "cert",
        required: false,
        type: {
          kind: "union",
          members: [
            { kind: "string", name: "USVString", nullable: false },
            { kind: "buffer", name: "BufferSource", nullable: false },
          ],
          nullable: false,
        },
      },
      {
        name: "ca",
        required: false,
        type: {
          kind: "sequence",
          of: {
            kind: "union",
            members: [
              { kind: "string", name: "USVString", nullable: false },
              { kind: "buffer", name: "BufferSource", nullable: false },
            ],
            nullable: false,
          },
          nullable: false,
        },
      },
      {
        name: "serverCertificateHashes",
        required: false,
        type: {
          kind: "sequence",
          of: { kind: "dictionary", name: "SocketCertificateHash", nullable: false },
          nullable: false,
        },
      },
      {
        name: "requestClientCertificate",
        required: false,
        type: { kind: "primitive", name: "boolean", nullable: false },
      },
    ],
  },
  SocketInit: {
    inherits: null,
    members: [
      { name: "type", required: false, type: { kind: "enum", name: "SocketType", nullable: false } },
      { name: "remote", required: false, type: { kind: "dictionary", name: "SocketAddress", nullable: false } },
      { name: "local", required: false, type: { kind: "dictionary", name: "SocketLocalAddress", nullable: false } },
      { name: "tls", required: false, type: { kind: "dictionary", name: "SocketTLSInit", nullable: false } },
      { name: "signal", required: false, type: { kind: "interface", name: "AbortSignal", nullable: false } },
      { name: "allowHalfOpen", required: false, type: { kind: "primitive", name: "boolean", nullable: false } },
      { name: "noDelay", required: false, type: { kind: "primitive", name: "boolean", nullable: false } },
      {
        name: "keepAliveDelay",
        required: false,
        type: { kind: "primitive", name: "unsigned long", nullable: false, enforceRange: true },
      },
      {
        name: "readyTimeout",
        required: false,
        type: { kind: "primitive", name: "unsigned long", nullable: false, enforceRange: true },
      },
      {
        name: "idleTimeout",
        required: false,
        type: { kind: "primitive", name: "unsigned long", nullable: false, enforceRange: true },
      },
      {
        name: "sendBufferSize",
        required: false,
        type: { kind: "primitive", name: "unsigned long", nullable: false, enforceRange: true },
      },
      {
        name: "receiveBufferSize",
        required: false,
        type: { kind: "primitive", name: "unsigned long", nullable: false, enforceRange: true },
      },
      { name: "ttl", required: false, type: { kind: "primitive", name: "octet", nullable: false, enforceRange: true } },
    ],
  },
  SocketErrorOptions: {
    inherits: null,
    members: [
      {
        name: "errorCode",
        required: false,
        type: { kind: "enum", name: "SocketErrorCode", nullable: false },
        default: "unknown",
      },
      {
        name: "systemCode",
        required: false,
        type: { kind: "string", name: "DOMString", nullable: true },
        default: null,
      },
    ],
  },
  SocketErrorEventInit: {
    inherits: "EventInit",
    members: [
      { name: "error", required: false, type: { kind: "any", name: "any", nullable: false } },
      { name: "fatal", required: false, type: { kind: "primitive", name: "boolean", nullable: false }, default: true },
    ],
  },
  SocketDatagram: {
    inherits: null,
    members: [
      { name: "data", required: true, type: { kind: "buffer", name: "BufferSource", nullable: false } },
      { name: "remote", required: false, type: { kind: "dictionary", name: "SocketAddress", nullable: false } },
    ],
  },
  ConnectEventInit: {
    inherits: "EventInit",
    members: [{ name: "socket", required: true, type: { kind: "interface", name: "Socket", nullable: false } }],
  },
  SocketListenerInit: {
    inherits: null,
    members: [
      { name: "type", required: false, type: { kind: "enum", name: "SocketType", nullable: false }, default: "tcp" },
      {
        name: "local",
        required: false,
        type: { kind: "dictionary", name: "SocketLocalAddress", nullable: false },
        default: {},
      },
      { name: "tls", required: false, type: { kind: "dictionary", name: "SocketTLSInit", nullable: false } },
      { name: "signal", required: false, type: { kind: "interface", name: "AbortSignal", nullable: false } },
      {
        name: "backlog",
        required: false,
        type: { kind: "primitive", name: "unsigned long", nullable: false, enforceRange: true },
      },
      {
        name: "reusePort",
        required: false,
        type: { kind: "primitive", name: "boolean", nullable: false },
        default: false,
      },
      {
        name: "accept",
        required: false,
        type: { kind: "dictionary", name: "SocketInit", nullable: false },
        default: {},
      },
    ],
  },
});
