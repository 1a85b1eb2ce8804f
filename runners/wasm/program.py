"""Program: a guest with its timers, its console and its network, on the event loop of this process."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from typing import TYPE_CHECKING

from commonsocket.microtasks import microtasks
from commonsocket.socket import TRANSPORTS

from .engine import Engine, GuestError
from .network import Network
from .wire import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bridge.stdio import Stdio

    from .engine import Value


class Program:
    """Runs one script in an engine. It is the `Sink` of stdin: what comes is the guest's."""

    def __init__(self, wasm: Path, cache: Path, stdio: Stdio, description: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._stdio = stdio
        self._engine = Engine(wasm, cache)
        self._network = Network(microtasks(), self._deliver)
        self._timers: dict[int, asyncio.TimerHandle] = {}
        #: Events that came while the guest was running.
        self._waiting: deque[tuple[int, str, object, bytes | None]] = deque()
        self._guest: dict[str, Value] = {}
        self._leaving = False
        #: Done when the guest has left and nothing keeps it; fails with it.
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._offer(description)

    def start(self, script: Path) -> None:
        """Run the script; raises GuestError for what it throws."""
        self._engine.evaluate(script.read_text(encoding="utf-8"), script.name)
        for name in ("guestReceive", "guestUncaught", "guestTracks", "guestReportsRejections", "hostTimerExpired"):
            self._guest[name] = self._engine.global_value(name)
        host = self._engine.global_value("commonsocketHost")
        self._guest["deliver"] = self._engine.get(host, "deliver")
        self._engine.free(host)
        self._settle()

    def send(self, lines: bytes) -> None:
        """Give lines of the agent protocol to the guest."""
        self._run("guestReceive", self._engine.new_string(lines.decode()))

    # ---- what the guest is offered ----

    def _offer(self, description: str) -> None:
        engine = self._engine
        functions: dict[str, Callable[..., Value | None]] = {
            "hostWrite": self._write,
            "hostPrint": self._print,
            "hostLeave": self._leave,
            "hostSetTimer": self._set_timer,
            "hostClearTimer": self._clear_timer,
            "hostUncaught": self._uncaught,
        }
        for name, function in functions.items():
            engine.set_global(name, engine.function(name, function))
        engine.set_global("hostDescription", engine.new_string(description))
        engine.set_global("commonsocketCall", engine.function("commonsocketCall", self._perform))
        types = json.dumps(list(TRANSPORTS))
        engine.evaluate(f"globalThis.commonsocketHost = {{ types: {types}, call: commonsocketCall }};", "host.js")

    def _write(self, lines: Value) -> None:
        self._stdio.write(self._engine.text_of(lines).encode())

    def _print(self, text: Value) -> None:
        sys.stderr.write(f"{self._engine.text_of(text)}\n")

    def _leave(self) -> None:
        self._leaving = True

    def _set_timer(self, number: Value, delay: Value) -> None:
        timer = int(self._engine.number_of(number))
        seconds = self._engine.number_of(delay) / 1000
        self._timers[timer] = self._loop.call_later(seconds, self._expire, timer)

    def _clear_timer(self, number: Value) -> None:
        timer = self._timers.pop(int(self._engine.number_of(number)), None)
        if timer is not None:
            timer.cancel()

    def _uncaught(self, error: Value) -> None:
        # The guest is running, and its agent is told when it is not.
        kept = self._engine.keep(error)
        self._loop.call_soon(lambda: self._run("guestUncaught", kept))

    def _perform(self, operation: Value, handle: Value, details: Value, data: Value | None = None) -> Value:
        engine = self._engine
        given = None if data is None or engine.is_undefined(data) else engine.bytes_of(data)
        number = int(engine.number_of(handle))
        result = self._network.perform(engine.text_of(operation), number, read(engine.text_of(details)), given)
        if isinstance(result, str):
            return engine.new_string(result)
        if isinstance(result, int) and not isinstance(result, bool):
            return engine.new_number(result)
        return engine.keep(engine.null if result is None else engine.true if result else engine.false)

    # ---- turns ----

    def _expire(self, timer: int) -> None:
        del self._timers[timer]
        self._run("hostTimerExpired", self._engine.new_number(timer))

    def _deliver(self, handle: int, event: str, details: object = None, data: bytes | None = None) -> bool:
        if self._engine.inside or not self._guest:
            if not self._waiting:
                self._loop.call_soon(self._settle)
            self._waiting.append((handle, event, details, data))
            return False
        self._flush()
        return self._tell(handle, event, details, data)

    def _tell(self, handle: int, event: str, details: object, data: bytes | None) -> bool:
        engine = self._engine
        words = [
            engine.new_number(handle),
            engine.new_string(event),
            engine.new_string("" if details is None else json.dumps(details)),
        ]
        if data is not None:
            words.append(engine.new_bytes(data))
        return self._run("deliver", *words)

    def _flush(self) -> None:
        while self._waiting:
            self._tell(*self._waiting.popleft())

    def _run(self, name: str, *arguments: Value) -> bool:
        """Call a function of the guest, give the arguments up and run what was queued; return whether it was true."""
        engine = self._engine
        try:
            result = engine.call(self._guest[name], *arguments)
            answer = engine.truth_of(result)
            engine.free(result)
        except GuestError as error:
            self._fail(error)
            return False
        finally:
            for argument in arguments:
                engine.free(argument)
        self._settle()
        return answer

    def _settle(self) -> None:
        """Run microtasks and what has waited for the guest, until neither is left."""
        try:
            self._run_jobs()
        except GuestError as error:
            self._fail(error)
            return
        self._flush()
        if self._leaving and not self._timers and not self._network.needed and not self.done.done():
            self.done.set_result(None)

    def _run_jobs(self) -> None:
        engine = self._engine
        rejections = engine.run_jobs()
        if not rejections:
            return
        for promise, reason, handled in rejections:
            engine.free(
                engine.call(self._guest["guestTracks"], promise, reason, engine.true if handled else engine.false)
            )
            engine.free(promise)
            engine.free(reason)
        engine.free(engine.call(self._guest["guestReportsRejections"]))
        self._run_jobs()

    def _fail(self, error: GuestError) -> None:
        if not self.done.done():
            self.done.set_exception(error)
