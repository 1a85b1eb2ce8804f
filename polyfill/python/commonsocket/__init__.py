"""The Python reference of Common Socket: the executable meaning of the specification.

    from commonsocket import Socket

    async def greet() -> bytes:
        async with Socket({"remote": {"address": "example.org", "port": 7}}) as socket:
            writer = socket.writable.get_writer()
            await writer.write(b"hello")
            await writer.close()
            return b"".join([chunk async for chunk in socket.readable])

How the Web IDL is written in Python is told in `docs/python-mapping.md`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .abort import AbortController, AbortSignal
from .connect_event import ConnectEvent
from .dom_exception import DOMException
from .event_target import Event, EventTarget
from .global_scope import SocketWorkerGlobalScope, add_event_listener, dispatch_event, remove_event_listener
from .info import SocketEndpoint, SocketInfo, SocketTLSInfo
from .promise import Promise, ReasonError
from .quic_session import QuicSession
from .quic_stream import QuicStream
from .socket import Socket
from .socket_error import SocketError
from .socket_error_event import SocketErrorEvent
from .socket_listener import SocketListener
from .stats import SocketStats
from .streams.byob_reader import ReadableStreamBYOBReader
from .streams.default_reader import ReadableStreamDefaultReader
from .streams.read_request import ReadResult
from .streams.readable_byte_stream_controller import ReadableByteStreamController, ReadableStreamBYOBRequest
from .streams.readable_stream import ReadableStream
from .streams.readable_stream_default_controller import ReadableStreamDefaultController
from .streams.writable_stream import WritableStream
from .streams.writable_stream_default_controller import WritableStreamDefaultController
from .streams.writer import WritableStreamDefaultWriter

__all__ = [
    "AbortController",
    "AbortSignal",
    "ConnectEvent",
    "DOMException",
    "Event",
    "EventTarget",
    "Promise",
    "QuicSession",
    "QuicStream",
    "ReadResult",
    "ReadableByteStreamController",
    "ReadableStream",
    "ReadableStreamBYOBReader",
    "ReadableStreamBYOBRequest",
    "ReadableStreamDefaultController",
    "ReadableStreamDefaultReader",
    "ReasonError",
    "Socket",
    "SocketEndpoint",
    "SocketError",
    "SocketErrorEvent",
    "SocketInfo",
    "SocketListener",
    "SocketStats",
    "SocketTLSInfo",
    "WritableStream",
    "WritableStreamDefaultController",
    "WritableStreamDefaultWriter",
    "add_event_listener",
    "dispatch_event",
    "remove_event_listener",
]

if TYPE_CHECKING:
    from collections.abc import Callable

    onconnect: Callable[[Any], object] | None

sys.modules[__name__].__class__ = SocketWorkerGlobalScope
