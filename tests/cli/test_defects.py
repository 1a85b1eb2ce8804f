"""A defect of the harness has an exit code of its own: it must never read as a verdict on a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.cli.main import run
from conformance.peers.tcp import TcpPeer
from conformance.testing import registry

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TEST = "socket/ready/fulfils-with-undefined"


def test_an_error_that_nobody_foresaw(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(_: object) -> None:
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr(registry, "load", fails)
    assert run(["list"]) == 3
    said = capsys.readouterr().err
    assert "error [harness]: the harness itself failed: KeyError: 'nobody foresaw this'" in said
    assert "test_defects.py:" in said


def test_a_peer_that_stumbles_in_a_callback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumbles(peer: TcpPeer) -> None:
        peer._listener.accept()[0].close()
        raise RuntimeError("stumbled")

    monkeypatch.setattr(TcpPeer, "_accept", stumbles)
    monkeypatch.chdir(tmp_path)
    assert run(["run", TEST, "--no-report", "--limit-factor", "0.05"]) == 3
    assert "the harness itself failed: RuntimeError: stumbled" in capsys.readouterr().err
