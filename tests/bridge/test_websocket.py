"""The agent protocol over a WebSocket, between the pipes of a harness and an agent of either role."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

from conformance import resources

HERE = Path(__file__).parent
LIMIT = 30.0  # seconds, which only a failure takes


@contextlib.contextmanager
def launched(folder, *arguments, stderr=None):
    """Start a launcher as the harness does."""
    command = [sys.executable, str(resources.runners() / "launch.py"), str(HERE / folder), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def serving(agent):
    """Serve a WebSocket agent, and give its URL."""
    with serve(agent, "127.0.0.1", 0, max_size=None, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        finally:
            server.shutdown()
            thread.join()


def echo(connection):
    """Say hello and then each message that comes."""
    connection.send("hello\n")
    for message in connection:
        connection.send(message)


def test_lines_go_both_ways_verbatim():
    with serving(echo) as url, launched("caller", url) as launcher:
        assert launcher.stdout.readline() == b"hello\n"
        lines = ['{"id":1,"text":"\\u0000 <ü> 😀"}\n', "{}\n", "\n"]
        launcher.stdin.write("".join(lines).encode())
        launcher.stdin.flush()
        assert [launcher.stdout.readline().decode() for _ in lines] == lines


def test_a_line_that_comes_in_pieces_arrives_in_one_message():
    messages = []

    def agent(connection):
        messages.append(connection.recv())
        connection.send("done\n")

    with serving(agent) as url, launched("caller", url) as launcher:
        launcher.stdin.write(b"a" * 300_000)
        launcher.stdin.flush()
        launcher.stdin.write(b"b\n")
        launcher.stdin.flush()
        assert launcher.stdout.readline() == b"done\n"
    assert messages == ["a" * 300_000 + "b\n"]


def test_a_message_in_fragments_is_put_together():
    def agent(connection):
        connection.send(iter(["{", '"id":', "1}\n"]))
        connection.recv()

    with serving(agent) as url, launched("caller", url) as launcher:
        assert launcher.stdout.readline() == b'{"id":1}\n'


def test_an_agent_that_does_not_read_makes_the_harness_wait():
    wake = threading.Event()

    def agent(connection):
        connection.send("hello\n")
        wake.wait(LIMIT)
        size = 0
        while size < sent[0]:
            size += len(connection.recv())
        connection.send(f"{size}\n")

    sent = [0]
    line = b"x" * 65_535 + b"\n"
    with serving(agent) as url, launched("caller", url) as launcher:
        assert launcher.stdout.readline() == b"hello\n"
        file = launcher.stdin.fileno()
        os.set_blocking(file, False)
        rest = b""
        while select.select([], [file], [], 1.0)[1]:
            rest = rest or line
            written = os.write(file, rest)
            rest = rest[written:]
            sent[0] += written
            assert sent[0] < 2**28, "the launcher takes without end what it cannot get rid of"
        os.set_blocking(file, True)
        os.write(file, rest)
        sent[0] += len(rest)
        wake.set()
        assert launcher.stdout.readline() == f"{sent[0]}\n".encode()


def test_a_launcher_leaves_when_its_stdin_ends():
    with serving(echo) as url, launched("caller", url) as launcher:
        launcher.stdout.readline()
        launcher.stdin.close()
        assert launcher.wait(LIMIT) == 0


def test_a_launcher_leaves_when_the_agent_does():
    with serving(lambda connection: connection.send("hello\n")) as url, launched("caller", url) as launcher:
        assert launcher.stdout.read() == b"hello\n"
        assert launcher.wait(LIMIT) == 0


def test_where_there_is_no_agent_it_says_so():
    with launched("caller", "ws://127.0.0.1:1/", stderr=subprocess.PIPE) as launcher:
        assert launcher.wait(LIMIT) == 1
        assert launcher.stderr.read().decode().startswith("there is no agent at ws://127.0.0.1:1/: ")


def test_a_server_that_speaks_no_websocket_is_no_agent():
    with launched("called", stderr=subprocess.PIPE) as web:
        url = web.stderr.readline().decode().strip().replace("http", "ws") + "/elsewhere"
        with launched("caller", url, stderr=subprocess.PIPE) as launcher:
            assert launcher.wait(LIMIT) == 1
            assert "HTTP 404" in launcher.stderr.read().decode()


@pytest.fixture
def called():
    with launched("called", stderr=subprocess.PIPE) as launcher:
        yield launcher, launcher.stderr.readline().decode().strip()


def test_pages_are_served_with_their_headers(called):
    _, origin = called
    with urllib.request.urlopen(f"{origin}/?query") as response:
        assert response.read() == b"<p>hello"
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{origin}/other")


def test_a_page_becomes_the_agent(called):
    launcher, origin = called
    launcher.stdin.write(b"early\n")
    launcher.stdin.flush()
    with connect(f"{origin.replace('http', 'ws')}/agent", origin=origin) as agent:
        assert agent.recv() == "early\n"
        agent.send("hello\nand more\n")
        assert launcher.stdout.readline() + launcher.stdout.readline() == b"hello\nand more\n"
        with pytest.raises(InvalidStatus, match="409"):
            connect(f"{origin.replace('http', 'ws')}/agent", origin=origin)
    assert launcher.wait(LIMIT) == 0


def test_a_page_of_another_origin_is_no_agent(called):
    _, origin = called
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"{origin.replace('http', 'ws')}/agent", origin="http://elsewhere.example")
