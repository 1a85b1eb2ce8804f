"""The agent protocol over one WebSocket, in either role.

A message holds one or more whole lines. The library does the protocol without I/O; bytes go from one transport to the
other in callbacks, because a coroutine for each message would cost more than the message.
"""

from __future__ import annotations

import asyncio
import http
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Origin
from websockets.uri import parse_uri

from .errors import LaunchFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .stdio import Stdio

AGENT_PATH: Final = "/agent"
"""Where a server of this module expects the WebSocket of the agent."""

_LARGEST: Final = 256 * 2**20  # bytes of a message: a bound, as tests carry payloads of megabytes


class _Link(asyncio.Protocol):
    """One end of a WebSocket between stdio and the agent."""

    def __init__(self, protocol: ClientProtocol | ServerProtocol, stdio: Stdio) -> None:
        self.open = asyncio.get_running_loop().create_future()
        """Done when the handshake is; fails with a ConnectionError or a WebSocketException."""
        self.closed = asyncio.get_running_loop().create_future()
        self._protocol = protocol
        self._stdio = stdio
        self._transport: asyncio.Transport | None = None
        self._fragments: list[bytes] = []

    def send(self, lines: bytes) -> None:
        """Send whole lines as one message."""
        self._protocol.send_text(lines)
        self._flush()

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if isinstance(self._protocol, ClientProtocol):
            self._protocol.send_request(self._protocol.connect())
            self._flush()

    def pause_writing(self) -> None:
        self._stdio.pause()

    def resume_writing(self) -> None:
        self._stdio.resume()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._take_events()
        self._flush()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._take_events()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.open.done():
            self.open.set_exception(ConnectionError(str(exc or "the connection was closed before it was a WebSocket")))
        if not self.closed.done():
            self.closed.set_result(None)

    # What came.

    def _take_events(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take_frame(event)
            elif isinstance(event, Request):
                self._answer(event)
            elif self._protocol.handshake_exc is None:
                self._opened()
            else:
                self.open.set_exception(self._protocol.handshake_exc)

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode in {Opcode.TEXT, Opcode.CONT}:
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                lines, self._fragments = b"".join(self._fragments), []
                self._stdio.write(lines)

    def _answer(self, request: Request) -> None:
        """Answer a request for a page or a WebSocket; a server does."""

    def _opened(self) -> None:
        self.open.set_result(None)
        self._stdio.attach(self)

    def _flush(self) -> None:
        assert self._transport is not None
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()


async def connect(url: str, stdio: Stdio) -> None:
    """Connect to an agent that is a WebSocket server, and carry the protocol until one end is closed.

    Raises LaunchFailed where there is no WebSocket at `url`.
    """
    uri = parse_uri(url)
    loop = asyncio.get_running_loop()
    try:
        _, link = await loop.create_connection(
            lambda: _Link(ClientProtocol(uri, max_size=_LARGEST), stdio), uri.host, uri.port
        )
        await link.open
    except (OSError, WebSocketException) as error:
        # A server that refuses says why, in words.
        body = error.response.body if isinstance(error, InvalidStatus) else b""
        answer = f" ({body.decode(errors='replace').strip()})" if body else ""
        raise LaunchFailed(
            f"there is no agent at {url}: {error}{answer}", remedy="what the runtime printed before says more"
        ) from None
    await link.closed


@dataclass(frozen=True, slots=True)
class Page:
    """What is served at a path."""

    type: str
    """Its media type."""
    content: bytes
    headers: Mapping[str, str]


class _ServedLink(_Link):
    """One connection to the server: of an agent, or for a page."""

    def __init__(self, server: Server, stdio: Stdio) -> None:
        # What another page in the browser would like to be is no agent. Who says no origin is no browser.
        super().__init__(ServerProtocol(origins=[Origin(server.origin), None], max_size=_LARGEST), stdio)
        self._server = server

    def connection_lost(self, exc: Exception | None) -> None:
        # Nobody waits for one that was only for a page.
        self.open.cancel()
        super().connection_lost(exc)

    def _answer(self, request: Request) -> None:
        protocol = cast("ServerProtocol", self._protocol)
        if request.path != AGENT_PATH:
            protocol.send_response(_response(self._server.pages.get(request.path.partition("?")[0])))
        elif self._server.taken.done():
            protocol.send_response(protocol.reject(http.HTTPStatus.CONFLICT, "There is an agent already.\n"))
        else:
            response = protocol.accept(request)
            protocol.send_response(response)
            if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
                self._server.taken.set_result(self)
                self._opened()


class Server:
    """An HTTP server on the loopback interface, for an agent that is a WebSocket client, and for its pages."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self.pages = pages
        self.taken: asyncio.Future[_ServedLink] = asyncio.get_running_loop().create_future()
        self.port = 0
        self._listening: asyncio.Server | None = None

    async def listen(self, stdio: Stdio) -> None:
        """Begin to serve."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: _ServedLink(self, stdio), "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Serve nobody else."""
        if self._listening is not None:
            self._listening.close()

    @property
    def origin(self) -> str:
        """Its address as a URL without a path."""
        return f"http://127.0.0.1:{self.port}"

    async def carry(self) -> None:
        """Wait for the agent, and carry the protocol until one end is closed."""
        link = await self.taken
        await link.closed


async def serve(pages: Mapping[str, Page], stdio: Stdio) -> Server:
    """Serve `pages`, by their paths, and wait for the WebSocket of one agent at AGENT_PATH."""
    server = Server(pages)
    await server.listen(stdio)
    return server


def _response(page: Page | None) -> Response:
    status = http.HTTPStatus.OK if page else http.HTTPStatus.NOT_FOUND
    content = page.content if page else b"There is nothing at this path.\n"
    headers = Headers(
        {
            "Content-Type": page.type if page else "text/plain; charset=utf-8",
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "Connection": "close",
            **(page.headers if page else {}),
        }
    )
    return Response(status.value, status.phrase, headers, content)
