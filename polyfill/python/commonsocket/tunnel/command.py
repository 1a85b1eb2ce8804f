"""`commonsocket tunnel`: the command line of the tunnel."""

# ruff: noqa: PLC0415, T201  # a command imports what it needs when it runs; printing is a command line's work

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .mistake import MistakeError

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable, Sequence

    from .settings import Limits, ListenAddress, Settings

_EXAMPLE: Final = """\
example: a page of https://app.example.org may reach one database, if it has a token

    openssl rand -hex 16 > tokens.txt
    commonsocket tunnel --listen wss://0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem \\
        --allow db.internal:5432 --origin https://app.example.org --token-file tokens.txt

docs/tunnel.md describes the rules, the protocol and what a page has to do.
"""

#: The options that are limits, and what each of them limits.
_LIMITS: Final = {
    "connections": ("N", "WebSockets at once"),
    "header_size": ("BYTES", "the head of an HTTP request"),
    "handshake_time": ("SECONDS", "until a request is whole, and until a WebSocket has said where to"),
    "connect_time": ("SECONDS", "to connect to a target"),
    "idle_time": ("SECONDS", "without any payload; 0 for no limit"),
    "ping_time": ("SECONDS", "of a client's silence before it is asked whether it is there; 0 to never ask"),
    "buffer_size": ("BYTES", "that wait in the tunnel for one connection, in each direction"),
    "message_size": ("BYTES", "of one WebSocket message"),
    "control_size": ("BYTES", "of one control message"),
}
_LARGEST: Final = 1 << 40


def parser(prog: str = "commonsocket tunnel") -> argparse.ArgumentParser:
    """Return the parser of the command."""
    from .settings import Limits

    result = argparse.ArgumentParser(
        prog=prog,
        description="Carry TCP, TLS and UDP sockets over WebSockets, for pages and others that have no sockets.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument(
        "--listen",
        action="append",
        required=True,
        metavar="URL",
        help="where to listen, such as ws://127.0.0.1:8080 or wss://[::]:8443; port 0 takes a free one",
    )
    result.add_argument(
        "--allow",
        action="append",
        required=True,
        metavar="HOST:PORT",
        help="what may be reached: a name, an address, a network such as 10.0.0.0/8 or * for every public address; "
        "a port, a range such as 5000-5010, or *; /udp behind it for datagrams. May be repeated",
    )
    result.add_argument(
        "--origin", action="append", default=[], metavar="ORIGIN", help="whose pages may connect; * for all"
    )
    result.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="the tokens that let clients in, one a line; SIGHUP has it read again",
    )
    result.add_argument(
        "--without-token",
        action="store_true",
        help="let everybody in who reaches the tunnel, not from this machine only",
    )
    result.add_argument(
        "--allow-bind", action="store_true", help="let clients choose local addresses and take datagrams"
    )
    result.add_argument("--tls-cert", type=Path, metavar="FILE", help="the certificate chain for wss, in PEM")
    result.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key, in PEM")
    result.add_argument(
        "--grace", type=float, default=10.0, metavar="SECONDS", help="for connections to end when asked to stop (10)"
    )
    result.add_argument("--verbose", action="store_true", help="log connections, and why others failed or were refused")
    result.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends, too")
    limits = result.add_argument_group("limits")
    defaults = Limits()
    for name, (metavar, about) in _LIMITS.items():
        default = getattr(defaults, name)
        limits.add_argument(
            f"--max-{name.replace('_', '-')}",
            dest=name,
            type=type(default),
            default=default,
            metavar=metavar,
            help=f"{about} ({default if isinstance(default, int) else format(default, 'g')})",
        )
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 when it was asked to stop, 2 for a mistake of the user."""
    options = parser().parse_args(arguments)
    try:
        settings = _settings(options)
        return _run(settings, options)
    except MistakeError as mistake:
        print(f"commonsocket tunnel: {mistake}", file=sys.stderr)
        return 2


def _run(settings: Settings, options: argparse.Namespace) -> int:
    import asyncio

    from .server import run

    level = logging.INFO if options.verbose else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    try:
        # The extra `fast`: `benchmarks/tunnel.py` says how much it is worth.
        import uvloop
    except ImportError:
        factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        reload = partial(_read_tokens_again, settings, options)
        return runner.run(run(settings, reload=reload, with_stdin=options.stop_with_stdin))


def _read_tokens_again(settings: Settings, options: argparse.Namespace) -> None:
    """Take the tokens that are in the file now; with a fault in it, go on with those that were."""
    from .tokens import read_tokens

    if settings.tokens is None:
        return
    try:
        settings.tokens.replace_by(read_tokens(options.token_file))
    except MistakeError as mistake:
        print(f"commonsocket tunnel: {mistake}; the tokens stay as they were", file=sys.stderr)


def _settings(options: argparse.Namespace) -> Settings:
    from .allow_list import AllowList, parse_rule
    from .settings import Settings
    from .tokens import read_tokens

    listen = tuple(_listen_address(url) for url in options.listen)
    tokens = read_tokens(options.token_file) if options.token_file else None
    if tokens is None and not options.without_token:
        _check_reach(listen)
    if not 0 <= options.grace < _LARGEST:
        raise MistakeError("--grace: 0 or more seconds are needed")
    return Settings(
        listen=listen,
        allowed=AllowList([parse_rule(text) for text in options.allow]),
        tokens=tokens,
        origins=None if "*" in options.origin else tuple(_origin(text) for text in options.origin),
        allow_bind=options.allow_bind,
        tls=_context(options, listen),
        limits=_limits(options),
        grace=options.grace,
    )


def _listen_address(url: str) -> ListenAddress:
    from urllib.parse import urlsplit

    from .settings import ListenAddress

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise MistakeError(f"--listen {url}: {error}") from error
    if parts.scheme not in {"ws", "wss"} or not host or port is None or parts.path not in {"", "/"}:
        raise MistakeError(f"--listen {url}: write ws://HOST:PORT or wss://HOST:PORT, such as ws://127.0.0.1:8080")
    return ListenAddress(host, port, encrypted=parts.scheme == "wss")


def _check_reach(listen: Sequence[ListenAddress]) -> None:
    """Demand a token where others than this machine's own programs can reach the tunnel."""
    import ipaddress

    for address in listen:
        try:
            local = ipaddress.ip_address(address.host).is_loopback
        except ValueError:
            local = address.host == "localhost"
        if not local:
            raise MistakeError(
                f"--listen {address.host}: others reach it, and with it what is allowed; add --token-file FILE, "
                "or --without-token if something in front of the tunnel lets in only whom you want"
            )


def _origin(text: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    # RFC 6454, section 6.2: what a browser sends has a scheme and a host, and no path.
    if text != "null" and (not parts.scheme or not parts.netloc or text != f"{parts.scheme}://{parts.netloc}"):
        raise MistakeError(f"--origin {text}: write it as browsers send it, such as https://app.example.org")
    return text.lower()


def _context(options: argparse.Namespace, listen: Sequence[ListenAddress]) -> ssl.SSLContext | None:
    import ssl

    encrypted = any(address.encrypted for address in listen)
    if not encrypted and not options.tls_cert and not options.tls_key:
        return None
    if not options.tls_cert or not options.tls_key:
        raise MistakeError("wss:// needs both --tls-cert and --tls-key")
    if not encrypted:
        raise MistakeError("--tls-cert and --tls-key are for wss://, and no --listen has that")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(options.tls_cert, options.tls_key, password="")
    except (OSError, ValueError) as error:
        raise MistakeError(f"--tls-cert {options.tls_cert}, --tls-key {options.tls_key}: {error}") from error
    return context


def _limits(options: argparse.Namespace) -> Limits:
    from .settings import Limits

    for name in _LIMITS:
        value = getattr(options, name)
        # What may be without a limit says so by 0.
        least = 0 if name in {"idle_time", "ping_time"} else 1
        if not least <= value < _LARGEST:
            raise MistakeError(f"--max-{name.replace('_', '-')}: {value:g} is too small or too large")
    return replace(
        Limits(), **{each.name: getattr(options, each.name) for each in fields(Limits) if each.name in _LIMITS}
    )
