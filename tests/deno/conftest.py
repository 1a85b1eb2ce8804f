from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import denoland
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry that has the package."""
    with denoland.serving({}) as (address, pages):
        pages.update(denoland.publish(tmp_path_factory.mktemp("registry"), address))
        yield address


@pytest.fixture
def deno(registry: str, tmp_path: Path) -> denoland.Deno:
    assert denoland.RUNTIME.exists(), "npm ci installs Deno"
    return denoland.Deno(tmp_path, registry)


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a peer that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_echo, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        # What nobody has connected to still waits.
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _echo(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)
