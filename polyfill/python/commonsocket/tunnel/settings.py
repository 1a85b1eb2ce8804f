"""What a tunnel is run with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    from .allow_list import AllowList
    from .tokens import Tokens


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen for WebSockets: an IP address or a name, and a port, 0 for any."""

    host: str
    port: int
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, and all of them together, may take up. Times in seconds, sizes in bytes."""

    #: WebSockets at once, those that are still shaking hands included.
    connections: int = 1000
    #: The head of the HTTP request.
    header_size: int = 16384
    #: From the TCP connection to the whole request, and from the WebSocket to the message `connect`.
    handshake_time: float = 10.0
    #: Resolving the target's name and connecting to it.
    connect_time: float = 60.0
    #: Without a byte of payload in either direction; 0 for no limit.
    idle_time: float = 3600.0
    #: Silence after which a ping asks whether the client is still there; after as much again it is not. 0 asks never.
    ping_time: float = 30.0
    #: What may wait in the tunnel for one connection, in each direction: the window of `commonsocket.v1`.
    buffer_size: int = 262144
    #: One WebSocket message. Those of a stream pass through in pieces, and this guards only against nonsense.
    message_size: int = 16777216
    #: One control message of `commonsocket.v1`; certificates may be in it.
    control_size: int = 262144
    #: How long a WebSocket may take for its closing handshake.
    close_time: float = 5.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What a tunnel is run with; the defaults let nobody in and nothing out."""

    listen: tuple[ListenAddress, ...]
    allowed: AllowList
    #: None asks for no token.
    tokens: Tokens | None = None
    #: The web origins whose pages may connect; None for all. Programs that are no browsers have no origin.
    origins: tuple[str, ...] | None = ()
    #: Whether clients may choose local addresses and ports, and open sockets that take datagrams from everybody.
    allow_bind: bool = False
    tls: ssl.SSLContext | None = None
    limits: Limits = field(default_factory=Limits)
    #: How long connections may go on after the tunnel was asked to stop, in seconds.
    grace: float = 10.0
