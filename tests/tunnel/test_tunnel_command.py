"""`commonsocket tunnel` as its user meets it."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from commonsocket.tunnel.command import main
from websockets.sync.client import connect

SECRET = "correct-horse-battery"


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a tunnel; give its process and its address."""
    command = [sys.executable, "-m", "commonsocket", "tunnel", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_stops_when_asked(number: int) -> None:
    with running("--listen", "ws://127.0.0.1:0", "--allow", "127.0.0.1:1") as (process, url):
        assert re.fullmatch(r"ws://127\.0\.0\.1:\d+", url)
        with urllib.request.urlopen(url.replace("ws", "http", 1) + "/health", timeout=5) as answer:
            assert answer.read() == b"ok\n"
        process.send_signal(number)
        assert process.wait(10) == 0


def test_it_stops_with_whoever_started_it() -> None:
    with running("--listen", "ws://[::1]:0", "--allow", "127.0.0.1:1", "--stop-with-stdin") as (process, url):
        assert url.startswith("ws://[::1]:")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_no_token_is_in_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(SECRET + "\n", encoding="utf-8")
    arguments = ("--listen", "ws://127.0.0.1:0", "--allow", "127.0.0.1:1", "--token-file", str(file), "--verbose")
    with running(*arguments) as (process, url):
        for path in (f"/?token={SECRET}", f"/?token={SECRET}&host=127.0.0.1&port=1", f"/?token=wrong-{SECRET}"):
            with pytest.raises(Exception, match=r"HTTP (400|401|502)"):
                connect(url + path, subprotocols=["binary"])  # type: ignore[list-item]
        with connect(
            url, subprotocols=["commonsocket.v1"], additional_headers={"Authorization": f"Bearer {SECRET}"}
        ) as made:  # type: ignore[list-item]
            made.send(
                json.dumps({"type": "connect", "init": {"remote": {"address": "127.0.0.1", "port": 1}}, "credit": 0})
            )
            assert json.loads(made.recv())["code"] == "ECONNREFUSED"
        process.terminate()
        out, err = process.communicate(timeout=10)
    assert "refused: token" in err
    assert "failed in connect" in err
    assert SECRET not in out + err


def test_tokens_can_be_changed_while_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(SECRET + "\n", encoding="utf-8")

    def status(url: str, token: str) -> int:
        asked = urllib.request.Request(
            url.replace("ws", "http", 1) + "/metrics", headers={"Authorization": f"Bearer {token}"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    with running("--listen", "ws://127.0.0.1:0", "--allow", "a:1", "--token-file", str(file)) as (process, url):
        assert status(url, SECRET) == 200
        file.write_text("short\n", encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        assert "the tokens stay as they were" in process.stderr.readline()
        assert status(url, SECRET) == 200
        file.write_text("another-that-is-long\n", encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while status(url, SECRET) != 401:
            assert time.monotonic() < deadline
        assert status(url, "another-that-is-long") == 200


def test_it_is_quiet_unless_asked_to_speak() -> None:
    with running("--listen", "ws://127.0.0.1:0", "--allow", "127.0.0.1:1") as (process, url):
        with pytest.raises(Exception, match="HTTP 403"):
            connect(url, origin="https://evil.example")  # type: ignore[arg-type]
        process.terminate()
        assert process.communicate(timeout=10) == ("", "")


def test_connections_that_did_not_finish_are_told_of() -> None:
    with running("--listen", "ws://127.0.0.1:0", "--allow", "127.0.0.1:1", "--grace", "0.1") as (process, url):
        with connect(url, subprotocols=["commonsocket.v1"]):  # type: ignore[list-item]
            process.terminate()
            _, err = process.communicate(timeout=15)
        assert "1 connections had not finished after 0.1 s" in err


MISTAKES = {
    "no rule": (["--listen", "ws://127.0.0.1:0"], "--allow"),
    "nowhere": (["--allow", "a:1"], "--listen"),
    "a bad rule": (["--listen", "ws://127.0.0.1:0", "--allow", "a"], "--allow a: write HOST:PORT"),
    "a bad address": (["--listen", "127.0.0.1:0", "--allow", "a:1"], "write ws://HOST:PORT"),
    "a bad port": (["--listen", "ws://127.0.0.1:x", "--allow", "a:1"], "--listen ws://127.0.0.1:x"),
    "a path": (["--listen", "ws://127.0.0.1:0/x", "--allow", "a:1"], "write ws://HOST:PORT"),
    "an address of others": (
        ["--listen", "ws://192.0.2.1:0", "--allow", "a:1", "--without-token"],
        "192.0.2.1 port 0: ",
    ),
    "everybody": (["--listen", "ws://0.0.0.0:0", "--allow", "a:1"], "add --token-file"),
    "a name": (["--listen", "ws://example.org:0", "--allow", "a:1"], "add --token-file"),
    "no token file": (["--listen", "ws://127.0.0.1:0", "--allow", "a:1", "--token-file", "/nowhere"], "cannot be read"),
    "no certificate": (["--listen", "wss://127.0.0.1:0", "--allow", "a:1"], "wss:// needs both"),
    "no use for one": (
        ["--listen", "ws://127.0.0.1:0", "--allow", "a:1", "--tls-cert", "x", "--tls-key", "y"],
        "no --listen has that",
    ),
    "no such certificate": (
        ["--listen", "wss://127.0.0.1:0", "--allow", "a:1", "--tls-cert", "x", "--tls-key", "y"],
        "--tls-cert x",
    ),
    "an origin with a path": (
        ["--listen", "ws://127.0.0.1:0", "--allow", "a:1", "--origin", "https://a.example/"],
        "as browsers send it",
    ),
    "an origin without a scheme": (
        ["--listen", "ws://127.0.0.1:0", "--allow", "a:1", "--origin", "a.example"],
        "as browsers send it",
    ),
    "a negative limit": (
        ["--listen", "ws://127.0.0.1:0", "--allow", "a:1", "--max-connections", "-1"],
        "--max-connections: -1 is too small",
    ),
    "no number": (["--listen", "ws://127.0.0.1:0", "--allow", "a:1", "--max-idle-time", "nan"], "--max-idle-time: nan"),
    "a negative grace": (["--listen", "ws://127.0.0.1:0", "--allow", "a:1", "--grace", "-1"], "--grace"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, words = MISTAKES[name]
    try:
        code = main(arguments)
    except SystemExit as exit_:
        code = exit_.code
    assert code == 2
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with running("--listen", "ws://127.0.0.1:0", "--allow", "a:1") as (_, url):
        assert main(["--listen", url, "--allow", "a:1"]) == 2
    assert "ddress already in use" in capsys.readouterr().err


def test_wss(tmp_path: Path) -> None:
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    both = str(tmp_path / "both.pem")
    arguments = ("--listen", "wss://127.0.0.1:0", "--allow", "a:1", "--tls-cert", both, "--tls-key", both)
    with running(*arguments) as (_, url):
        assert url.startswith("wss://127.0.0.1:")


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    assert "commonsocket tunnel --listen wss://" in capsys.readouterr().out
