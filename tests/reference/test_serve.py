"""`commonsocket serve`, as a process of its own."""

import asyncio
import signal
import ssl
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from commonsocket import Socket, SocketError
from commonsocket.__main__ import main
from tls_pair import authority

LIMIT = 10.0  # seconds for anything that must come

ECHO = """
from commonsocket import add_event_listener

add_event_listener("connect", lambda event: event.socket.readable.pipe_to(event.socket.writable))
"""

Serve = Callable[..., Awaitable[Process]]


async def within(awaitable: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(awaitable, LIMIT)


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Start a host of a worker with this text."""
    processes: list[Process] = []

    async def start(worker: str | None, *arguments: str) -> Process:
        if worker is not None:
            (tmp_path / "worker.py").write_text(worker, encoding="utf-8")
            arguments = ("serve", str(tmp_path / "worker.py"), *arguments)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "commonsocket", *arguments, stdout=PIPE, stderr=PIPE, cwd=tmp_path
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def write_credentials(folder: Path) -> None:
    for name, text in authority().credentials().items():
        (folder / f"{name}.pem").write_text(text, encoding="ascii")


async def address_of(process: Process) -> tuple[str, int]:
    assert process.stdout is not None
    line = (await within(process.stdout.readline())).decode()
    host, _, port = line.strip().partition("://")[2].rpartition(":")
    return host.strip("[]"), int(port)


async def is_reset(process: Process) -> None:
    """Check that a connection is reset, whether that is before the client has it or after."""
    host, port = await address_of(process)
    with pytest.raises(SocketError) as caught:
        await within(Socket({"remote": {"address": host, "port": port}}).closed)
    assert caught.value.error_code == "connection-reset"


async def ended(process: Process) -> tuple[int, str]:
    """Return exit code and stderr."""
    _, errors = await within(process.communicate())
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def test_echo_until_it_is_told_to_stop(serve: Serve) -> None:
    process = await serve(ECHO, "--listen", "tcp://127.0.0.1:0")
    reader, writer = await asyncio.open_connection(*await address_of(process))
    writer.write(b"hello")
    assert await within(reader.readexactly(5)) == b"hello"
    process.send_signal(signal.SIGTERM)
    # The connection may finish what it is about.
    writer.write(b"more")
    assert await within(reader.readexactly(4)) == b"more"
    writer.write_eof()
    assert await within(reader.read()) == b""
    writer.close()
    assert await ended(process) == (0, "")


async def test_several_addresses_and_tls(serve: Serve, tmp_path: Path) -> None:
    write_credentials(tmp_path)
    listen = [f"--listen={each}" for each in ("tcp://127.0.0.1:0", "tls://127.0.0.1:0", "tcp://*:0")]
    process = await serve(ECHO, *listen, "--key", "key.pem", "--cert=cert.pem", "--alpn", "echo")
    plain, secure, every = [await address_of(process) for _ in listen]
    assert every[0] in {"::", "0.0.0.0"}
    for host, port in (plain, ("127.0.0.1", every[1])):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"plain")
        assert await within(reader.readexactly(5)) == b"plain"
        writer.close()
    context = ssl.create_default_context(cadata=authority().pem)
    context.set_alpn_protocols(["echo"])
    reader, writer = await asyncio.open_connection(*secure, ssl=context)
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "echo"
    writer.write(b"secret")
    assert await within(reader.readexactly(6)) == b"secret"
    writer.close()
    await writer.wait_closed()
    process.send_signal(signal.SIGINT)
    assert (await ended(process))[0] == 0


async def test_quic_until_it_is_told_to_stop(serve: Serve, tmp_path: Path) -> None:
    write_credentials(tmp_path)
    secrets = ("--key", "key.pem", "--cert", "cert.pem", "--alpn", "echo")
    process = await serve(ECHO, "--listen", "quic://127.0.0.1:0", *secrets)
    remote = dict(zip(("address", "port"), await address_of(process), strict=True))
    client = Socket({"type": "quic", "remote": remote, "tls": authority().trusting(alpn=["echo"])})
    reader, writer = client.readable.get_reader(), client.writable.get_writer()
    for word in (b"before", b"after"):
        await within(writer.write(word))
        assert (await within(reader.read())).value == word
        # The connection may finish what it is about.
        process.send_signal(signal.SIGTERM) if word == b"before" else None
    await within(writer.close())
    assert (await within(reader.read())).done
    await within(client.closed)
    assert await ended(process) == (0, "")


COUNTING = """
import commonsocket

async def connect(event):
    reader, writer = event.socket.readable.get_reader(), event.socket.writable.get_writer()
    seen = []
    while not (chunk := await reader.read()).done:
        seen.append(chunk.value)
        await writer.write(b"|".join(seen))

commonsocket.onconnect = connect
"""


async def test_flows_of_udp_end_when_it_stops(serve: Serve) -> None:
    process = await serve(COUNTING, "--listen", "udp://127.0.0.1:0", "--grace", "1000")
    remote = dict(zip(("address", "port"), await address_of(process), strict=True))
    for _ in range(2):
        # Each source is a flow of its own.
        client = Socket({"type": "udp", "remote": remote})
        reader, writer = client.readable.get_reader(), client.writable.get_writer()
        for datagram, answer in ((b"a", b"a"), (b"b", b"a|b")):
            await within(writer.write(datagram))
            assert (await within(reader.read())).value == answer
        await client.abort()
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (0, "")


async def test_connections_that_do_not_finish_are_reset(serve: Serve) -> None:
    process = await serve(ECHO, "--listen", "tcp://127.0.0.1:0", "--grace", "0.05")
    reader, writer = await asyncio.open_connection(*await address_of(process))
    writer.write(b"x")
    assert await within(reader.readexactly(1)) == b"x"
    process.send_signal(signal.SIGTERM)
    with pytest.raises(ConnectionResetError):
        await within(reader.read())
    writer.close()
    code, errors = await ended(process)
    assert code == 0
    assert "1 connections had not finished after 0.05 s and were reset" in errors


async def test_a_second_signal_ends_it_at_once(serve: Serve) -> None:
    process = await serve(ECHO, "--listen", "tcp://127.0.0.1:0", "--grace", "1000")
    address = await address_of(process)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"x")
    await within(reader.readexactly(1))
    process.send_signal(signal.SIGTERM)
    # It listens no more when it has taken the first signal.
    while True:
        try:
            _, late = await asyncio.open_connection(*address)
        except ConnectionError:
            break
        late.close()
    process.send_signal(signal.SIGTERM)
    assert (await ended(process))[0] == 128 + signal.SIGTERM
    writer.close()


WAITING = """
import asyncio, commonsocket

async def later(path):
    await asyncio.sleep(0.02)
    open(path, "w").write("done")

def listener(event):
    event.wait_until(later("done.txt"))
    event.reject()

commonsocket.onconnect = listener
"""


async def test_wait_until_keeps_the_worker(serve: Serve, tmp_path: Path) -> None:
    process = await serve(WAITING, "--listen", "tcp://127.0.0.1:0")
    await is_reset(process)
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (0, "")
    assert (tmp_path / "done.txt").read_text(encoding="ascii") == "done"


FAILING = """
from commonsocket import add_event_listener

async def connect(event):
    data = await event.socket.readable.get_reader().read()
    raise ValueError(data.value.decode())

add_event_listener("connect", connect)
"""


async def test_a_listener_that_fails_ends_its_connection_only(serve: Serve) -> None:
    process = await serve(FAILING, "--listen", "tcp://127.0.0.1:0")
    address = await address_of(process)
    for word in (b"first", b"second"):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(word)
        with pytest.raises(ConnectionResetError):
            await within(reader.read())
        writer.close()
    process.send_signal(signal.SIGTERM)
    code, errors = await ended(process)
    assert code == 0
    assert "ValueError: first" in errors
    assert "ValueError: second" in errors


async def test_without_a_listener_connections_are_reset(serve: Serve) -> None:
    process = await serve("", "--listen", "tcp://127.0.0.1:0")
    await is_reset(process)
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (0, "")


async def test_worker_that_cannot_be_run(serve: Serve) -> None:
    code, errors = await ended(await serve("1 / 0", "--listen", "tcp://127.0.0.1:0"))
    assert code == 1
    assert "worker.py failed:" in errors
    assert "ZeroDivisionError" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve"], "needs the file of a worker"),
        (["listen", "x.py"], "no command 'listen'"),
        (["serve", "none.py", "--listen", "tcp://127.0.0.1:0"], "none.py: there is no such file"),
        (["serve", "{worker}"], "serve needs --listen"),
        (["serve", "{worker}", "other.py", "--listen", "tcp://127.0.0.1:0"], "'other.py' is one too many"),
        (["serve", "{worker}", "--listen", "127.0.0.1:0"], "takes an address such as tcp://"),
        (["serve", "{worker}", "--listen", "sctp://127.0.0.1:0"], "only tcp, tls, udp, quic can"),
        (["serve", "{worker}", "--listen", "tcp://localhost:0"], "the host is to be an IP address"),
        (["serve", "{worker}", "--listen", "tcp://127.0.0.1:65536"], "ports go up to 65535"),
        (["serve", "{worker}", "--listen", "tls://127.0.0.1:0"], "needs --key and --cert"),
        (["serve", "{worker}", "--listen", "quic://127.0.0.1:0"], "needs --key and --cert"),
        (["serve", "{worker}", "--listen", "tls://127.0.0.1:0", "--key", "{worker}"], "go together"),
        (["serve", "{worker}", "--listen=tls://*:0", "--key=none", "--cert={worker}"], "none cannot be read"),
        (["serve", "{worker}", "--listen"], "--listen needs a value"),
        (["serve", "{worker}", "--listen=tcp://*:0", "--grace", "soon"], "takes a number of seconds"),
        (["serve", "{worker}", "--listen=tcp://*:0", "--grace=1", "--grace=2"], "given twice"),
        (["serve", "{worker}", "--loud"], "no option --loud"),
    ],
)
def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(ECHO, encoding="utf-8")
    assert main([each.format(worker=worker) for each in arguments]) == 2
    is_one_line(capsys.readouterr().err, words)


def is_one_line(errors: str, words: str) -> None:
    assert errors.startswith("commonsocket: ")
    assert words in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen=tls://127.0.0.1:0", "--key=worker.py", "--cert=worker.py"], "not a private key"),
        (["--listen=quic://127.0.0.1:0", "--key=key.pem", "--cert=cert.pem"], "quic needs at least one protocol"),
        (["--listen=tcp://127.0.0.1:0", "--listen=tcp://192.0.2.77:0"], "192.0.2.77:0: cannot bind the local address"),
    ],
)
async def test_mistakes_that_show_when_it_listens(
    serve: Serve, tmp_path: Path, arguments: list[str], words: str
) -> None:
    write_credentials(tmp_path)
    code, errors = await ended(await serve(ECHO, *arguments))
    assert code == 2
    is_one_line(errors, words)


@pytest.mark.parametrize(
    ("arguments", "expected", "usage"),
    [
        ([], 2, "usage: commonsocket COMMAND"),
        (["--help"], 0, "usage: commonsocket COMMAND"),
        (["serve", "--help"], 0, "usage: commonsocket serve WORKER"),
    ],
)
def test_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], expected: int, usage: str) -> None:
    assert main(arguments) == expected
    out, errors = capsys.readouterr()
    shown, other = (out, errors) if expected == 0 else (errors, out)
    assert shown.startswith(usage)
    assert "Example: " in shown
    assert other == ""


def test_the_script_is_the_module() -> None:
    (script,) = entry_points(group="console_scripts", name="commonsocket")
    assert script.load() is main
