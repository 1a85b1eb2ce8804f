"""The bench for the core of udp sockets."""

from typing import Any

from commonsocket.core import effects as do
from commonsocket.core.connection import SocketCore
from commonsocket.core.datagrams import DatagramCore
from commonsocket.core.failure import Failure
from commonsocket.core.options import SocketOptions
from core_bench import REMOTE, CoreBench

LOCAL = {"address": "192.0.2.2"}
SOURCE = ("192.0.2.1", 7)
UNREACHABLE = Failure("established", "ECONNREFUSED", "nobody there")
OVERSIZE = Failure("established", "EMSGSIZE", "too large")
NO_ROUTE = Failure("established", "ENETUNREACH", "no route")


class DatagramBench(CoreBench):
    """A udp core, connected, or bound if `init` has no remote end but a local one."""

    core: DatagramCore

    def __init__(self, *, eager: bool = True, flow: bool = False, **init: Any) -> None:
        self.flow = flow
        self.chunks: list[Any] = []
        self.destinations: list[Any] = []
        self.soft: list[Any] = []
        self.written = False
        super().__init__(eager=eager, **init)

    def complete(self, init: dict[str, Any]) -> dict[str, Any]:
        return {"type": "udp", **({} if "local" in init else {"remote": REMOTE}), **init}

    def new_core(self, options: SocketOptions) -> SocketCore:
        return DatagramCore(options, lambda: self.now, flow=self.flow)

    def datagram(self, data: bytes, source: tuple[str, int] = SOURCE) -> None:
        self.tell(self.core.datagram_received, data, source)

    def write(self, chunk: bytes) -> None:
        self.written = True
        super().write(chunk)

    def next(self) -> Any:
        """Read the next chunk, or have it delivered when it comes."""
        assert not self.read_waits
        if self.readable != "readable":
            return None
        chunk = self.tell(self.core.read_datagram)
        if chunk is None:
            self.read_waits = not self.core.terminal
        else:
            self.chunks.append(chunk)
        return chunk

    def packets(self) -> tuple[int | None, int | None, int | None]:
        counters = self.core.counters
        return counters.packets_sent, counters.packets_received, counters.packets_dropped

    def _under_way(self, name: str) -> bool:
        # The core may have thrown the datagram away already.
        return name not in self.settled and (self.written if name == "write" else super()._under_way(name))

    # ---- effects ----

    def _SendDatagram(self, effect: do.SendDatagram) -> None:  # noqa: N802  # named as the effect
        self.destinations.append(effect.destination)
        self.sent.append(effect.data)
        if self.eager:
            self.core.write_finished()

    def _DeliverDatagram(self, effect: do.DeliverDatagram) -> None:  # noqa: N802
        assert self.read_waits
        self.read_waits = False
        self.chunks.append(effect.chunk)

    def _FireEvents(self, effect: do.FireEvents) -> None:  # noqa: N802
        if effect.fatal:
            super()._FireEvents(effect)
        else:
            self.soft.append(effect.failure)
