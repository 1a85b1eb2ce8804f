"""A bench for the core: carries its effects out on paper, so that no socket, stream, loop or clock is needed."""

from collections.abc import Callable
from typing import Any

from commonsocket.core import effects as do
from commonsocket.core.connection import SocketCore
from commonsocket.core.failure import Failure
from commonsocket.core.options import SocketOptions, check_construction, convert_init
from commonsocket.core.tls_session import TlsDetails

REMOTE = {"address": "192.0.2.1", "port": 7}
RESET = Failure("established", "ECONNRESET", "reset")
#: Stands among the sent bytes where the handshake is.
HANDSHAKE = b"<handshake>"
DETAILS = TlsDetails("TLSv1.3", "TLS_AES_128_GCM_SHA256", None, None, ())
REFUSED = Failure("connect", "ECONNREFUSED", "refused")


class Signal:
    """As much of an AbortSignal as the core looks at."""

    aborted = False
    reason: object = None


class CoreBench:
    """A core, and what came of its effects.

    Reads and writes are those of an application that has one of each under way at most. The transport takes what it is
    given only when the test says so, unless `eager`.
    """

    def __init__(self, *, eager: bool = True, **init: Any) -> None:
        self.eager = eager
        self.now = 0.0
        signals = {"AbortSignal": Signal}
        self.core = self.new_core(check_construction(convert_init(self.complete(init), signals), ("tcp", "tls", "udp")))
        #: "ready", "closed", "released", and the last "write", "close" and "update": True or the reason.
        self.settled: dict[str, Any] = {}
        self.order: list[str] = []
        self.events: list[str] = []
        self.failures: list[Any] = []
        self.received = b""
        self.readable: Any = "readable"
        self.writable: Any = "writable"
        self.writable_closing = False
        self.asked_to_close = False
        self.read_waits = False
        self.signal: Any = None
        self.connecting = False
        self.reading = True
        self.sent: list[bytes] = []
        self.fin_sent = False
        self.released: str | None = None
        self.timers: dict[str, float] = {}
        self.system: dict[str, Any] = {}
        self.desired_size: int | None = None
        self.refuse_options = False
        #: What belongs to the TLS handshake that is under way, and what the last one agreed on.
        self.handshake: tuple[bytes, bool] | None = None
        self.refuse_upgrade: TypeError | None = None
        self.secured: Any = None
        self.endpoints: Any = None
        self.detached = False
        self.tell(self.core.start)

    def complete(self, init: dict[str, Any]) -> dict[str, Any]:
        """Return `init` with what every socket needs."""
        return {"remote": REMOTE, **init}

    def new_core(self, options: SocketOptions) -> SocketCore:
        return SocketCore(options, lambda: self.now)

    @property
    def state(self) -> str:
        return self.core.state

    def tell(self, event: Callable[..., Any], *arguments: Any) -> Any:
        """Tell the core an event, or do an operation, and carry out what comes of it."""
        result = event(*arguments)
        self._perform()
        return result

    def connect(self) -> "CoreBench":
        self.tell(self.core.connected, ("192.0.2.1", 7), ("192.0.2.2", 50000))
        return self

    def data(self, data: bytes) -> None:
        self.tell(self.core.data_received, data)

    def fin(self) -> None:
        self.tell(self.core.fin_received)

    def read(self) -> bytes | None:
        """Read as a default reader does: what is there, or else what comes next."""
        assert not self.read_waits
        if self.readable != "readable":
            return None
        data: bytes | None = self.core.read()
        if data is None:
            self.read_waits = not self.core.terminal
        else:
            self.received += data
        self._perform()
        return data

    def read_into(self, size: int) -> bytes:
        """Read as a BYOB reader does."""
        if self.readable != "readable":
            return b""
        memory = bytearray(size)
        count = self.tell(self.core.read_into, memoryview(memory))
        self.received += memory[:count]
        if not count:
            self.read_waits = not self.core.terminal
        return bytes(memory[:count])

    def write(self, chunk: bytes) -> None:
        self.settled.pop("write", None)
        self.tell(self.core.write, chunk)

    def close(self) -> None:
        """Close the writable; it asks the core once nothing is under way, as Streams does."""
        self.writable_closing = True
        self._perform()

    def cancel(self) -> None:
        self.readable = "cancelled"
        self.read_waits = False
        self.tell(self.core.cancel)

    def update(self, **members: Any) -> Any:
        self.settled.pop("update", None)
        self.tell(self.core.update, convert_init(members, {"AbortSignal": Signal}))
        self.tell(self.core.run_update)
        return self.settled["update"]

    # ---- effects ----

    def _perform(self) -> None:
        while self.core.effects:
            effect = self.core.effects.popleft()
            getattr(self, "_" + type(effect).__name__)(effect)
            self._close_behind_writes()
        self._close_behind_writes()
        if self.core.effects:
            self._perform()

    def _close_behind_writes(self) -> None:
        if (
            self.writable_closing
            and not self.asked_to_close
            and self.core._sending.chunk is None
            and not self.core.terminal
        ):
            self.asked_to_close = True
            self.core.close_write()

    def _Connect(self, _effect: do.Connect) -> None:  # noqa: N802  # named as the effect
        self.connecting = True

    def _Send(self, effect: do.Send) -> None:  # noqa: N802
        assert self.state not in {"connecting", "local-closed", "closed", "errored"}
        self.sent.append(effect.data)
        if self.eager:
            self.core.write_finished()

    def _SendFin(self, _effect: do.SendFin) -> None:  # noqa: N802
        assert not self.fin_sent
        self.fin_sent = True
        if self.eager:
            self.core.fin_sent()

    def _PauseReading(self, _effect: do.PauseReading) -> None:  # noqa: N802
        assert self.reading
        self.reading = False

    def _ResumeReading(self, _effect: do.ResumeReading) -> None:  # noqa: N802
        assert not self.reading
        self.reading = True

    def _Release(self, effect: do.Release) -> None:  # noqa: N802
        assert self.released is None
        self.released = "reset" if effect.reset else "closed"
        self.core.released()

    def _ApplyOptions(self, effect: do.ApplyOptions) -> None:  # noqa: N802
        if self.refuse_options:
            self.core.options_refused(Failure("established", "EPERM", "refused"))
        else:
            self.system.update(effect.system)
            self.core.options_applied(effect.changes)

    def _StartTls(self, effect: do.StartTls) -> None:  # noqa: N802
        if self.refuse_upgrade is not None:
            self.core.upgrade_refused(self.refuse_upgrade)
        elif self.refuse_options:
            self.core.options_refused(Failure("established", "EPERM", "refused"))
        else:
            self.system.update(effect.system)
            self.handshake = self.core.begin_upgrade()
            self.sent.append(HANDSHAKE)

    def _SetTls(self, effect: do.SetTls) -> None:  # noqa: N802
        self.secured = effect

    def _StartTimer(self, effect: do.StartTimer) -> None:  # noqa: N802
        self.timers[effect.name] = self.now + effect.delay

    def _StopTimer(self, effect: do.StopTimer) -> None:  # noqa: N802
        self.timers.pop(effect.name, None)

    def _Fulfil(self, effect: do.Fulfil) -> None:  # noqa: N802
        self._settle(effect.name, True)

    def _Reject(self, effect: do.Reject) -> None:  # noqa: N802
        if effect.name in {"write", "close"} and not self._under_way(effect.name):
            return
        self._settle(effect.name, effect.reason)

    def _under_way(self, name: str) -> bool:
        sending = self.core._sending
        return name not in self.settled and (sending.chunk is not None if name == "write" else sending.ending)

    def _settle(self, name: str, outcome: Any) -> None:
        assert name not in self.settled, f"{name} is settled twice"
        self.settled[name] = outcome
        self.order.append(name)

    def _Deliver(self, effect: do.Deliver) -> None:  # noqa: N802
        assert self.read_waits
        assert effect.data
        self.read_waits = False
        self.received += effect.data

    def _CloseReadable(self, _effect: do.CloseReadable) -> None:  # noqa: N802
        assert self.readable == "readable"
        self.readable = "closed"
        self.read_waits = False

    def _ErrorReadable(self, effect: do.ErrorReadable) -> None:  # noqa: N802
        assert self.readable == "readable"
        self.readable = ("errored", effect.reason)
        self.read_waits = False

    def _CancelReadable(self, _effect: do.CancelReadable) -> None:  # noqa: N802
        if self.readable == "readable":
            self.readable = "cancelled"
            self.read_waits = False
            self.core.cancel()

    def _CloseWritable(self, _effect: do.CloseWritable) -> None:  # noqa: N802
        self.writable_closing = True

    def _ErrorWritable(self, effect: do.ErrorWritable) -> None:  # noqa: N802
        self.writable = ("errored", effect.reason)

    def _ResizeWritable(self, effect: do.ResizeWritable) -> None:  # noqa: N802
        self.desired_size = effect.size

    def _AbortSignal(self, effect: do.AbortSignal) -> None:  # noqa: N802
        assert self.signal is None
        assert "closed" in self.settled
        self.signal = (effect.reason,)

    def _DetachSignal(self, _effect: do.DetachSignal) -> None:  # noqa: N802
        self.detached = True

    def _SetEndpoints(self, effect: do.SetEndpoints) -> None:  # noqa: N802
        self.endpoints = (effect.remote, effect.local)

    def _FireEvents(self, effect: do.FireEvents) -> None:  # noqa: N802
        self.events += effect.types
        if "error" in effect.types:
            self.failures.append(effect.failure)
