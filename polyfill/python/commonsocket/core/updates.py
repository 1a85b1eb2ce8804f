"""Updates: a socket's changes of options, made in the order of the calls (D30), upgrades to TLS among them.

An upgrade (D31) cuts both directions in two. What was written before the call goes out as it is, what is written after
it waits for TLS. What was received and not read at the call belongs to TLS, and so does what comes after it.
"""

# ruff: noqa: SLF001  # it is a part of the core

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from commonsocket.dom_exception import DOMException

from . import effects as do
from .options import MUTABLE, changed, update_refusal, with_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .connection import SocketCore
    from .options import SocketOptions

# The options that the operating system keeps for us.
SYSTEM_OPTIONS: Final = frozenset({"keep_alive_delay", "no_delay", "ttl"})


@dataclass(slots=True)
class _Request:
    """An update that was asked for."""

    members: Mapping[str, Any]
    #: For an upgrade, how many chunks had been written; infinite if the writable had been closed as well.
    boundary: float | None


class Updates:
    """The updates of one core that are not answered yet."""

    __slots__ = ("_core", "_options", "_requests", "upgrading")

    def __init__(self, core: SocketCore) -> None:
        self._core = core
        self._requests: deque[_Request] = deque()
        #: What the options will be when the handshake that is under way is done.
        self._options: SocketOptions | None = None
        self.upgrading = False

    def ask(self, members: Mapping[str, Any], written: float) -> None:
        """Queue an update; `written` chunks have been written so far."""
        core = self._core
        if core.terminal:
            core.effects.append(do.Reject("update", invalid_state()))
            return
        upgrade = _is_upgrade(core.options, members) and core.state in {"connecting", "open"}
        self._requests.append(_Request(members, written if upgrade else None))
        self._hold()

    def run(self) -> None:
        """Do the updates that can be done, one after the other."""
        while self._requests and not self.upgrading and self._begin(self._requests[0]):
            pass

    def _begin(self, request: _Request) -> bool:
        """Do the first update; False if it has to wait."""
        core, members = self._core, request.members
        changes = changed(core.options, members, MUTABLE)
        upgrade = _is_upgrade(core.options, members)
        if upgrade and core.state == "connecting":
            # starttls/waits-for-ready.
            core._step("starttls")
            return False
        if upgrade and core.state == "open" and not self._flushed(request.boundary or 0):
            # starttls/earlier-writes-go-out-first.
            return False
        refusal = update_refusal(
            core.options, members, changes, is_open=core.state == "open", peer_finished=core._peer_finished
        )
        if refusal is not None:
            self._refuse(refusal)
            return True
        system = {name: value for name, value in changes.items() if name in SYSTEM_OPTIONS}
        if upgrade:
            # By starttls/missing-members-from-init.
            tls = {**(core.options.tls or {}), **members.get("tls", {})}
            self._options = with_changes(core.options, {**changes, "tls": tls})
            core.effects.append(do.StartTls(self._options, system))
            return False
        core._step("update")
        if system:
            core.effects.append(do.ApplyOptions(system, changes))
            return False
        self._apply(changes)
        return True

    def _refuse(self, refusal: DOMException) -> None:
        core = self._core
        if refusal.name == "InvalidModificationError":
            core._step("update-immutable")
        self._answer(do.Reject("update", refusal))

    # ---- answers of the surroundings ----

    def applied(self, changes: Mapping[str, Any]) -> None:
        """Take over `changes`, of which the system has set what it keeps, and go on."""
        self._apply(changes)
        self.run()

    def refused(self, reason: Any) -> None:
        """Leave the options as they are, say why, and go on."""
        self._options = None
        self._answer(do.Reject("update", reason))
        self.run()

    def begin_upgrade(self) -> tuple[bytes, bool]:
        """Begin the handshake; return the bytes that belong to it, and whether the peer's FIN is behind them."""
        core = self._core
        self.upgrading = True
        # By starttls/unread-bytes-go-to-tls; those that came after the call are no data and never counted as such.
        core._uncounted = 0
        received = core._received.take_all()
        core._regulate()
        if core._idle:
            core._restart_idle_timer()
        fin, core._fin_waits = core._fin_waits, False
        return received, fin

    def upgraded(self) -> None:
        """Take it that the handshake is done."""
        core, options = self._core, self._options
        assert options is not None
        core._step("starttls")
        before = core.options
        self.upgrading = False
        self._options = None
        # By starttls/other-options-in-the-same-call.
        changes = {name: getattr(options, name) for name in MUTABLE if getattr(options, name) != getattr(before, name)}
        self._adopt(with_changes(options, {"type": "tls"}), changes)
        self._answer(do.Fulfil("update"))
        self.run()

    def reject(self, reason: Any) -> None:
        """Reject all of them (update/failure-during-update)."""
        while self._requests:
            self._requests.popleft()
            self._core.effects.append(do.Reject("update", reason))
        self.upgrading = False

    # ---- inside ----

    def _apply(self, changes: Mapping[str, Any]) -> None:
        core = self._core
        self._adopt(with_changes(core.options, changes), changes)
        self._answer(do.Fulfil("update"))

    def _answer(self, answer: do.Fulfil | do.Reject) -> None:
        self._requests.popleft()
        self._core.effects.append(answer)
        self._hold()

    def _adopt(self, options: SocketOptions, changes: Mapping[str, Any]) -> None:
        """Take over `options`; `changes` are those that differ."""
        core = self._core
        core.options = options
        if "ready_timeout" in changes and core.state == "connecting":
            core._restart_ready_timer()
        if "idle_timeout" in changes and core.state != "connecting":
            core._idle = options.idle_timeout
            core._restart_idle_timer()
        if "receive_buffer_size" in changes:
            core._regulate()
        if "send_buffer_size" in changes:
            core.effects.append(do.ResizeWritable(options.send_buffer_size))

    # ---- holding ----

    def _hold(self) -> None:
        """Have the core hold both directions for the first upgrade that waits, or for none."""
        core = self._core
        boundary: float | None = None
        if core.options.type == "tcp":
            boundary = next((each.boundary for each in self._requests if each.boundary is not None), None)
        released = core._held and boundary is None
        core._held = boundary is not None
        core._boundary = math.inf if boundary is None else boundary
        if core.terminal:
            return
        if released:
            self._deliver_held()
        core._send_on()

    def _flushed(self, boundary: float) -> bool:
        """Say whether the system has all of the first `boundary` chunks."""
        given, chunk = self._core._given, self._core._sending.chunk
        return given > boundary or (given == boundary and chunk is None)

    def _deliver_held(self) -> None:
        """Treat what was received meanwhile as the data that it turned out to be."""
        core = self._core
        core.counters.bytes_received += core._uncounted
        core._uncounted = 0
        if core._read_done:
            core._received.clear()
            core._regulate()
            if core._fin_waits:
                core._fin_waits = False
                core.fin_received()
        elif core._wanted and core._received.size:
            core._wanted = False
            core.effects.append(do.Deliver(core._received.pop()))
            core._after_read()


def invalid_state() -> DOMException:
    """Return the error of what is too late."""
    return DOMException("The socket is closed", "InvalidStateError")


def _is_upgrade(options: SocketOptions, members: Mapping[str, Any]) -> bool:
    return options.type == "tcp" and members.get("type") == "tls"
