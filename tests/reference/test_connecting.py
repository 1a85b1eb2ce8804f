"""Name resolution, the race of addresses, local addresses, and what goes wrong with them."""

import asyncio
import socket as system
from collections.abc import Callable
from typing import Any

import pytest
from commonsocket import Socket, SocketError
from commonsocket.transports import connect as connecting
from commonsocket.transports import tcp
from commonsocket.transports.connect import Endpoint, interleave
from commonsocket.transports.system import failure_of, system_code
from raw_peer import LIMIT, RawConnection, RawPeer

Connect = Callable[..., Socket]

INET, INET6 = system.AF_INET, system.AF_INET6


def supports_ipv6() -> bool:
    try:
        with system.create_server(("::1", 0), family=INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not supports_ipv6(), reason="this machine has no IPv6 loopback")


def free_port() -> int:
    with system.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def failure(socket: Socket) -> SocketError:
    with pytest.raises(SocketError) as caught:
        await asyncio.wait_for(socket.ready, LIMIT)
    assert socket.closed.reason is caught.value
    return caught.value


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> list[Any]:
    """Have names resolve to endpoints, or to what an exception says; return the questions."""
    questions: list[Any] = []

    async def getaddrinfo(_loop: object, host: object, port: object, **_options: object) -> list[Any]:
        questions.append((host, port))
        if answers and isinstance(answers[0], Exception):
            raise answers[0]
        return [(family, system.SOCK_STREAM, 6, "", address) for family, address in answers]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return questions


async def test_refused(connect: Connect) -> None:
    port = free_port()
    error = await failure(connect(remote={"address": "127.0.0.1", "port": port}))
    assert (error.error_code, error.system_code) == ("connection-refused", "ECONNREFUSED")
    assert error.message == f"cannot connect to 127.0.0.1 port {port}: Connection refused"
    assert isinstance(error.__cause__, ConnectionRefusedError)


@pytest.mark.parametrize("address", ["127.1", "2130706433", "LOCALHOST"])
async def test_spellings_of_an_address(peer: RawPeer, connect: Connect, address: str) -> None:
    socket = connect(remote={"address": address, "port": peer.port})
    await peer.accept()
    await socket.ready
    assert socket.info.remote is not None
    assert socket.info.remote.address == "127.0.0.1"


@needs_ipv6
@pytest.mark.parametrize("address", ["::1", "[::1]"])
async def test_ipv6(connect: Connect, address: str) -> None:
    six = RawPeer(INET6)
    socket = connect(remote={"address": address, "port": six.port}, ttl=5, local={"address": "[::1]"})
    await six.accept()
    await socket.ready
    assert socket.info.remote is not None
    assert socket.info.local is not None
    assert (socket.info.remote.address, socket.info.local.address) == ("::1", "::1")
    raw = socket._driver._transport._socket  # type: ignore[attr-defined]
    assert raw.getsockopt(system.IPPROTO_IPV6, system.IPV6_UNICAST_HOPS) == 5
    six.close()


async def test_name_is_asked_for_as_the_host_parser_returns_it(
    peer: RawPeer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = resolve_to(monkeypatch, (INET, ("127.0.0.1", peer.port)))
    socket = connect(remote={"address": "B\u00dccher.Example", "port": peer.port})
    await peer.accept()
    await socket.ready
    assert questions == [(b"xn--bcher-kva.example", peer.port)]


@pytest.mark.parametrize("code", ["EAI_NONAME", "EAI_AGAIN"])
async def test_name_that_does_not_resolve(connect: Connect, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    resolve_to(monkeypatch, system.gaierror(getattr(system, code), "words"))
    error = await failure(connect(remote={"address": "name.invalid", "port": 1}))
    assert (error.error_code, error.system_code) == ("name-unresolvable", code)
    assert error.message == "cannot resolve name.invalid: words"


async def test_label_that_is_too_long_does_not_resolve(connect: Connect) -> None:
    error = await failure(connect(remote={"address": "a" * 64 + ".invalid", "port": 1}))
    assert error.error_code == "name-unresolvable"


async def test_second_address_is_tried(peer: RawPeer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, (INET, ("127.0.0.1", free_port())), (INET, ("127.0.0.1", peer.port)))
    socket = connect(remote={"address": "name.example", "port": 1})
    await peer.accept()
    await socket.ready
    assert socket.info.remote is not None
    assert socket.info.remote.port == peer.port


async def test_all_addresses_fail(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [free_port(), free_port()]
    resolve_to(monkeypatch, *((INET, ("127.0.0.1", port)) for port in ports))
    error = await failure(connect(remote={"address": "name.example", "port": 1}))
    assert (error.error_code, error.system_code) == ("connection-refused", "ECONNREFUSED")
    assert isinstance(error.__cause__, ExceptionGroup)
    assert [type(each) for each in error.__cause__.exceptions] == [ConnectionRefusedError] * 2
    assert str(ports[1]) in error.message


async def test_slow_address_does_not_hold_up_the_next(
    peer: RawPeer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with system.create_server(("127.0.0.1", 0), backlog=0) as silent, system.create_connection(silent.getsockname()):
        monkeypatch.setattr(connecting, "ATTEMPT_DELAY", 0.001)
        resolve_to(monkeypatch, (INET, silent.getsockname()), (INET, ("127.0.0.1", peer.port)))
        socket = connect(remote={"address": "name.example", "port": 1})
        await peer.accept()
        await asyncio.wait_for(socket.ready, LIMIT)


async def test_winners_of_a_tie_are_closed_but_one(
    peer: RawPeer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "ATTEMPT_DELAY", 0)
    resolve_to(monkeypatch, *((INET, ("127.0.0.1", peer.port)) for _ in range(3)))
    for _ in range(5):
        socket = connect(remote={"address": "name.example", "port": 1})
        await asyncio.wait_for(socket.ready, LIMIT)
        await socket.abort()


def test_families_take_turns() -> None:
    endpoints = [Endpoint(family, (str(index), 1)) for index, family in enumerate([INET6, INET6, INET6, INET])]
    assert [endpoint.address[0] for endpoint in interleave(endpoints)] == ["0", "3", "1", "2"]


async def test_local_address_and_port(peer: RawPeer, connect: Connect) -> None:
    port = free_port()
    socket = connect(local={"address": "127.0.0.2", "port": port})
    connection = await peer.accept()
    assert connection.address == ("127.0.0.2", port)
    await socket.ready
    assert socket.info.local is not None
    assert (socket.info.local.address, socket.info.local.port) == ("127.0.0.2", port)


async def test_local_port_of_any_address(peer: RawPeer, connect: Connect) -> None:
    port = free_port()
    connect(local={"port": port})
    assert (await peer.accept()).address == ("127.0.0.1", port)
    connect(local={})
    assert (await peer.accept()).address[0] == "127.0.0.1"


async def test_local_port_that_is_taken(peer: RawPeer, connect: Connect) -> None:
    error = await failure(connect(local={"address": "127.0.0.1", "port": peer.port}))
    assert (error.error_code, error.system_code) == ("address-in-use", "EADDRINUSE")


async def test_local_address_of_another_machine(connect: Connect) -> None:
    error = await failure(connect(local={"address": "192.0.2.1"}))
    assert (error.error_code, error.system_code) == ("address-not-bindable", "EADDRNOTAVAIL")
    assert error.message.startswith("cannot bind the local address")


@needs_ipv6
async def test_local_address_chooses_the_family(
    peer: RawPeer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, (INET6, ("::1", peer.port, 0, 0)), (INET, ("127.0.0.1", peer.port)))
    socket = connect(remote={"address": "name.example", "port": 1}, local={"address": "127.0.0.1"})
    await peer.accept()
    await socket.ready
    error = await failure(connect(remote={"address": "::1", "port": peer.port}, local={"address": "127.0.0.1"}))
    assert error.__cause__ is not None


async def test_no_descriptor_is_left(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(connecting.socket, "socket", refuse)
    error = await failure(connect(remote={"address": "127.0.0.1", "port": 1}))
    assert (error.error_code, error.system_code) == ("resource-limit", "EMFILE")


async def test_failure_that_nobody_foresaw_still_ends_the_socket(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, MemoryError("none"))
    error = await failure(connect(remote={"address": "name.example", "port": 1}))
    assert (error.error_code, error.system_code) == ("unknown", None)
    assert isinstance(error.__cause__, MemoryError)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(111, "x"), "ECONNREFUSED", "Connection refused"),
        (OSError("no number"), None, "no number"),
        (OSError(), None, "OSError"),
        (system.gaierror(system.EAI_FAIL, "lookup"), "EAI_FAIL", "lookup"),
        (system.gaierror(12345), None, "the name cannot be resolved"),
    ],
)
def test_words_for_errors(error: OSError, code: str | None, said: str) -> None:
    assert system_code(error) == code
    assert failure_of(error, "connect").message == said


async def test_reset_before_the_connection_is_taken_over(peer: RawPeer, connect: Connect) -> None:
    peer.listener.setblocking(True)
    for _ in range(20):
        socket = connect()
        while socket._driver._transport._socket is None:  # type: ignore[attr-defined]
            if socket.ready.state == "fulfilled":
                break
            await asyncio.sleep(0)
        accepted, _address = peer.listener.accept()
        RawConnection(accepted).reset()
        await asyncio.wait_for(socket.ready, LIMIT)
        assert socket.info.remote is not None
        assert socket.info.remote.port == peer.port
        with pytest.raises(SocketError) as caught:
            await asyncio.wait_for(socket.closed, LIMIT)
        assert caught.value.error_code == "connection-reset"


async def test_option_that_the_system_refuses_at_the_start(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_target: object, options: dict[str, Any]) -> None:
        if options["ttl"] is not None:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(tcp, "set_options", refuse)
    error = await failure(connect(ttl=9))
    assert (error.error_code, error.system_code) == ("access-denied", "EPERM")
    assert error.message.startswith("cannot set the options")
