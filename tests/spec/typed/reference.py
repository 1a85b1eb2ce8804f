"""The reference's objects are what the generated protocols say; mypy checks this file, nobody runs it."""

from commonsocket import Socket, SocketEndpoint, SocketError, SocketErrorEvent, SocketInfo, SocketStats, SocketTLSInfo
from commonsocket.generated import types


def socket(value: Socket) -> types.Socket:
    return value


def stats(value: SocketStats) -> types.SocketStats:
    return value


def info(value: SocketInfo) -> types.SocketInfo:
    return value


def endpoint(value: SocketEndpoint) -> types.SocketEndpoint:
    return value


def tls_info(value: SocketTLSInfo) -> types.SocketTLSInfo:
    return value


def error(value: SocketError) -> types.SocketError:
    return value


def error_event(value: SocketErrorEvent) -> types.SocketErrorEvent:
    return value


async def use() -> None:
    init: types.SocketInit = {"type": "tcp", "remote": {"address": "localhost", "port": 1}, "no_delay": None}
    async with Socket(init) as opened:
        await opened.ready


wrong_type: types.SocketInit = {"type": "sctp"}  # type: ignore[typeddict-item]  # no such type
wrong_port: types.SocketInit = {"remote": {"address": "localhost"}}  # type: ignore[typeddict-item]  # no port
wrong_name: types.SocketInit = {"noDelay": True}  # type: ignore[typeddict-unknown-key]  # Python's names are in snake_case
