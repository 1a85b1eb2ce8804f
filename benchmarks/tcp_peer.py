"""The other end of the TCP benchmarks: blocking sockets and threads, which is the fastest that Python has.

It prints the ports it listens on as one line of JSON, and ends when its standard input does.
The first line that a client sends says what the connection is for:

``source N``  N bytes of a known pattern come back, then a FIN
``pour N``    the same without the FIN
``sink``      everything up to the FIN is taken; then its length and SHA-256 come back as JSON
``drain``     the same without the hash
``count N``   N bytes are taken; then one byte comes back
``echo``      everything comes back

With ``--key FILE --cert FILE`` all of it goes over TLS.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import socket
import ssl
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PORTS = 64
"""Connections in TIME_WAIT make connecting to one and the same port several times slower."""

MEBIBYTE = 1 << 20
WRITE = 1 << 16
"""How much is sent at once."""
PATTERN = bytes((index * 31 + (index >> 8)) & 0xFF for index in range(MEBIBYTE))


def source(connection: socket.socket, argument: str, _early: bytes) -> None:
    """Send as many bytes as asked for, and end."""
    send(connection, int(argument))
    connection.shutdown(socket.SHUT_WR)


def pour(connection: socket.socket, argument: str, _early: bytes) -> None:
    """Send as many bytes as asked for, and wait for the other end."""
    send(connection, int(argument))
    connection.recv(1)


def send(connection: socket.socket, rest: int) -> None:
    """Send so many bytes of the pattern."""
    position = 0
    pattern = memoryview(PATTERN)
    while rest > 0:
        sent = connection.send(pattern[position : position + min(rest, WRITE)])
        position = (position + sent) % MEBIBYTE
        rest -= sent


def take(connection: socket.socket, early: bytes, use: Callable[[memoryview], None]) -> int:
    """Receive up to the FIN; return how many bytes it was."""
    buffer = memoryview(bytearray(MEBIBYTE // 4))
    use(memoryview(early))
    length = len(early)
    while count := connection.recv_into(buffer):
        use(buffer[:count])
        length += count
    return length


def sink(connection: socket.socket, _argument: str, early: bytes) -> None:
    """Answer with length and hash of what was received."""
    digest = hashlib.sha256()
    length = take(connection, early, digest.update)
    connection.sendall(json.dumps({"length": length, "sha256": digest.hexdigest()}).encode())


def drain(connection: socket.socket, _argument: str, early: bytes) -> None:
    """Answer with the length of what was received."""
    length = take(connection, early, lambda _bytes: None)
    connection.sendall(json.dumps({"length": length}).encode())


def count(connection: socket.socket, argument: str, early: bytes) -> None:
    """Answer with a byte when all bytes are there, for those who cannot send a FIN."""
    rest = int(argument) - len(early)
    buffer = memoryview(bytearray(MEBIBYTE // 4))
    while rest > 0 and (received := connection.recv_into(buffer)):
        rest -= received
    connection.sendall(b".")
    connection.recv(1)


def echo(connection: socket.socket, _argument: str, early: bytes) -> None:
    """Send back what comes."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(early)
    buffer = memoryview(bytearray(MEBIBYTE // 4))
    while count := connection.recv_into(buffer):
        connection.sendall(buffer[:count])


SERVICES = {"source": source, "pour": pour, "sink": sink, "drain": drain, "count": count, "echo": echo}


def serve(accepted: socket.socket, context: ssl.SSLContext | None) -> None:
    """Read the first line and do what it says."""
    with contextlib.ExitStack() as stack:
        try:
            connection = stack.enter_context(
                accepted if context is None else context.wrap_socket(accepted, server_side=True)
            )
        except OSError:
            return
        try:
            early = b""
            while b"\n" not in early:
                if not (received := connection.recv(65536)):
                    return
                early += received
            line, _, rest = early.partition(b"\n")
            service, _, argument = line.decode("ascii").partition(" ")
            SERVICES[service](connection, argument, rest)
        except (ConnectionError, ssl.SSLError):
            pass


def accept(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    """Serve the connections of one port, each in a thread."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, context), daemon=True).start()


def main() -> None:
    """Listen until nobody needs it any more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--key")
    parser.add_argument("--cert")
    options = parser.parse_args()
    context = None
    if options.cert is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in range(PORTS)]
    for listener in listeners:
        threading.Thread(target=accept, args=(listener, context), daemon=True).start()
    print(json.dumps([listener.getsockname()[1] for listener in listeners]), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
