enum SocketType { "tcp", "udp", "tls", "quic" };

dictionary SocketAddress {
  required USVString address;
  required [EnforceRange] unsigned short port;
};

dictionary SocketLocalAddress {
  USVString address;
  [EnforceRange] unsigned short port;
};

dictionary SocketCertificateHash {
  required DOMString algorithm;
  required BufferSource value;
};

dictionary SocketTLSInit {
  USVString servername;
  sequence<USVString> alpn;
  (CryptoKey or USVString or BufferSource) key;
  (USVString or BufferSource) cert;
  sequence<(USVString or BufferSource)> ca;
  sequence<SocketCertificateHash> serverCertificateHashes;
  boolean requestClientCertificate;
};

dictionary SocketInit {
  SocketType type;
  SocketAddress remote;
  SocketLocalAddress local;
  SocketTLSInit tls;
  AbortSignal signal;
  boolean allowHalfOpen;
  boolean noDelay;
  [EnforceRange] unsigned long keepAliveDelay;
  [EnforceRange] unsigned long readyTimeout;
  [EnforceRange] unsigned long idleTimeout;
  [EnforceRange] unsigned long sendBufferSize;
  [EnforceRange] unsigned long receiveBufferSize;
  [EnforceRange] octet ttl;
};

[Exposed=*]
interface Socket : EventTarget {
  constructor(object init);

  Promise<undefined> update(object init);

  [SameObject] readonly attribute ReadableStream readable;
  [SameObject] readonly attribute WritableStream writable;
  readonly attribute Promise<undefined> ready;
  readonly attribute Promise<undefined> closed;

  Promise<undefined> abort(optional any reason);
  [SameObject] readonly attribute AbortSignal signal;
  [SameObject] readonly attribute SocketStats stats;
  [SameObject] readonly attribute SocketInfo info;

  [SameObject] readonly attribute QuicSession? quic;
  static readonly attribute FrozenArray<SocketType> supportedTypes;

  attribute EventHandler onready;
  attribute EventHandler onend;
  attribute EventHandler onerror;
  attribute EventHandler onclose;
};

[Exposed=*]
interface SocketStats {
  readonly attribute unsigned long long bytesSent;
  readonly attribute unsigned long long bytesReceived;
  readonly attribute unsigned long long? packetsSent;
  readonly attribute unsigned long long? packetsReceived;
  readonly attribute unsigned long long? packetsDropped;
  readonly attribute DOMHighResTimeStamp createdAt;
  readonly attribute DOMHighResTimeStamp? readyAt;
  readonly attribute DOMHighResTimeStamp? closedAt;
  [Default] object toJSON();
};

[Exposed=*]
interface SocketEndpoint {
  readonly attribute USVString address;
  readonly attribute unsigned short port;
  [Default] object toJSON();
};

[Exposed=*]
interface SocketInfo {
  readonly attribute SocketType type;
  readonly attribute SocketEndpoint? remote;
  readonly attribute SocketEndpoint? local;
  readonly attribute SocketTLSInfo? tls;
  [Default] object toJSON();
};

[Exposed=*]
interface SocketTLSInfo {
  readonly attribute DOMString version;
  readonly attribute DOMString cipher;
  readonly attribute USVString? alpn;
  readonly attribute USVString? servername;
  readonly attribute FrozenArray<ArrayBuffer> peerCertificates;
};

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

[Exposed=*, Serializable]
interface SocketError : DOMException {
  constructor(optional DOMString message = "", optional SocketErrorOptions options = {});
  readonly attribute SocketErrorCode errorCode;
  readonly attribute DOMString? systemCode;
};

dictionary SocketErrorOptions {
  SocketErrorCode errorCode = "unknown";
  DOMString? systemCode = null;
};

[Exposed=*]
interface SocketErrorEvent : Event {
  constructor(DOMString type, optional SocketErrorEventInit eventInitDict = {});
  readonly attribute any error;
  readonly attribute boolean fatal;
};

dictionary SocketErrorEventInit : EventInit {
  any error;
  boolean fatal = true;
};

dictionary SocketDatagram {
  required BufferSource data;
  SocketAddress remote;
};

[Exposed=*]
interface QuicSession {
  Promise<QuicStream> createBidirectionalStream();
  Promise<WritableStream> createUnidirectionalStream();
  [SameObject] readonly attribute ReadableStream incomingBidirectionalStreams;
  [SameObject] readonly attribute ReadableStream incomingUnidirectionalStreams;
  [SameObject] readonly attribute QuicStream datagrams;
  readonly attribute unsigned long maxDatagramSize;
};

[Exposed=*]
interface QuicStream {
  [SameObject] readonly attribute ReadableStream readable;
  [SameObject] readonly attribute WritableStream writable;
};

[Exposed=*]
interface ConnectEvent : Event {
  constructor(DOMString type, ConnectEventInit eventInitDict);
  [SameObject] readonly attribute Socket socket;
  undefined reject(optional any reason);
  undefined waitUntil(Promise<any> promise);
};

dictionary ConnectEventInit : EventInit {
  required Socket socket;
};

dictionary SocketListenerInit {
  SocketType type = "tcp";
  SocketLocalAddress local = {};
  SocketTLSInit tls;
  AbortSignal signal;
  [EnforceRange] unsigned long backlog;
  boolean reusePort = false;
  SocketInit accept = {};
};

[Exposed=*]
interface SocketListener : EventTarget {
  constructor(optional SocketListenerInit init = {});
  readonly attribute Promise<undefined> ready;
  readonly attribute Promise<undefined> closed;
  [SameObject] readonly attribute SocketInfo info;
  Promise<undefined> close();
  attribute EventHandler onconnect;
  async_iterable<Socket>;
};

interface mixin SocketWorkerGlobalScope {
  attribute EventHandler onconnect;
};
