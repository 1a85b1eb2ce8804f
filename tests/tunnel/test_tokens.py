"""Tokens: who has one, and that nobody gets to see it."""

import base64
from pathlib import Path

import pytest
from commonsocket.tunnel.mistake import MistakeError
from commonsocket.tunnel.tokens import SUBPROTOCOL_PREFIX, Tokens, read_tokens, token_of_subprotocol

SECRET = "correct-horse-battery"


def test_only_the_right_ones() -> None:
    tokens = Tokens([SECRET, "another-that-is-long"])
    assert tokens.accept(SECRET)
    assert tokens.accept("another-that-is-long")
    for wrong in ("", SECRET[:-1], SECRET + "x", SECRET.upper(), "\udcff"):
        assert not tokens.accept(wrong), wrong


def test_nothing_shows_them() -> None:
    tokens = Tokens([SECRET])
    assert SECRET not in repr(tokens) + repr(vars(tokens))


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# for the app\n\n  {SECRET}  \nanother-that-is-long\n", encoding="utf-8")
    tokens = read_tokens(file)
    assert tokens.accept(SECRET)
    assert not tokens.accept("# for the app")


def test_a_short_token_is_named_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"{SECRET}\nhunter2\n", encoding="utf-8")
    with pytest.raises(MistakeError, match=":2: a token needs 16 characters") as raised:
        read_tokens(file)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xff\xfe"])
def test_a_file_without_any(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "tokens"
    file.write_bytes(content)
    with pytest.raises(MistakeError, match=r"^--token-file"):
        read_tokens(file)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MistakeError, match="cannot be read"):
        read_tokens(tmp_path / "missing")


@pytest.mark.parametrize("secret", [SECRET, "ü" * 16, "a+b/c=d?e>f~g|h", "x" * 17, "x" * 18, "x" * 19])
def test_in_a_subprotocol(secret: str) -> None:
    encoded = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
    assert token_of_subprotocol(SUBPROTOCOL_PREFIX + encoded) == secret


@pytest.mark.parametrize(
    "subprotocol", ["binary", SUBPROTOCOL_PREFIX + "!", SUBPROTOCOL_PREFIX + "x", SUBPROTOCOL_PREFIX + "_w"]
)
def test_no_token_in_a_subprotocol(subprotocol: str) -> None:
    assert token_of_subprotocol(subprotocol) is None
