"""`commonsocket serve`: a host of one socket worker."""

# ruff: noqa: T201  # printing is a command line's work

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .core.host import parse_ip_literal
from .dom_exception import DOMException
from .socket_listener import SERVERS
from .worker import listen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .info import SocketEndpoint
    from .worker import WorkerHost

USAGE: Final = """usage: commonsocket serve WORKER --listen ADDRESS [--listen ADDRESS ...] [OPTIONS]

Runs a socket worker: a module that gets connections by the global connect event.

  WORKER             the module, such as echo.py
  --listen ADDRESS   where to listen: tcp://127.0.0.1:8080, tls://*:8443, udp://[::1]:53, quic://127.0.0.1:4433.
                     The host is an IP address or *, which is every address; with port 0 the system chooses one
  --key FILE         the private key for tls and quic, PEM
  --cert FILE        the certificate for tls and quic with its chain, PEM
  --alpn NAME        a protocol to be spoken over tls or quic, the preferred one first; may be given several times,
                     and quic needs one
  --grace SECONDS    how long open connections may take to finish after SIGTERM or SIGINT (default: 10);
                     a second signal ends them at once
  --help             this text

When everything is bound, it prints the address of each, one a line, in the order in which they were given.

Example: an echo server.

  cat > echo.py <<END
  from commonsocket import add_event_listener
  add_event_listener("connect", lambda event: event.socket.readable.pipe_to(event.socket.writable))
  END
  commonsocket serve echo.py --listen tcp://127.0.0.1:7007
"""

_ADDRESS: Final = re.compile(r"(\w+)://(.*):(\d+)", re.ASCII)
_ENCRYPTED: Final = ("tls", "quic")
# What may follow each option, and how often.
_OPTIONS: Final = ("--listen", "--key", "--cert", "--alpn", "--grace")
_REPEATABLE: Final = ("--listen", "--alpn")
_MOST_GRACE: Final = 1e6  # seconds
_NAME: Final = "__socket_worker__"


class Mistake(Exception):  # noqa: N818  # it is the user's
    """What is wrong with the arguments."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An address to listen at: as it was given, and as init of a listener."""

    text: str
    init: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the arguments ask for."""

    worker: Path
    listeners: tuple[Listener, ...]
    grace: float


def main(arguments: Sequence[str]) -> int:
    """Run the command; return the exit code: 0, 1 if the worker failed, 2 for a mistake."""
    if "--help" in arguments or "-h" in arguments:
        print(USAGE, end="")
        return 0
    try:
        return asyncio.run(_serve(plan_of(arguments)))
    except Mistake as mistake:
        _say(str(mistake))
        return 2


async def _serve(plan: Plan) -> int:
    loop = asyncio.get_running_loop()
    # "Exceptions are reported": a fault in the handling of one connection does not end the others.
    loop.set_exception_handler(_report)
    if not _load(plan.worker):
        return 1
    hosts = await _listen_all(plan.listeners)
    stopped = _stop_signal(loop)
    for listener, host in zip(plan.listeners, hosts, strict=True):
        print(_address_text(listener.text, host.address), flush=True)
    await stopped
    resets = await asyncio.gather(*(host.stop(plan.grace) for host in hosts))
    if sum(resets):
        _say(f"{sum(resets)} connections had not finished after {plan.grace:g} s and were reset")
    return 0


def plan_of(arguments: Sequence[str]) -> Plan:
    """Return what the arguments ask for; raises `Mistake`."""
    positional, options = _parse(arguments)
    if not positional:
        raise Mistake("serve needs the file of a worker; try --help")
    if len(positional) > 1:
        raise Mistake(f"serve runs one worker, and {positional[1]!r} is one too many")
    if not options["--listen"]:
        raise Mistake("serve needs --listen, such as --listen tcp://127.0.0.1:8080")
    worker = Path(positional[0])
    if not worker.is_file():
        raise Mistake(f"{worker}: there is no such file")
    tls = _tls(options)
    grace = _grace(*options["--grace"])
    return Plan(worker, tuple(_listener(text, tls) for text in options["--listen"]), grace)


def _parse(arguments: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    positional: list[str] = []
    options: dict[str, list[str]] = {name: [] for name in _OPTIONS}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if not argument.startswith("--"):
            positional.append(argument)
            continue
        if name not in options:
            raise Mistake(f"there is no option {name}; try --help")
        given = value if equals else next(rest, None)
        if given is None:
            raise Mistake(f"{name} needs a value; try --help")
        if options[name] and name not in _REPEATABLE:
            raise Mistake(f"{name} is given twice")
        options[name].append(given)
    return positional, options


def _tls(options: dict[str, list[str]]) -> dict[str, Any]:
    key, cert, alpn = options["--key"], options["--cert"], options["--alpn"]
    if bool(key) != bool(cert):
        raise Mistake("--key and --cert go together")
    credentials = {"key": _contents(key[0]), "cert": _contents(cert[0])} if key else {}
    return {**credentials, "alpn": alpn} if alpn else credentials


def _contents(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Mistake(f"{file} cannot be read: {error.strerror}") from None


def _grace(text: str = "10") -> float:
    try:
        grace = float(text)
    except ValueError:
        grace = -1
    if not 0 <= grace < _MOST_GRACE:
        raise Mistake(f"--grace takes a number of seconds, and {text!r} is none")
    return grace


def _listener(text: str, tls: dict[str, Any]) -> Listener:
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise Mistake(f"--listen takes an address such as tcp://127.0.0.1:8080, not {text!r}")
    type_, host, port = found[1], found[2], int(found[3])
    if type_ not in SERVERS:
        raise Mistake(f"{text}: only {', '.join(SERVERS)} can be listened for here")
    if host != "*" and parse_ip_literal(host) is None:
        raise Mistake(f"{text}: the host is to be an IP address, or *")
    if port > 65535:
        raise Mistake(f"{text}: ports go up to 65535")
    local = {"port": port} if host == "*" else {"address": host, "port": port}
    if type_ not in _ENCRYPTED:
        return Listener(text, {"type": type_, "local": local})
    if "key" not in tls:
        raise Mistake(f"{text} needs --key and --cert")
    return Listener(text, {"type": type_, "local": local, "tls": tls})


def _load(worker: Path) -> bool:
    """Run the module of the worker; return whether it could be."""
    spec = importlib.util.spec_from_file_location(_NAME, worker)
    if spec is None or spec.loader is None:
        raise Mistake(f"{worker}: the name of a Python module ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    # As for any script, what lies beside it can be imported.
    sys.path.insert(0, str(worker.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001  # whatever a worker raises is its own fault, told as it would be told
        _say(f"{worker} failed:")
        traceback.print_exception(error)
        return False
    return True


async def _listen_all(listeners: Sequence[Listener]) -> list[WorkerHost]:
    """Listen at every address, or at none; raises `Mistake`."""
    outcomes = await asyncio.gather(*(listen(each.init) for each in listeners), return_exceptions=True)
    hosts = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    for listener, outcome in zip(listeners, outcomes, strict=True):
        if isinstance(outcome, (DOMException, TypeError)):
            for host in hosts:
                await host.close()
            raise Mistake(f"{listener.text}: {getattr(outcome, 'message', outcome)}")
        if isinstance(outcome, BaseException):
            raise outcome
    return hosts


def _address_text(text: str, address: SocketEndpoint | None) -> str:
    assert address is not None
    host = f"[{address.address}]" if ":" in address.address else address.address
    return f"{text.partition(':')[0]}://{host}:{address.port}"


def _stop_signal(loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """Return what is done when the process is asked to stop; asked again, it exits."""
    stopped = loop.create_future()

    def stop(number: signal.Signals) -> None:
        if stopped.done():
            # What a shell says of a process that a signal has ended.
            os._exit(128 + number)
        stopped.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        _on_signal(loop, number, stop)
    return stopped


def _on_signal(loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: Callable[[signal.Signals], None]) -> None:
    try:
        loop.add_signal_handler(number, stop, number)
    except NotImplementedError:
        # The event loops of Windows.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop, number))


def _report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    _say(f"uncaught: {context['message']}{'' if error is not None else ': ' + repr(context.get('reason'))}")
    if error is not None:
        traceback.print_exception(error)


def _say(message: str) -> None:
    print(f"commonsocket: {message}", file=sys.stderr)
