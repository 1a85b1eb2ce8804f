// Generated from spec/socket/socket.webidl by `conformance spec generate`; change the source, not this file.

// Types of the platform that not every TypeScript library has under these names.

/** Bytes: a view or a buffer. One over shared memory is refused at run time. */
type BufferSource = ArrayBufferView | ArrayBuffer;

/** Any iterable object; a string is none. */
type Sequence<T> = Iterable<T> & object;

/** A CryptoKey of the Web Cryptography API. */
interface CryptoKey {
  readonly algorithm: object;
  readonly extractable: boolean;
  readonly type: string;
  readonly usages: readonly string[];
}

/** What an Event is made of. */
interface EventInit {
  bubbles?: boolean | undefined;
  cancelable?: boolean | undefined;
  composed?: boolean | undefined;
}

type Listener<Target, E> = ((this: Target, event: E) => unknown) | { handleEvent(event: E): unknown };
type ListenerOptions = boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal };
type RemovalOptions = boolean | { capture?: boolean };

declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** The protocol that a socket speaks. */
export type SocketType = "tcp" | "udp" | "tls" | "quic";

/** Why a socket failed, for programs to decide by. */
export type SocketErrorCode =
  | "unknown"
  | "access-denied"
  | "name-unresolvable"
  | "address-in-use"
  | "address-not-bindable"
  | "remote-unreachable"
  | "connection-refused"
  | "connection-reset"
  | "connection-aborted"
  | "timeout"
  | "resource-limit"
  | "tls-handshake-failed"
  | "tls-certificate-rejected"
  | "tls-protocol-error"
  | "tls-truncated";

/** The remote end of a connection. */
export interface SocketAddress {
  /** A host name, an IPv4 address, or an IPv6 address with or without brackets. */
  address: string;
  /** The port, never 0. */
  port: number;
}

/** The local end that a socket or a listener binds to. */
export interface SocketLocalAddress {
  /** An IP address of this machine; any of them when missing. */
  address?: string | undefined;
  /** The port; 0 or missing lets the system choose. */
  port?: number | undefined;
}

/** A hash that the certificate of the server must have. */
export interface SocketCertificateHash {
  /** The name of the hash function: "sha-256". */
  algorithm: string;
  /** The hash of the certificate in DER form. */
  value: BufferSource;
}

/** What TLS is told: names, certificates and trust. */
export interface SocketTLSInit {
  /** The name that the server's certificate must carry, sent as SNI; the host name of `remote` when missing. */
  servername?: string | undefined;
  /** The application protocols to offer or accept, the preferred one first. */
  alpn?: Sequence<string> | undefined;
  /** The private key that belongs to `cert`: a CryptoKey, PEM or DER. */
  key?: CryptoKey | string | BufferSource | undefined;
  /** The certificate that this end presents, with its chain: PEM or DER. */
  cert?: string | BufferSource | undefined;
  /** The certificates to trust instead of the system's: PEM or DER each. */
  ca?: Sequence<string | BufferSource> | undefined;
  /** Accept exactly the servers whose certificate has one of these hashes, whatever its chain and name. */
  serverCertificateHashes?: Sequence<SocketCertificateHash> | undefined;
  /** As a server: ask the client for a certificate. */
  requestClientCertificate?: boolean | undefined;
}

/** What the constructor and update() of Socket take. */
export interface SocketInit {
  /** The protocol; "tcp" when missing. */
  type?: SocketType | undefined;
  /** Where to connect to. */
  remote?: SocketAddress | undefined;
  /** Where to bind. */
  local?: SocketLocalAddress | undefined;
  /** Names, certificates and trust for TLS. */
  tls?: SocketTLSInit | undefined;
  /** Aborts the socket with its reason, at any time. */
  signal?: AbortSignal | undefined;
  /** Whether this end may go on sending after the peer has finished; true when missing. */
  allowHalfOpen?: boolean | undefined;
  /** Whether small writes are sent without delay (TCP_NODELAY); false when missing. */
  noDelay?: boolean | undefined;
  /** Idle time before the first keep-alive probe, in milliseconds; 0 or missing is off. */
  keepAliveDelay?: number | undefined;
  /** Time for name resolution, connection and handshake together, in milliseconds; 0 or missing is no limit. */
  readyTimeout?: number | undefined;
  /** Time without a byte in either direction after which the socket fails, in milliseconds; 0 or missing is no limit. */
  idleTimeout?: number | undefined;
  /** How many bytes may wait in the writable before it signals backpressure; 65536 when missing. */
  sendBufferSize?: number | undefined;
  /** How many received bytes may wait to be read before receiving pauses; 65536 when missing. */
  receiveBufferSize?: number | undefined;
  /** The hop limit of outgoing packets. */
  ttl?: number | undefined;
}

/** What a SocketError is made of. */
export interface SocketErrorOptions {
  /** What went wrong. */
  errorCode?: SocketErrorCode | undefined;
  /** The name that the system has for it. */
  systemCode?: string | null | undefined;
}

/** What a SocketErrorEvent is made of. */
export interface SocketErrorEventInit extends EventInit {
  /** The error. */
  error?: any;
  /** Whether it ended the socket. */
  fatal?: boolean | undefined;
}

/** A chunk of a bound udp socket: one datagram and its remote end. */
export interface SocketDatagram {
  /** The payload. */
  data: BufferSource;
  /** Where it came from or goes to. */
  remote?: SocketAddress | undefined;
}

/** What a ConnectEvent is made of. */
export interface ConnectEventInit extends EventInit {
  /** The connection. */
  socket: Socket;
}

/** What the constructor of SocketListener takes. */
export interface SocketListenerInit {
  /** The protocol of the connections to accept. */
  type?: SocketType | undefined;
  /** Where to listen. */
  local?: SocketLocalAddress | undefined;
  /** Names, certificates and trust for TLS. */
  tls?: SocketTLSInit | undefined;
  /** Closes the listener. */
  signal?: AbortSignal | undefined;
  /** How many connections may wait to be accepted. */
  backlog?: number | undefined;
  /** Whether several listeners may share the port. */
  reusePort?: boolean | undefined;
  /** The options of the accepted sockets: only those that update() can change. */
  accept?: SocketInit | undefined;
}

/** The events of Socket. */
export interface SocketEventMap {
  ready: Event;
  end: Event;
  error: SocketErrorEvent;
  close: Event;
}

/** A connection, or a bound udp socket: two streams and what happens to them. */
export class Socket<Chunk = Uint8Array<ArrayBuffer>> extends EventTarget {
  /** Checks the init and begins to connect; `init` is converted to SocketInit. */
  constructor(init: SocketInit);
  /** Changes options, or upgrades tcp to tls; `init` is converted to SocketInit. */
  update(init: SocketInit): Promise<undefined>;
  /** What the peer sends. */
  readonly readable: ReadableStream<Chunk>;
  /** What is sent to the peer. */
  readonly writable: WritableStream<BufferSource | SocketDatagram>;
  /** Fulfils when the connection is made; rejects when it cannot be. */
  readonly ready: Promise<undefined>;
  /** Fulfils when both directions have ended cleanly; rejects with the error that ended the socket. */
  readonly closed: Promise<undefined>;
  /** Ends the socket at once, dropping what is unsent and unread; fulfils when its resources are released. */
  abort(reason?: any): Promise<undefined>;
  /** Is aborted when the socket fails or is aborted, with the same reason; never on a clean end. */
  readonly signal: AbortSignal;
  /** Counters and times, live. */
  readonly stats: SocketStats;
  /** Addresses and TLS parameters, live. */
  readonly info: SocketInfo;
  /** Streams and datagrams besides the primary stream; null unless the type is "quic". */
  readonly quic: QuicSession | null;
  /** The types that this implementation can connect with. */
  static readonly supportedTypes: readonly SocketType[];
  /** The connection is made. */
  onready: ((this: this, event: Event) => unknown) | null;
  /** The peer has finished sending and everything was read. */
  onend: ((this: this, event: Event) => unknown) | null;
  /** The socket has failed; with `fatal` false, something went wrong that a udp socket survives. */
  onerror: ((this: this, event: SocketErrorEvent) => unknown) | null;
  /** The socket is at its end; nothing happens to it any more. */
  onclose: ((this: this, event: Event) => unknown) | null;
  addEventListener<Type extends keyof SocketEventMap>(
    type: Type,
    listener: Listener<this, SocketEventMap[Type]> | null,
    options?: ListenerOptions,
  ): void;
  addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void;
  removeEventListener<Type extends keyof SocketEventMap>(
    type: Type,
    listener: Listener<this, SocketEventMap[Type]> | null,
    options?: RemovalOptions,
  ): void;
  removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void;
  /** Flushes what was written, ends the connection and settles as `closed` does. */
  [Symbol.asyncDispose](): Promise<undefined>;
}

/** What `toJSON()` of SocketStats returns. */
export interface SocketStatsJSON {
  bytesSent: number;
  bytesReceived: number;
  packetsSent: number | null;
  packetsReceived: number | null;
  packetsDropped: number | null;
  createdAt: number;
  readyAt: number | null;
  closedAt: number | null;
}

/** The counters and times of a socket. */
export class SocketStats {
  private constructor();
  /** Payload bytes that the transport has taken. */
  readonly bytesSent: number;
  /** Payload bytes that have arrived, read or not. */
  readonly bytesReceived: number;
  /** Packets sent; null for tcp and tls. */
  readonly packetsSent: number | null;
  /** Packets received; null for tcp and tls. */
  readonly packetsReceived: number | null;
  /** Packets dropped on either way; null for tcp and tls. */
  readonly packetsDropped: number | null;
  /** When the socket was constructed or accepted. */
  readonly createdAt: number;
  /** When the connection was made; null before. */
  readonly readyAt: number | null;
  /** When the socket came to its end; null before. */
  readonly closedAt: number | null;
  /** A plain object with all of them, as they are now. */
  toJSON(): SocketStatsJSON;
}

/** What `toJSON()` of SocketEndpoint returns. */
export interface SocketEndpointJSON {
  address: string;
  port: number;
}

/** One end of a connection. */
export class SocketEndpoint {
  private constructor();
  /** The IP address, IPv6 without brackets. */
  readonly address: string;
  /** The port. */
  readonly port: number;
  /** A plain object with both. */
  toJSON(): SocketEndpointJSON;
}

/** What `toJSON()` of SocketInfo returns. */
export interface SocketInfoJSON {
  type: SocketType;
  remote: SocketEndpointJSON | null;
  local: SocketEndpointJSON | null;
}

/** What is known about a connection. */
export class SocketInfo {
  private constructor();
  /** The protocol that the socket speaks now. */
  readonly type: SocketType;
  /** The remote end; null before the connection is made. */
  readonly remote: SocketEndpoint | null;
  /** The local end; null before the connection is made. */
  readonly local: SocketEndpoint | null;
  /** What the handshake agreed on; null without TLS. */
  readonly tls: SocketTLSInfo | null;
  /** A plain object with the type and both ends, as they are now. */
  toJSON(): SocketInfoJSON;
}

/** What a TLS handshake agreed on. */
export class SocketTLSInfo {
  private constructor();
  /** The protocol version: "TLSv1.3". */
  readonly version: string;
  /** The IANA name of the cipher suite. */
  readonly cipher: string;
  /** The application protocol; null when none was negotiated. */
  readonly alpn: string | null;
  /** The server name that was sent; null when none was. */
  readonly servername: string | null;
  /** The certificates of the peer in DER form, its own first. */
  readonly peerCertificates: readonly ArrayBuffer[];
}

/** A failure of the network, of name resolution or of TLS. */
export class SocketError extends DOMException {
  /** Makes an error; only tests and wrappers need to. */
  constructor(message?: string, options?: SocketErrorOptions);
  /** What went wrong. */
  readonly errorCode: SocketErrorCode;
  /** The name that the system has for it ("ECONNREFUSED"); null when there is none. */
  readonly systemCode: string | null;
}

/** The `error` event of a socket. */
export class SocketErrorEvent extends Event {
  /** Makes an event; only tests and wrappers need to. */
  constructor(type: string, eventInitDict?: SocketErrorEventInit);
  /** The error, the same object that `closed` rejects with when it is fatal. */
  readonly error: any;
  /** Whether it ended the socket. */
  readonly fatal: boolean;
}

/** The streams and datagrams of a QUIC connection besides its primary stream. */
export class QuicSession {
  private constructor();
  /** Opens a stream for both directions. */
  createBidirectionalStream(): Promise<QuicStream>;
  /** Opens a stream for sending. */
  createUnidirectionalStream(): Promise<WritableStream<BufferSource>>;
  /** The streams for both directions that the peer opens. */
  readonly incomingBidirectionalStreams: ReadableStream<QuicStream>;
  /** The streams for receiving that the peer opens. */
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** Unreliable datagrams, both ways. */
  readonly datagrams: QuicStream;
  /** The largest datagram that can be sent now, in bytes. */
  readonly maxDatagramSize: number;
}

/** Two directions that belong together. */
export class QuicStream {
  private constructor();
  /** What the peer sends. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What is sent to the peer. */
  readonly writable: WritableStream<BufferSource>;
}

/** The `connect` event: a connection that came in. */
export class ConnectEvent extends Event {
  /** Makes an event; only tests and wrappers need to. */
  constructor(type: string, eventInitDict: ConnectEventInit);
  /** The connection, ready to use. */
  readonly socket: Socket;
  /** Resets the connection instead of taking it; only while the event is dispatched. */
  reject(reason?: any): undefined;
  /** Keeps the worker alive until the promise settles. */
  waitUntil(promise: PromiseLike<any>): undefined;
}

/** The events of SocketListener. */
export interface SocketListenerEventMap {
  connect: ConnectEvent;
}

/** Accepts connections where the platform does not bring them by itself. */
export class SocketListener extends EventTarget {
  /** Checks the init and begins to listen. */
  constructor(init?: SocketListenerInit);
  /** Fulfils when the listener is bound. */
  readonly ready: Promise<undefined>;
  /** Fulfils when the listener was closed; rejects with the error that ended it. */
  readonly closed: Promise<undefined>;
  /** The local end, with the port that the system chose. */
  readonly info: SocketInfo;
  /** Stops accepting; connections that were accepted live on. */
  close(): Promise<undefined>;
  /** A connection came in. */
  onconnect: ((this: this, event: ConnectEvent) => unknown) | null;
  /** The connections as they come in; leaving the loop closes the listener. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Socket>;
  /** The same iterator. */
  values(): AsyncIterableIterator<Socket>;
  addEventListener<Type extends keyof SocketListenerEventMap>(
    type: Type,
    listener: Listener<this, SocketListenerEventMap[Type]> | null,
    options?: ListenerOptions,
  ): void;
  addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void;
  removeEventListener<Type extends keyof SocketListenerEventMap>(
    type: Type,
    listener: Listener<this, SocketListenerEventMap[Type]> | null,
    options?: RemovalOptions,
  ): void;
  removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void;
}

/** What the global scope of a socket worker has. */
export interface SocketWorkerGlobalScope {
  /** A connection came in. */
  onconnect: ((event: ConnectEvent) => unknown) | null;
}

export {};
