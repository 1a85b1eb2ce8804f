// The Common Socket API.
//
// The comment before a definition or a member says in a line what it is; it goes into the generated types.
// What it must do is said in requirements.yaml. Socket's members before the blank line are those of the interface
// that was proposed in November 2021: they keep their names, types and arity.

// The protocol that a socket speaks.
enum SocketType { "tcp", "udp", "tls", "quic" };

// The remote end of a connection.
dictionary SocketAddress {
  // A host name, an IPv4 address, or an IPv6 address with or without brackets.
  required USVString address;
  // The port, never 0.
  required [EnforceRange] unsigned short port;
};

// The local end that a socket or a listener binds to.
dictionary SocketLocalAddress {
  // An IP address of this machine; any of them when missing.
  USVString address;
  // The port; 0 or missing lets the system choose.
  [EnforceRange] unsigned short port;
};

// A hash that the certificate of the server must have.
dictionary SocketCertificateHash {
  // The name of the hash function: "sha-256".
  required DOMString algorithm;
  // The hash of the certificate in DER form.
  required BufferSource value;
};

// What TLS is told: names, certificates and trust.
dictionary SocketTLSInit {
  // The name that the server's certificate must carry, sent as SNI; the host name of `remote` when missing.
  USVString servername;
  // The application protocols to offer or accept, the preferred one first.
  sequence<USVString> alpn;
  // The private key that belongs to `cert`: a CryptoKey, PEM or DER.
  (CryptoKey or USVString or BufferSource) key;
  // The certificate that this end presents, with its chain: PEM or DER.
  (USVString or BufferSource) cert;
  // The certificates to trust instead of the system's: PEM or DER each.
  sequence<(USVString or BufferSource)> ca;
  // Accept exactly the servers whose certificate has one of these hashes, whatever its chain and name.
  sequence<SocketCertificateHash> serverCertificateHashes;
  // As a server: ask the client for a certificate.
  boolean requestClientCertificate;
};

// What the constructor and update() of Socket take.
dictionary SocketInit {
  // The protocol; "tcp" when missing.
  SocketType type;
  // Where to connect to.
  SocketAddress remote;
  // Where to bind.
  SocketLocalAddress local;
  // Names, certificates and trust for TLS.
  SocketTLSInit tls;
  // Aborts the socket with its reason, at any time.
  AbortSignal signal;
  // Whether this end may go on sending after the peer has finished; true when missing.
  boolean allowHalfOpen;
  // Whether small writes are sent without delay (TCP_NODELAY); false when missing.
  boolean noDelay;
  // Idle time before the first keep-alive probe, in milliseconds; 0 or missing is off.
  [EnforceRange] unsigned long keepAliveDelay;
  // Time for name resolution, connection and handshake together, in milliseconds; 0 or missing is no limit.
  [EnforceRange] unsigned long readyTimeout;
  // Time without a byte in either direction after which the socket fails, in milliseconds; 0 or missing is no limit.
  [EnforceRange] unsigned long idleTimeout;
  // How many bytes may wait in the writable before it signals backpressure; 65536 when missing.
  [EnforceRange] unsigned long sendBufferSize;
  // How many received bytes may wait to be read before receiving pauses; 65536 when missing.
  [EnforceRange] unsigned long receiveBufferSize;
  // The hop limit of outgoing packets.
  [EnforceRange] octet ttl;
};

// A connection, or a bound udp socket: two streams and what happens to them.
[Exposed=*]
interface Socket : EventTarget {
  // Checks the init and begins to connect; `init` is converted to SocketInit.
  constructor(object init);

  // Changes options, or upgrades tcp to tls; `init` is converted to SocketInit.
  Promise<undefined> update(object init);

  // What the peer sends.
  [SameObject] readonly attribute ReadableStream readable;
  // What is sent to the peer.
  [SameObject] readonly attribute WritableStream writable;
  // Fulfils when the connection is made; rejects when it cannot be.
  readonly attribute Promise<undefined> ready;
  // Fulfils when both directions have ended cleanly; rejects with the error that ended the socket.
  readonly attribute Promise<undefined> closed;

  // Ends the socket at once, dropping what is unsent and unread; fulfils when its resources are released.
  Promise<undefined> abort(optional any reason);
  // Is aborted when the socket fails or is aborted, with the same reason; never on a clean end.
  [SameObject] readonly attribute AbortSignal signal;
  // Counters and times, live.
  [SameObject] readonly attribute SocketStats stats;
  // Addresses and TLS parameters, live.
  [SameObject] readonly attribute SocketInfo info;

  // Streams and datagrams besides the primary stream; null unless the type is "quic".
  [SameObject] readonly attribute QuicSession? quic;
  // The types that this implementation can connect with.
  static readonly attribute FrozenArray<SocketType> supportedTypes;

  // The connection is made.
  attribute EventHandler onready;
  // The peer has finished sending and everything was read.
  attribute EventHandler onend;
  // The socket has failed; with `fatal` false, something went wrong that a udp socket survives.
  attribute EventHandler onerror;
  // The socket is at its end; nothing happens to it any more.
  attribute EventHandler onclose;
};

// The counters and times of a socket.
[Exposed=*]
interface SocketStats {
  // Payload bytes that the transport has taken.
  readonly attribute unsigned long long bytesSent;
  // Payload bytes that have arrived, read or not.
  readonly attribute unsigned long long bytesReceived;
  // Packets sent; null for tcp and tls.
  readonly attribute unsigned long long? packetsSent;
  // Packets received; null for tcp and tls.
  readonly attribute unsigned long long? packetsReceived;
  // Packets dropped on either way; null for tcp and tls.
  readonly attribute unsigned long long? packetsDropped;
  // When the socket was constructed or accepted.
  readonly attribute DOMHighResTimeStamp createdAt;
  // When the connection was made; null before.
  readonly attribute DOMHighResTimeStamp? readyAt;
  // When the socket came to its end; null before.
  readonly attribute DOMHighResTimeStamp? closedAt;
  // A plain object with all of them, as they are now.
  [Default] object toJSON();
};

// One end of a connection.
[Exposed=*]
interface SocketEndpoint {
  // The IP address, IPv6 without brackets.
  readonly attribute USVString address;
  // The port.
  readonly attribute unsigned short port;
  // A plain object with both.
  [Default] object toJSON();
};

// What is known about a connection.
[Exposed=*]
interface SocketInfo {
  // The protocol that the socket speaks now.
  readonly attribute SocketType type;
  // The remote end; null before the connection is made.
  readonly attribute SocketEndpoint? remote;
  // The local end; null before the connection is made.
  readonly attribute SocketEndpoint? local;
  // What the handshake agreed on; null without TLS.
  readonly attribute SocketTLSInfo? tls;
  // A plain object with the type and both ends, as they are now.
  [Default] object toJSON();
};

// What a TLS handshake agreed on.
[Exposed=*]
interface SocketTLSInfo {
  // The protocol version: "TLSv1.3".
  readonly attribute DOMString version;
  // The IANA name of the cipher suite.
  readonly attribute DOMString cipher;
  // The application protocol; null when none was negotiated.
  readonly attribute USVString? alpn;
  // The server name that was sent; null when none was.
  readonly attribute USVString? servername;
  // The certificates of the peer in DER form, its own first.
  readonly attribute FrozenArray<ArrayBuffer> peerCertificates;
};

// Why a socket failed, for programs to decide by.
enum SocketErrorCode {
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
  "tls-truncated"
};

// A failure of the network, of name resolution or of TLS.
[Exposed=*, Serializable]
interface SocketError : DOMException {
  // Makes an error; only tests and wrappers need to.
  constructor(optional DOMString message = "", optional SocketErrorOptions options = {});
  // What went wrong.
  readonly attribute SocketErrorCode errorCode;
  // The name that the system has for it ("ECONNREFUSED"); null when there is none.
  readonly attribute DOMString? systemCode;
};

// What a SocketError is made of.
dictionary SocketErrorOptions {
  // What went wrong.
  SocketErrorCode errorCode = "unknown";
  // The name that the system has for it.
  DOMString? systemCode = null;
};

// The `error` event of a socket.
[Exposed=*]
interface SocketErrorEvent : Event {
  // Makes an event; only tests and wrappers need to.
  constructor(DOMString type, optional SocketErrorEventInit eventInitDict = {});
  // The error, the same object that `closed` rejects with when it is fatal.
  readonly attribute any error;
  // Whether it ended the socket.
  readonly attribute boolean fatal;
};

// What a SocketErrorEvent is made of.
dictionary SocketErrorEventInit : EventInit {
  // The error.
  any error;
  // Whether it ended the socket.
  boolean fatal = true;
};

// A chunk of a bound udp socket: one datagram and its remote end.
dictionary SocketDatagram {
  // The payload.
  required BufferSource data;
  // Where it came from or goes to.
  SocketAddress remote;
};

// The streams and datagrams of a QUIC connection besides its primary stream.
[Exposed=*]
interface QuicSession {
  // Opens a stream for both directions.
  Promise<QuicStream> createBidirectionalStream();
  // Opens a stream for sending.
  Promise<WritableStream> createUnidirectionalStream();
  // The streams for both directions that the peer opens.
  [SameObject] readonly attribute ReadableStream incomingBidirectionalStreams;
  // The streams for receiving that the peer opens.
  [SameObject] readonly attribute ReadableStream incomingUnidirectionalStreams;
  // Unreliable datagrams, both ways.
  [SameObject] readonly attribute QuicStream datagrams;
  // The largest datagram that can be sent now, in bytes.
  readonly attribute unsigned long maxDatagramSize;
};

// Two directions that belong together.
[Exposed=*]
interface QuicStream {
  // What the peer sends.
  [SameObject] readonly attribute ReadableStream readable;
  // What is sent to the peer.
  [SameObject] readonly attribute WritableStream writable;
};

// The `connect` event: a connection that came in.
[Exposed=*]
interface ConnectEvent : Event {
  // Makes an event; only tests and wrappers need to.
  constructor(DOMString type, ConnectEventInit eventInitDict);
  // The connection, ready to use.
  [SameObject] readonly attribute Socket socket;
  // Resets the connection instead of taking it; only while the event is dispatched.
  undefined reject(optional any reason);
  // Keeps the worker alive until the promise settles.
  undefined waitUntil(Promise<any> promise);
};

// What a ConnectEvent is made of.
dictionary ConnectEventInit : EventInit {
  // The connection.
  required Socket socket;
};

// What the constructor of SocketListener takes.
dictionary SocketListenerInit {
  // The protocol of the connections to accept.
  SocketType type = "tcp";
  // Where to listen.
  SocketLocalAddress local = {};
  // Names, certificates and trust for TLS.
  SocketTLSInit tls;
  // Closes the listener.
  AbortSignal signal;
  // How many connections may wait to be accepted.
  [EnforceRange] unsigned long backlog;
  // Whether several listeners may share the port.
  boolean reusePort = false;
  // The options of the accepted sockets: only those that update() can change.
  SocketInit accept = {};
};

// Accepts connections where the platform does not bring them by itself.
[Exposed=*]
interface SocketListener : EventTarget {
  // Checks the init and begins to listen.
  constructor(optional SocketListenerInit init = {});
  // Fulfils when the listener is bound.
  readonly attribute Promise<undefined> ready;
  // Fulfils when the listener was closed; rejects with the error that ended it.
  readonly attribute Promise<undefined> closed;
  // The local end, with the port that the system chose.
  [SameObject] readonly attribute SocketInfo info;
  // Stops accepting; connections that were accepted live on.
  Promise<undefined> close();
  // A connection came in.
  attribute EventHandler onconnect;
  // The connections as they come in; leaving the loop closes the listener.
  async_iterable<Socket>;
};

// What the global scope of a socket worker has.
interface mixin SocketWorkerGlobalScope {
  // A connection came in.
  attribute EventHandler onconnect;
};
