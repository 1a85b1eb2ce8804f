"""The core without I/O: what a life looks like, byte splits, interleavings, timers."""

from typing import Any

import pytest
from commonsocket import SocketError
from commonsocket.core.failure import Failure, error_code
from core_bench import REFUSED, RESET, CoreBench, Signal
from core_walks import WALKS, name_of


def test_a_clean_life() -> None:
    bench = CoreBench()
    bench.now = 3
    bench.write(b"early")
    assert bench.connecting
    assert bench.sent == []
    bench.connect()
    assert bench.sent == [b"early"]
    assert bench.endpoints == (("192.0.2.1", 7), ("192.0.2.2", 50000))
    bench.data(b"abc")
    assert bench.read() == b"abc"
    assert bench.read() is None
    bench.data(b"d")
    assert bench.received == b"abcd"
    bench.close()
    assert bench.fin_sent
    bench.now = 9
    bench.fin()
    assert bench.state == "closed"
    assert bench.readable == "closed"
    assert bench.events == ["ready", "end", "close"]
    assert bench.order == ["ready", "write", "close", "closed", "released"]
    assert (bench.signal, bench.released, bench.detached) == (None, "closed", True)
    counters = bench.core.counters
    assert (counters.bytes_sent, counters.bytes_received) == (5, 4)
    assert (counters.created_at, counters.ready_at, counters.closed_at) == (0, 3, 9)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("reader", ["default", "byob", "mixed"])
def test_any_split_of_the_bytes_gives_the_same_stream(size: int, reader: str) -> None:
    data = bytes(range(60))
    bench = CoreBench(receive_buffer_size=10).connect()
    for index, start in enumerate(range(0, len(data), size)):
        bench.data(data[start : start + size])
        if reader == "byob" or (reader == "mixed" and index % 2):
            bench.read_into(4)
        elif not bench.read_waits:
            bench.read()
    bench.fin()
    while bench.readable == "readable":
        if reader == "byob":
            bench.read_into(4)
        else:
            bench.read()
    assert bench.received == data
    assert bench.events == ["ready", "end"]


def test_one_failure_is_one_object_everywhere() -> None:
    bench = CoreBench(eager=False).connect()
    bench.write(b"in flight")
    bench.tell(bench.core.update, {"idle_timeout": 4})
    bench.tell(bench.core.transport_failed, RESET)
    failure = bench.core.failure
    assert isinstance(failure, SocketError)
    assert (failure.error_code, failure.system_code) == ("connection-reset", "ECONNRESET")
    assert bench.signal == (failure,)
    assert bench.readable == ("errored", failure)
    assert bench.writable == ("errored", failure)
    assert bench.failures == [failure]
    assert all(bench.settled[name] is failure for name in ("closed", "write", "update"))
    assert bench.settled["ready"] is True
    assert bench.events == ["ready", "error", "close"]
    assert bench.released == "closed"


def test_a_closing_that_waits_rejects_with_the_failure() -> None:
    bench = CoreBench()
    bench.close()
    bench.tell(bench.core.connect_failed, REFUSED)
    assert bench.settled["close"] is bench.core.failure


def test_failure_to_connect_rejects_ready_before_closed() -> None:
    bench = CoreBench()
    bench.write(b"queued")
    bench.tell(bench.core.connect_failed, REFUSED)
    assert bench.order[:2] == ["ready", "closed"]
    assert bench.settled["ready"] is bench.settled["closed"] is bench.settled["write"]
    assert bench.core.failure.error_code == "connection-refused"
    assert bench.core.counters.ready_at is None
    assert bench.events == ["error", "close"]


# ---- reading ----


def test_bytes_before_a_reset_are_delivered_before_the_failure() -> None:
    bench = CoreBench().connect()
    bench.data(b"one")
    bench.data(b"two")
    bench.tell(bench.core.transport_failed, RESET)
    assert bench.settled["closed"] is bench.core.failure
    assert bench.readable == "readable"
    assert bench.read_into(4) == b"onet"
    assert bench.readable == "readable"
    assert bench.read() == b"wo"
    assert bench.readable == ("errored", bench.core.failure)
    assert bench.events == ["ready", "error", "close"]


def test_a_fin_behind_unread_bytes_is_lost_to_a_reset() -> None:
    bench = CoreBench().connect()
    bench.data(b"data")
    bench.fin()
    bench.tell(bench.core.transport_failed, RESET)
    assert bench.read() == b"data"
    assert bench.readable == ("errored", bench.core.failure)
    assert "end" not in bench.events


@pytest.mark.parametrize("end", ["abort", "signal-aborts", "idle-timeout", "bad-chunk", "writable-abort"])
def test_what_this_side_ends_drops_unread_bytes(end: str) -> None:
    bench = CoreBench().connect()
    bench.data(b"dropped")
    WALKS[end](bench)
    assert bench.readable == ("errored", bench.core.failure)
    assert bench.core.unread == 0
    assert bench.released == "reset"
    assert bench.core.counters.bytes_received == 7


def test_cancel_of_what_is_held_after_a_failure() -> None:
    bench = CoreBench().connect()
    bench.data(b"held")
    bench.tell(bench.core.transport_failed, RESET)
    bench.cancel()
    assert bench.core.unread == 0
    assert bench.readable == "cancelled"


def test_reading_stops_at_the_limit_and_goes_on_below_it() -> None:
    bench = CoreBench(receive_buffer_size=10).connect()
    bench.data(b"123456789")
    assert bench.reading
    bench.data(b"0123456")
    assert not bench.reading
    bench.read()
    assert bench.reading
    bench.data(b"xyz")
    assert not bench.reading
    bench.update(receive_buffer_size=11)
    assert bench.reading
    bench.update(receive_buffer_size=1)
    assert not bench.reading
    bench.cancel()
    assert bench.reading


def test_a_read_takes_one_piece() -> None:
    bench = CoreBench().connect()
    bench.read()
    bench.data(b"first")
    bench.data(b"second")
    assert bench.received == b"first"
    assert bench.core.unread == 6


def test_a_read_that_waits_takes_more_than_the_limit() -> None:
    bench = CoreBench(receive_buffer_size=1).connect()
    bench.read()
    bench.data(b"much more")
    assert bench.reading
    assert bench.received == b"much more"


def test_a_read_that_waits_and_is_given_up_leaves_its_bytes() -> None:
    bench = CoreBench(receive_buffer_size=3).connect()
    bench.core.read()
    bench.core.data_received(b"abcd")
    bench.core.effects.clear()
    bench.tell(bench.core.unread_rest, memoryview(b"abcd"))
    assert not bench.reading
    assert bench.core.read() == b"abcd"


def test_reads_while_connecting_get_the_first_bytes() -> None:
    bench = CoreBench()
    bench.read()
    bench.connect()
    bench.data(b"first")
    assert bench.received == b"first"


def test_cancel_while_connecting_discards_from_the_start() -> None:
    bench = CoreBench()
    bench.cancel()
    bench.connect()
    bench.data(b"discarded")
    assert bench.core.counters.bytes_received == 9
    bench.close()
    assert bench.state == "closed"
    assert bench.events == ["ready", "close"]


def test_fin_comes_once() -> None:
    bench = CoreBench().connect()
    bench.data(b"x")
    bench.fin()
    bench.fin()
    bench.read()
    bench.fin()
    assert bench.events == ["ready", "end"]


# ---- writing ----


def test_close_waits_for_the_connection_and_for_the_transport() -> None:
    bench = CoreBench(eager=False)
    bench.close()
    assert not bench.fin_sent
    bench.connect()
    assert bench.fin_sent
    assert bench.state == "open"
    bench.tell(bench.core.fin_sent)
    assert bench.state == "local-closed"
    assert bench.settled["close"] is True


def test_a_write_fulfils_when_the_system_has_taken_it() -> None:
    bench = CoreBench(eager=False).connect()
    bench.write(b"abc")
    assert "write" not in bench.settled
    assert bench.core.counters.bytes_sent == 0
    bench.tell(bench.core.write_finished)
    assert bench.settled["write"] is True
    assert bench.core.counters.bytes_sent == 3
    bench.tell(bench.core.write_finished)


@pytest.mark.parametrize("connected", [True, False])
def test_an_empty_write_sends_nothing(connected: bool) -> None:
    bench = CoreBench()
    if connected:
        bench.connect()
    bench.write(b"")
    assert ("write" in bench.settled) == connected
    if not connected:
        bench.connect()
    assert bench.settled["write"] is True
    assert bench.sent == []


def test_without_half_open_the_fin_is_answered_behind_the_write_in_flight() -> None:
    bench = CoreBench(eager=False, allow_half_open=False).connect()
    bench.write(b"last")
    bench.fin()
    assert bench.state == "remote-closed"
    assert bench.writable_closing
    assert not bench.fin_sent
    bench.tell(bench.core.write_finished)
    assert bench.fin_sent
    bench.tell(bench.core.fin_sent)
    assert bench.state == "closed"
    assert bench.events == ["ready", "end", "close"]


@pytest.mark.parametrize("before", [True, False])
def test_without_half_open_a_fin_after_cancel_is_answered(before: bool) -> None:
    bench = CoreBench(allow_half_open=False).connect()
    if before:
        bench.data(b"unread")
        bench.fin()
        assert bench.state == "open"
        bench.cancel()
    else:
        bench.cancel()
        bench.fin()
    assert bench.state == "closed"
    assert bench.events == ["ready", "end", "close"]


# ---- aborting and disposing ----


@pytest.mark.parametrize("reason", [0, "", False, ValueError("x")])
def test_any_reason_is_kept(reason: object) -> None:
    bench = CoreBench().connect()
    bench.tell(bench.core.abort, reason)
    bench.tell(bench.core.abort, "second")
    assert bench.core.failure is reason
    assert bench.signal == (reason,)
    assert bench.events == ["ready", "close"]


@pytest.mark.parametrize("end", ["abort", "abort_write", "dispose"])
def test_default_reason(end: str) -> None:
    bench = CoreBench()
    bench.tell(getattr(bench.core, end), *([None] if end == "abort_write" else []))
    assert name_of(bench.core.failure) == "AbortError"
    assert bench.settled["ready"] is bench.core.failure


def test_signal_that_is_aborted_already() -> None:
    class Aborted(Signal):
        aborted = True
        reason = "before"

    bench = CoreBench(signal=Aborted(), ready_timeout=5)
    assert (bench.state, bench.connecting, bench.timers) == ("errored", False, {})
    assert bench.settled["ready"] == bench.settled["closed"] == "before"
    assert bench.events == ["close"]


@pytest.mark.parametrize("unread", [True, False])
def test_dispose_flushes_and_cancels(unread: bool) -> None:
    bench = CoreBench(eager=False).connect()
    if unread:
        bench.data(b"never read")
    bench.write(b"last words")
    bench.tell(bench.core.dispose)
    assert bench.readable == "cancelled"
    assert bench.writable_closing
    bench.tell(bench.core.write_finished)
    bench.tell(bench.core.fin_sent)
    assert (bench.state, bench.settled["closed"], bench.released) == ("closed", True, "closed")
    bench.tell(bench.core.dispose)


# ---- timers ----


def test_ready_timer() -> None:
    bench = CoreBench(ready_timeout=50)
    assert bench.timers == {"ready": 50}
    bench.connect()
    assert bench.timers == {}
    bench.tell(bench.core.timer_expired, "ready")
    assert bench.state == "open"
    bench = CoreBench(ready_timeout=50)
    bench.tell(bench.core.timer_expired, "ready")
    assert name_of(bench.core.failure) == "TimeoutError"
    assert bench.events == ["error", "close"]
    assert bench.released == "reset"


def test_ready_timeout_changed_while_connecting_counts_from_the_construction() -> None:
    bench = CoreBench()
    bench.now = 30
    assert bench.update(ready_timeout=100) is True
    assert bench.timers == {"ready": 100}
    bench.update(ready_timeout=10)
    assert bench.timers == {"ready": 30}
    bench.update(ready_timeout=0)
    assert bench.timers == {}


def test_what_the_system_took_of_a_chunk_is_counted_once() -> None:
    bench = CoreBench(eager=False).connect()
    bench.write(b"0123456789")
    assert bench.tell(bench.core.progress, 7)
    assert bench.core.counters.bytes_sent == 3
    assert bench.tell(bench.core.progress, 2)
    bench.tell(bench.core.write_finished)
    assert bench.core.counters.bytes_sent == 10
    bench.write(b"abc")
    assert bench.tell(bench.core.progress, 2)
    bench.tell(bench.core.abort, "enough")
    assert not bench.tell(bench.core.progress, 0)
    assert bench.core.counters.bytes_sent == 11


def test_idle_timer_restarts_with_every_byte() -> None:
    bench = CoreBench(eager=False, idle_timeout=10)
    assert bench.timers == {}
    bench.now = 1
    bench.connect()
    assert bench.timers == {"idle": 11}
    bench.now = 2
    bench.data(b"x")
    assert bench.timers == {"idle": 12}
    bench.now = 3
    bench.write(b"yy")
    assert bench.timers == {"idle": 12}
    assert bench.tell(bench.core.progress, 1)
    assert bench.timers == {"idle": 13}
    bench.now = 3.5
    assert not bench.tell(bench.core.progress, 1)
    assert bench.timers == {"idle": 13}
    bench.now = 4
    bench.tell(bench.core.write_finished)
    assert bench.timers == {"idle": 14}
    bench.cancel()
    bench.now = 5
    bench.data(b"discarded")
    assert bench.timers == {"idle": 15}
    bench.now = 6
    bench.update(idle_timeout=100)
    assert bench.timers == {"idle": 106}
    bench.tell(bench.core.timer_expired, "idle")
    assert name_of(bench.core.failure) == "TimeoutError"
    assert bench.timers == {}


def test_idle_timer_can_be_switched_off() -> None:
    bench = CoreBench(idle_timeout=10).connect()
    bench.update(idle_timeout=0)
    assert bench.timers == {}
    bench.data(b"x")
    bench.tell(bench.core.progress, 0)
    bench.tell(bench.core.timer_expired, "idle")
    assert (bench.timers, bench.state) == ({}, "open")


# ---- failures ----


@pytest.mark.parametrize(
    ("phase", "code", "expected"),
    [
        ("connect", "EADDRNOTAVAIL", "remote-unreachable"),
        ("bind", "EADDRNOTAVAIL", "address-not-bindable"),
        ("established", "EPIPE", "connection-reset"),
        ("connect", "EAI_NONAME", "name-unresolvable"),
        ("connect", "ESTRANGE", "unknown"),
        ("connect", None, "unknown"),
        ("tls-handshake", "ERR_SSL_WRONG_VERSION_NUMBER", "tls-handshake-failed"),
        ("tls-established", "ERR_SSL_UNEXPECTED_EOF_WHILE_READING", "tls-truncated"),
        ("tls-established", "ERR_SSL_SOMETHING", "tls-protocol-error"),
    ],
)
def test_system_codes(phase: Any, code: str | None, expected: str) -> None:
    assert error_code(phase, code) == expected


def test_the_cause_of_a_failure_is_kept() -> None:
    cause = OSError(111, "refused")
    bench = CoreBench()
    bench.tell(bench.core.connect_failed, Failure("connect", "ECONNREFUSED", "words", cause))
    assert bench.core.failure.__cause__ is cause
    assert bench.core.failure.message == "words"
