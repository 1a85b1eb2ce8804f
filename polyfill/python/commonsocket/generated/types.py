"""The types of the API: what its dictionaries may hold, what its enumerations are, what its objects have.

A member of a dictionary whose value is None counts as missing. The protocols describe objects; the classes are in
`commonsocket` itself.

Generated from spec/socket/socket.webidl by `conformance spec generate`; change the source, not this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, Required, TypedDict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from commonsocket.abort import AbortSignal
    from commonsocket.event_target import Event
    from commonsocket.promise import Promise
    from commonsocket.streams.readable_stream import ReadableStream
    from commonsocket.streams.writable_stream import WritableStream

BufferSource = bytes | bytearray | memoryview


class EventTarget(Protocol):
    """What dispatches events to listeners (DOM Standard)."""

    def add_event_listener(
        self, type: str, callback: Any, options: Mapping[str, Any] | bool | None = None
    ) -> None: ...

    def remove_event_listener(
        self, type: str, callback: Any, options: Mapping[str, Any] | bool | None = None
    ) -> None: ...

    def dispatch_event(self, event: Event) -> bool: ...


SocketType = Literal["tcp", "udp", "tls", "quic"]
"""The protocol that a socket speaks."""


SocketErrorCode = Literal[
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
]
"""Why a socket failed, for programs to decide by."""


class EventInit(TypedDict, total=False):
    """What an Event is made of (DOM Standard)."""

    bubbles: bool | None
    cancelable: bool | None
    composed: bool | None


class SocketAddress(TypedDict, total=False):
    """The remote end of a connection."""

    address: Required[str]
    """A host name, an IPv4 address, or an IPv6 address with or without brackets."""
    port: Required[int]
    """The port, never 0."""


class SocketLocalAddress(TypedDict, total=False):
    """The local end that a socket or a listener binds to."""

    address: str | None
    """An IP address of this machine; any of them when missing."""
    port: int | None
    """The port; 0 or missing lets the system choose."""


class SocketCertificateHash(TypedDict, total=False):
    """A hash that the certificate of the server must have."""

    algorithm: Required[str]
    """The name of the hash function: "sha-256"."""
    value: Required[BufferSource]
    """The hash of the certificate in DER form."""


class SocketTLSInit(TypedDict, total=False):
    """What TLS is told: names, certificates and trust."""

    servername: str | None
    """The name that the server's certificate must carry, sent as SNI; the host name of `remote` when missing."""
    alpn: Iterable[str] | None
    """The application protocols to offer or accept, the preferred one first."""
    key: object | str | BufferSource | None
    """The private key that belongs to `cert`: a CryptoKey, PEM or DER."""
    cert: str | BufferSource | None
    """The certificate that this end presents, with its chain: PEM or DER."""
    ca: Iterable[str | BufferSource] | None
    """The certificates to trust instead of the system's: PEM or DER each."""
    server_certificate_hashes: Iterable[SocketCertificateHash] | None
    """Accept exactly the servers whose certificate has one of these hashes, whatever its chain and name."""
    request_client_certificate: bool | None
    """As a server: ask the client for a certificate."""


class SocketInit(TypedDict, total=False):
    """What the constructor and update() of Socket take."""

    type: SocketType | None
    """The protocol; "tcp" when missing."""
    remote: SocketAddress | None
    """Where to connect to."""
    local: SocketLocalAddress | None
    """Where to bind."""
    tls: SocketTLSInit | None
    """Names, certificates and trust for TLS."""
    signal: AbortSignal | None
    """Aborts the socket with its reason, at any time."""
    allow_half_open: bool | None
    """Whether this end may go on sending after the peer has finished; True when missing."""
    no_delay: bool | None
    """Whether small writes are sent without delay (TCP_NODELAY); False when missing."""
    keep_alive_delay: int | None
    """Idle time before the first keep-alive probe, in milliseconds; 0 or missing is off."""
    ready_timeout: int | None
    """Time for name resolution, connection and handshake together, in milliseconds; 0 or missing is no limit."""
    idle_timeout: int | None
    """Time without a byte in either direction after which the socket fails, in milliseconds; 0 or missing is no limit."""
    send_buffer_size: int | None
    """How many bytes may wait in the writable before it signals backpressure; 65536 when missing."""
    receive_buffer_size: int | None
    """How many received bytes may wait to be read before receiving pauses; 65536 when missing."""
    ttl: int | None
    """The hop limit of outgoing packets."""


class SocketErrorOptions(TypedDict, total=False):
    """What a SocketError is made of."""

    error_code: SocketErrorCode | None
    """What went wrong."""
    system_code: str | None
    """The name that the system has for it."""


class SocketErrorEventInit(EventInit, total=False):
    """What a SocketErrorEvent is made of."""

    error: Any
    """The error."""
    fatal: bool | None
    """Whether it ended the socket."""


class SocketDatagram(TypedDict, total=False):
    """A chunk of a bound udp socket: one datagram and its remote end."""

    data: Required[BufferSource]
    """The payload."""
    remote: SocketAddress | None
    """Where it came from or goes to."""


class ConnectEventInit(EventInit, total=False):
    """What a ConnectEvent is made of."""

    socket: Required[Socket]
    """The connection."""


class SocketListenerInit(TypedDict, total=False):
    """What the constructor of SocketListener takes."""

    type: SocketType | None
    """The protocol of the connections to accept."""
    local: SocketLocalAddress | None
    """Where to listen."""
    tls: SocketTLSInit | None
    """Names, certificates and trust for TLS."""
    signal: AbortSignal | None
    """Closes the listener."""
    backlog: int | None
    """How many connections may wait to be accepted."""
    reuse_port: bool | None
    """Whether several listeners may share the port."""
    accept: SocketInit | None
    """The options of the accepted sockets: only those that update() can change."""


class Socket(EventTarget, Protocol):
    """A connection, or a bound udp socket: two streams and what happens to them."""

    def update(self, init: SocketInit) -> Promise[None]:
        """Changes options, or upgrades tcp to tls; `init` is converted to SocketInit."""
        ...

    @property
    def readable(self) -> ReadableStream:
        """What the peer sends."""
        ...

    @property
    def writable(self) -> WritableStream:
        """What is sent to the peer."""
        ...

    @property
    def ready(self) -> Promise[None]:
        """Fulfils when the connection is made; rejects when it cannot be."""
        ...

    @property
    def closed(self) -> Promise[None]:
        """Fulfils when both directions have ended cleanly; rejects with the error that ended the socket."""
        ...

    def abort(self, reason: Any = None) -> Promise[None]:
        """Ends the socket at once, dropping what is unsent and unread; fulfils when its resources are released."""
        ...

    @property
    def signal(self) -> AbortSignal:
        """Is aborted when the socket fails or is aborted, with the same reason; never on a clean end."""
        ...

    @property
    def stats(self) -> SocketStats:
        """Counters and times, live."""
        ...

    @property
    def info(self) -> SocketInfo:
        """Addresses and TLS parameters, live."""
        ...

    @property
    def quic(self) -> QuicSession | None:
        """Streams and datagrams besides the primary stream; None unless the type is "quic"."""
        ...

    onready: Callable[[Event], object] | None
    """The connection is made."""

    onend: Callable[[Event], object] | None
    """The peer has finished sending and everything was read."""

    onerror: Callable[[SocketErrorEvent], object] | None
    """The socket has failed; with `fatal` False, something went wrong that a udp socket survives."""

    onclose: Callable[[Event], object] | None
    """The socket is at its end; nothing happens to it any more."""

    def aclose(self) -> Awaitable[None]:
        """Flushes what was written, ends the connection and settles as `closed` does."""
        ...

    def __aenter__(self) -> Awaitable[Self]: ...

    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Awaitable[bool | None]: ...


class SocketStats(Protocol):
    """The counters and times of a socket."""

    @property
    def bytes_sent(self) -> int:
        """Payload bytes that the transport has taken."""
        ...

    @property
    def bytes_received(self) -> int:
        """Payload bytes that have arrived, read or not."""
        ...

    @property
    def packets_sent(self) -> int | None:
        """Packets sent; None for tcp and tls."""
        ...

    @property
    def packets_received(self) -> int | None:
        """Packets received; None for tcp and tls."""
        ...

    @property
    def packets_dropped(self) -> int | None:
        """Packets dropped on either way; None for tcp and tls."""
        ...

    @property
    def created_at(self) -> float:
        """When the socket was constructed or accepted."""
        ...

    @property
    def ready_at(self) -> float | None:
        """When the connection was made; None before."""
        ...

    @property
    def closed_at(self) -> float | None:
        """When the socket came to its end; None before."""
        ...

    def to_json(self) -> dict[str, Any]:
        """A plain object with all of them, as they are now."""
        ...


class SocketEndpoint(Protocol):
    """One end of a connection."""

    @property
    def address(self) -> str:
        """The IP address, IPv6 without brackets."""
        ...

    @property
    def port(self) -> int:
        """The port."""
        ...

    def to_json(self) -> dict[str, Any]:
        """A plain object with both."""
        ...


class SocketInfo(Protocol):
    """What is known about a connection."""

    @property
    def type(self) -> SocketType:
        """The protocol that the socket speaks now."""
        ...

    @property
    def remote(self) -> SocketEndpoint | None:
        """The remote end; None before the connection is made."""
        ...

    @property
    def local(self) -> SocketEndpoint | None:
        """The local end; None before the connection is made."""
        ...

    @property
    def tls(self) -> SocketTLSInfo | None:
        """What the handshake agreed on; None without TLS."""
        ...

    def to_json(self) -> dict[str, Any]:
        """A plain object with the type and both ends, as they are now."""
        ...


class SocketTLSInfo(Protocol):
    """What a TLS handshake agreed on."""

    @property
    def version(self) -> str:
        """The protocol version: "TLSv1.3"."""
        ...

    @property
    def cipher(self) -> str:
        """The IANA name of the cipher suite."""
        ...

    @property
    def alpn(self) -> str | None:
        """The application protocol; None when none was negotiated."""
        ...

    @property
    def servername(self) -> str | None:
        """The server name that was sent; None when none was."""
        ...

    @property
    def peer_certificates(self) -> tuple[bytes, ...]:
        """The certificates of the peer in DER form, its own first."""
        ...


class SocketError(Protocol):
    """A failure of the network, of name resolution or of TLS."""

    @property
    def error_code(self) -> SocketErrorCode:
        """What went wrong."""
        ...

    @property
    def system_code(self) -> str | None:
        """The name that the system has for it ("ECONNREFUSED"); None when there is none."""
        ...


class SocketErrorEvent(Protocol):
    """The `error` event of a socket."""

    @property
    def error(self) -> Any:
        """The error, the same object that `closed` rejects with when it is fatal."""
        ...

    @property
    def fatal(self) -> bool:
        """Whether it ended the socket."""
        ...


class QuicSession(Protocol):
    """The streams and datagrams of a QUIC connection besides its primary stream."""

    def create_bidirectional_stream(self) -> Promise[QuicStream]:
        """Opens a stream for both directions."""
        ...

    def create_unidirectional_stream(self) -> Promise[WritableStream]:
        """Opens a stream for sending."""
        ...

    @property
    def incoming_bidirectional_streams(self) -> ReadableStream:
        """The streams for both directions that the peer opens."""
        ...

    @property
    def incoming_unidirectional_streams(self) -> ReadableStream:
        """The streams for receiving that the peer opens."""
        ...

    @property
    def datagrams(self) -> QuicStream:
        """Unreliable datagrams, both ways."""
        ...

    @property
    def max_datagram_size(self) -> int:
        """The largest datagram that can be sent now, in bytes."""
        ...


class QuicStream(Protocol):
    """Two directions that belong together."""

    @property
    def readable(self) -> ReadableStream:
        """What the peer sends."""
        ...

    @property
    def writable(self) -> WritableStream:
        """What is sent to the peer."""
        ...


class ConnectEvent(Protocol):
    """The `connect` event: a connection that came in."""

    @property
    def socket(self) -> Socket:
        """The connection, ready to use."""
        ...

    def reject(self, reason: Any = None) -> None:
        """Resets the connection instead of taking it; only while the event is dispatched."""
        ...

    def wait_until(self, promise: Awaitable[Any]) -> None:
        """Keeps the worker alive until the promise settles."""
        ...


class SocketListener(EventTarget, Protocol):
    """Accepts connections where the platform does not bring them by itself."""

    @property
    def ready(self) -> Promise[None]:
        """Fulfils when the listener is bound."""
        ...

    @property
    def closed(self) -> Promise[None]:
        """Fulfils when the listener was closed; rejects with the error that ended it."""
        ...

    @property
    def info(self) -> SocketInfo:
        """The local end, with the port that the system chose."""
        ...

    def close(self) -> Promise[None]:
        """Stops accepting; connections that were accepted live on."""
        ...

    onconnect: Callable[[ConnectEvent], object] | None
    """A connection came in."""

    def __aiter__(self) -> AsyncIterator[Socket]:
        """The connections as they come in; leaving the loop closes the listener."""
        ...


class SocketWorkerGlobalScope(Protocol):
    """What the global scope of a socket worker has."""

    onconnect: Callable[[ConnectEvent], object] | None
    """A connection came in."""
