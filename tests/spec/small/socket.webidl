// A small specification, for tests that break it.

// Protocols.
enum SocketType { "tcp", "tls" };

// Failures.
enum SocketErrorCode { "unknown", "connection-refused", "access-denied" };

// What a socket is made of.
dictionary SocketInit {
  // The protocol.
  SocketType type;
  // Ends the socket.
  AbortSignal signal;
};

// A connection.
[Exposed=*]
interface Socket : EventTarget {
  // Connects.
  constructor(object init);
  // Fulfils when connected.
  readonly attribute Promise<undefined> ready;
  // Fulfils at the end.
  readonly attribute Promise<undefined> closed;
};
