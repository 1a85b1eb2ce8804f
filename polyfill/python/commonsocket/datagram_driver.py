"""DatagramDriver: the driver of udp sockets, connected and bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .clock import now
from .core import effects as do
from .core.datagrams import DatagramCore
from .datagram_streams import DatagramSink, DatagramSource
from .driver import PERFORM, SocketDriver

if TYPE_CHECKING:
    from .core.connection import SocketCore
    from .core.failure import Failure
    from .core.options import SocketOptions
    from .driver import Table
    from .socket_sink import SocketSink
    from .transports.udp import DatagramTransport


class DatagramDriver(SocketDriver):
    """The promises, streams, timers and transport of one udp socket, around its core.

    It is the `DatagramListener` of its transport.
    """

    __slots__ = ()

    _core: DatagramCore
    _transport: DatagramTransport

    def _new_core(self, options: SocketOptions) -> SocketCore:
        return DatagramCore(options, now)

    def _new_streams(self) -> tuple[DatagramSource, SocketSink]:
        source = DatagramSource(self._queue, self._core, self._perform)
        return source, DatagramSink(self._queue, self._core, self._perform, self._writable_aborted)

    # ---- what the transport tells ----

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        """Tell the core."""
        self._core.datagram_received(data, source)
        if self._core.effects:
            self._perform()

    def datagram_refused(self, failure: Failure, *, oversize: bool) -> None:
        """Tell the core."""
        self._core.datagram_refused(failure, oversize=oversize)
        self._perform()

    def unreachable(self, failure: Failure) -> None:
        """Tell the core."""
        self._core.unreachable(failure)
        self._perform()

    # ---- effects ----

    def _send_datagram(self, effect: do.SendDatagram) -> None:
        if self._transport.send_datagram(effect.data, effect.destination):
            self._core.write_finished()

    _table: ClassVar[Table] = {
        **PERFORM,
        do.CancelReadable: ("_source", DatagramSource.cancel),
        do.CloseReadable: ("_source", DatagramSource.close),
        do.DeliverDatagram: ("_source", DatagramSource.deliver),
        do.ErrorReadable: ("_source", DatagramSource.error),
        do.SendDatagram: (None, _send_datagram),
    }


class FlowDriver(DatagramDriver):
    """The driver of a flow of a listener: connected to its source, and at a clean end when it was idle (D43)."""

    __slots__ = ()

    def _new_core(self, options: SocketOptions) -> SocketCore:
        return DatagramCore(options, now, flow=True)
