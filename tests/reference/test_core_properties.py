"""Whatever happens in whatever order, the invariants of the specification hold."""

from typing import Any

from commonsocket.generated.lifecycle import STATES
from core_bench import REFUSED, RESET, CoreBench
from hypothesis import given, settings
from hypothesis import strategies as st

chunks = st.binary(min_size=1, max_size=20)
steps = st.one_of(
    st.tuples(st.just("data"), chunks),
    st.tuples(st.just("data"), chunks),
    st.tuples(st.sampled_from(["read", "write_finished"])),
    st.tuples(st.just("connected")),
    st.tuples(
        st.sampled_from(["connected", "connect_failed", "fin", "reset", "write_finished", "fin_sent", "progress"])
    ),
    st.tuples(st.sampled_from(["read", "close", "cancel", "dispose", "run_update", "ready_expires", "idle_expires"])),
    st.tuples(st.just("read_into"), st.integers(1, 30)),
    st.tuples(st.just("write"), st.binary(max_size=20)),
    st.tuples(st.sampled_from(["abort", "abort_write", "signal_aborted"]), st.integers()),
    st.tuples(st.just("resize"), st.integers(1, 40)),
)


class World:
    """A peer, a transport and an application, which do what they can and nothing impossible."""

    def __init__(self, init: dict[str, Any]) -> None:
        self.bench = CoreBench(eager=False, **init)
        self.core = self.bench.core
        self.connected = self.fin = False
        self.data = b""
        self.written = 0

    def step(self, name: str, *arguments: Any) -> None:
        self.bench.now += 1
        getattr(self, name)(*arguments)

    @property
    def alive(self) -> bool:
        return self.connected and not self.core.terminal

    @property
    def writing(self) -> bool:
        return self.core._sending.chunk is not None

    def connected_(self) -> None:
        self.connected = True
        self.bench.connect()

    def data_(self, chunk: bytes) -> None:
        if self.alive and self.bench.reading and not self.fin:
            self.data += chunk
            self.bench.data(chunk)

    def fin_(self) -> None:
        if self.alive and self.bench.reading and not self.fin:
            self.fin = True
            self.bench.fin()

    def reset_(self) -> None:
        if self.alive:
            self.bench.tell(self.core.transport_failed, RESET)

    def connect_failed_(self) -> None:
        if not self.connected:
            self.bench.tell(self.core.connect_failed, REFUSED)

    def write_finished_(self) -> None:
        if self.alive and self.writing:
            size = len(self.core._sending.chunk or b"") - self.core._sending.taken
            self.bench.tell(self.core.write_finished)
            self.written += size

    def fin_sent_(self) -> None:
        if self.alive and self.bench.fin_sent and "close" not in self.bench.settled:
            self.bench.tell(self.core.fin_sent)

    def progress_(self) -> None:
        if self.alive and self.writing:
            sending = self.core._sending
            unsent = (len(sending.chunk or b"") - sending.taken) // 2
            before = sending.taken
            self.bench.tell(self.core.progress, unsent)
            self.written += sending.taken - before

    def read_(self) -> None:
        if not self.bench.read_waits:
            self.bench.read()

    def read_into_(self, size: int) -> None:
        if not self.bench.read_waits:
            self.bench.read_into(size)

    def write_(self, chunk: bytes) -> None:
        if not self.core.terminal and not self.bench.writable_closing and not self.writing:
            self.bench.write(chunk)

    def close_(self) -> None:
        if not self.core.terminal:
            self.bench.close()

    def cancel_(self) -> None:
        if self.bench.readable == "readable":
            self.bench.cancel()

    def dispose_(self) -> None:
        self.bench.tell(self.core.dispose)

    def abort_(self, reason: int) -> None:
        self.bench.tell(self.core.abort, reason)

    def abort_write_(self, reason: int) -> None:
        self.bench.tell(self.core.abort_write, reason)

    def signal_aborted_(self, reason: int) -> None:
        self.bench.tell(self.core.signal_aborted, reason)

    def ready_expires_(self) -> None:
        self.bench.tell(self.core.timer_expired, "ready")

    def idle_expires_(self) -> None:
        if "idle" in self.bench.timers:
            self.bench.tell(self.core.timer_expired, "idle")

    def run_update_(self) -> None:
        self.bench.settled.pop("update", None)
        self.bench.tell(self.core.run_update)

    def resize_(self, size: int) -> None:
        if not self.core.terminal:
            self.bench.update(receive_buffer_size=size)


def check(world: World) -> None:
    bench, core = world.bench, world.core
    settled, events = bench.settled, bench.events
    assert core.state in STATES
    assert not core.effects
    # Every byte that was received is delivered, unread or dropped, in order.
    assert world.data.startswith(bench.received)
    assert core.counters.bytes_received == len(world.data)
    if bench.readable == "readable":
        assert len(bench.received) + core.unread == len(world.data)
    if bench.readable == "closed":
        assert (bench.received, world.fin) == (world.data, True)
    # stats: what fulfilled was counted.
    assert core.counters.bytes_sent == world.written
    # Reading stops exactly while too much is unread.
    if not core.terminal:
        assert bench.reading == (core.unread < core.options.receive_buffer_size)
        assert not bench.read_waits or not core.unread
    # ready, closed and signal (I1 to I3).
    assert ("ready" in settled) or "closed" not in settled
    if "closed" in settled:
        assert core.terminal
        outcome = settled["closed"]
        assert (outcome is True) == (core.state == "closed")
        assert (bench.signal is None) == (outcome is True)
        if outcome is not True:
            assert bench.signal is not None
            assert bench.signal[0] is outcome
            assert settled["ready"] is True or settled["ready"] is outcome
            assert bench.readable != ("errored", outcome) or core.unread == 0
    else:
        assert bench.signal is None
        assert not core.terminal
    # Events (I4, I5).
    assert all(events.count(type_) <= 1 for type_ in ("ready", "end", "error", "close"))
    assert ("close" in events) == core.terminal
    assert "close" not in events or events[-1] == "close"
    assert ("ready" in events) == (settled.get("ready") is True)
    assert "end" not in events or world.fin
    # Resources.
    assert (bench.released is not None) == core.terminal
    assert not (core.terminal and bench.timers)
    if world.alive and core.options.idle_timeout:
        assert "idle" in bench.timers


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(steps, max_size=60),
    early=st.booleans(),
    init=st.fixed_dictionaries(
        {
            "allow_half_open": st.booleans(),
            "receive_buffer_size": st.integers(1, 40),
            "idle_timeout": st.sampled_from([0, 10]),
            "ready_timeout": st.sampled_from([0, 10]),
        }
    ),
)
def test_invariants_hold_whatever_happens(steps: list[tuple[Any, ...]], early: bool, init: dict[str, Any]) -> None:
    world = World(init)
    if early:
        world.step("connected_")
    for name, *arguments in steps:
        if name == "connected" and (world.connected or world.core.terminal):
            continue
        world.step(f"{name}_", *arguments)
        check(world)
    # An application that reads to the end gets to the end.
    if world.fin and world.bench.readable == "readable" and not world.bench.read_waits:
        while world.bench.readable == "readable":
            world.bench.read()
        check(world)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(1, 50), max_size=20), sizes=st.lists(st.integers(1, 50)))
def test_bytes_come_through_whatever_the_cuts(data: bytes, cuts: list[int], sizes: list[int]) -> None:
    bench = CoreBench().connect()
    pieces = iter(sizes)
    start = 0
    for cut in [*cuts, len(data)]:
        if piece := data[start : start + cut]:
            bench.data(piece)
        start += cut
        if size := next(pieces, 0):
            if not bench.read_waits:
                bench.read_into(size)
        elif not bench.read_waits:
            bench.read()
    bench.fin()
    while bench.readable == "readable":
        bench.read()
    assert bench.received == data[: max(start, 0)]
