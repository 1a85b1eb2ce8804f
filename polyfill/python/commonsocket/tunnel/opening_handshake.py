"""The beginning of a connection without I/O: a request, and whether it becomes a WebSocket (RFC 6455, section 4)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import InvalidOrigin
from websockets.headers import parse_subprotocol
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

from commonsocket.core.host import parse_host
from commonsocket.core.options import Address

from .messages import PLAIN_SUBPROTOCOL, SUBPROTOCOL
from .metrics import CONTENT_TYPE
from .tokens import token_of_subprotocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .metrics import Metrics
    from .settings import Settings

_END_OF_HEAD: Final = b"\r\n\r\n"
_BEARER: Final = "bearer "
_NO_HEADERS: Final[dict[str, str]] = {}

# The library would log requests with all that is in them, tokens too.
_SILENT: Final = logging.getLogger("commonsocket.tunnel.silent")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer is no WebSocket; `reason` is a word for the metrics, "" for a question that was answered."""

    response: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer is a WebSocket, for the subprotocol `commonsocket.v1` or for the plain bytes of a connection."""

    response: bytes
    #: Where a plain connection goes; None for the subprotocol, in which a message says that.
    target: Address | None


class OpeningHandshake:
    """Takes a request and answers it."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._head = bytearray()

    def feed(self, data: bytes | memoryview) -> tuple[Refused | Accepted, bytes] | None:
        """Take bytes; when the request is whole, return the answer, and what has come behind the request."""
        looked_at = max(0, len(self._head) - len(_END_OF_HEAD) + 1)
        self._head += data
        end = self._head.find(_END_OF_HEAD, looked_at)
        size = end + len(_END_OF_HEAD) if end >= 0 else len(self._head)
        if size > self._settings.limits.header_size:
            return _refusal(431, "The head of the request is too long.", "head-too-long"), b""
        if end < 0:
            return None
        return self._answer(bytes(self._head[:size])), bytes(self._head[size:])

    def timed_out(self) -> Refused:
        """Return the answer to a request that does not come to its end."""
        return _refusal(408, "The request has not come.", "slow-request")

    def too_many(self) -> Refused:
        """Return the answer where there are as many connections as there may be."""
        return _refusal(503, "There are too many connections.", "too-many-connections")

    def _answer(self, head: bytes) -> Refused | Accepted:
        origins = self._settings.origins
        protocol = ServerProtocol(
            # A request without an origin is none of a page, and cannot have been made for one.
            origins=None if origins is None else [*(Origin(each) for each in origins), None],
            subprotocols=[Subprotocol(SUBPROTOCOL), Subprotocol(PLAIN_SUBPROTOCOL)],
            select_subprotocol=_select,
            logger=_SILENT,
        )
        protocol.receive_data(head)
        events = protocol.events_received()
        if not events:
            answer = b"".join(protocol.data_to_send())
            return Refused(answer, "bad-request") if answer else _refusal(400, "This is no request.", "bad-request")
        (request,) = events
        assert isinstance(request, Request)
        question = self._answer_question(request)
        if question is not None:
            return question
        response = protocol.accept(request)
        if response.status_code != 101:
            reason = "origin" if isinstance(protocol.handshake_exc, InvalidOrigin) else "bad-request"
            return Refused(response.serialize(), reason)
        offered = _offered(request)
        if not self._is_authorised(request, offered):
            return _unauthorised()
        if protocol.subprotocol == SUBPROTOCOL:
            return Accepted(response.serialize(), None)
        target = self._target(request)
        if isinstance(target, str):
            return _refusal(400, target, "bad-request")
        return Accepted(response.serialize(), target)

    def _answer_question(self, request: Request) -> Refused | None:
        """Answer a request that is about the tunnel itself."""
        if "Upgrade" in request.headers:
            return None
        path = urlsplit(request.path).path
        if path not in {"/health", "/metrics"}:
            return None
        if request.method not in {"GET", "HEAD"}:
            return _refusal(405, "Only GET is answered.", "bad-request", {"Allow": "GET, HEAD"})
        if path == "/health":
            return Refused(_response(200, "ok\n", _NO_HEADERS, head=request.method == "HEAD"), "")
        if not self._is_authorised(request, ()):
            return _unauthorised()
        text = self._metrics.text()
        return Refused(_response(200, text, {"Content-Type": CONTENT_TYPE}, head=request.method == "HEAD"), "")

    def _is_authorised(self, request: Request, offered: Sequence[str]) -> bool:
        tokens = self._settings.tokens
        if tokens is None:
            return True
        given = [token for each in offered if (token := token_of_subprotocol(each)) is not None]
        fields = request.headers.get_all("Authorization")
        given += [field[len(_BEARER) :].strip() for field in fields if field.lower().startswith(_BEARER)]
        given += _query(request).get("token", ())
        return any(tokens.accept(token) for token in given)

    def _target(self, request: Request) -> Address | str:
        """Return where a plain connection is to go, or what is wrong."""
        query = _query(request)
        hosts, ports = query.get("host", []), query.get("port", [])
        if not hosts and not ports:
            only = self._settings.allowed.only_target
            if only is None:
                return "Say where to, as in /connect?host=db.internal&port=5432."
            hosts, ports = [only[0]], [str(only[1])]
        if len(hosts) != 1 or len(ports) != 1:
            return "The query has to have one host and one port."
        host = parse_host(hosts[0])
        if host is None:
            return "The host in the query is none."
        if not (ports[0].isascii() and ports[0].isdigit() and 1 <= int(ports[0][:6]) <= 65535):
            return "The port in the query is none."
        return Address(host, int(ports[0]))


def target_refused(*, denied: bool) -> Refused:
    """Return the answer where the target of a plain connection may not or cannot be reached."""
    if denied:
        return _refusal(403, "The tunnel does not allow this target.", "target")
    return _refusal(502, "The target cannot be connected to.", "")


def _select(_protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Pick a subprotocol; a client that offers none gets none, and a plain connection."""
    known = (SUBPROTOCOL, PLAIN_SUBPROTOCOL)
    return next((Subprotocol(each) for each in known if each in offered), None)


def _offered(request: Request) -> list[str]:
    return [each for value in request.headers.get_all("Sec-WebSocket-Protocol") for each in parse_subprotocol(value)]


def _query(request: Request) -> dict[str, list[str]]:
    try:
        return parse_qs(urlsplit(request.path).query, keep_blank_values=True, max_num_fields=16)
    except ValueError:
        return {}


def _unauthorised() -> Refused:
    return _refusal(401, "A token is needed that this tunnel knows.", "token", {"WWW-Authenticate": "Bearer"})


def _refusal(status: int, text: str, reason: str, headers: Mapping[str, str] = _NO_HEADERS) -> Refused:
    return Refused(_response(status, text + "\n", headers), reason)


def _response(status: int, text: str, headers: Mapping[str, str], *, head: bool = False) -> bytes:
    body = text.encode()
    fields = {
        "Connection": "close",
        "Content-Length": str(len(body)),
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **headers,
    }
    response = Response(status, HTTPStatus(status).phrase, Headers(fields), b"" if head else body)
    return response.serialize()
