"""One walk for each event of the lifecycle table."""

from collections.abc import Callable
from typing import Any

from commonsocket import DOMException
from commonsocket.core.failure import Failure
from core_bench import DETAILS, REFUSED, RESET, CoreBench

TLS_FAILED = Failure("tls-handshake", "ERR_SSL_WRONG_VERSION_NUMBER", "failed")
TLS_BROKEN = Failure("tls-established", "ERR_SSL_BAD_RECORD_TYPE", "broken")
TLS_CUT = Failure("tls-established", "ERR_SSL_UNEXPECTED_EOF_WHILE_READING", "cut")


def name_of(error: Any) -> str:
    assert isinstance(error, DOMException)
    return error.name


def in_state(state: str, **init: Any) -> CoreBench:
    """Return a bench whose core is in `state`, nothing unread and no write under way."""
    bench = CoreBench(**init)
    if state == "connecting":
        return bench
    bench.connect()
    if state == "local-closed":
        bench.close()
    elif state == "remote-closed":
        bench.fin()
    elif state == "closed":
        bench.close()
        bench.fin()
    elif state == "errored":
        bench.tell(bench.core.transport_failed, RESET)
    assert bench.state == state
    return bench


def no_half_open(bench: CoreBench) -> None:
    bench.update(allow_half_open=False)
    bench.eager = False
    bench.fin()


def cancel_then(then: Callable[[CoreBench], None]) -> Callable[[CoreBench], None]:
    def walk(bench: CoreBench) -> None:
        bench.cancel()
        then(bench)

    return walk


def cancel_after_fin(bench: CoreBench) -> None:
    bench.data(b"unread")
    bench.fin()
    bench.cancel()


def dispose(bench: CoreBench) -> None:
    # Of the steps that follow, the table's cell is the first.
    bench.core.dispose()
    bench.core.effects.clear()


def data_then_fin(bench: CoreBench) -> None:
    bench.data(b"unread")
    bench.fin()


def close_while_connecting(bench: CoreBench) -> None:
    bench.close()


def ask_for_tls(bench: CoreBench) -> None:
    bench.settled.pop("update", None)
    bench.tell(bench.core.update, {"type": "tls"})
    bench.tell(bench.core.run_update)


def starttls(bench: CoreBench) -> None:
    ask_for_tls(bench)
    if bench.state != "connecting":
        bench.tell(bench.core.secured, DETAILS)
        assert bench.settled["update"] is True


def starttls_fails(bench: CoreBench) -> None:
    ask_for_tls(bench)
    bench.tell(bench.core.transport_failed, TLS_FAILED)


def starttls_refused(bench: CoreBench) -> None:
    ask_for_tls(bench)
    assert name_of(bench.settled["update"]) == "InvalidStateError"


WALKS: dict[str, Callable[[CoreBench], object]] = {
    "connected": CoreBench.connect,
    "connect-fails": lambda bench: bench.tell(bench.core.connect_failed, REFUSED),
    "ready-timeout": lambda bench: bench.tell(bench.core.timer_expired, "ready"),
    "signal-aborts": lambda bench: bench.tell(bench.core.signal_aborted, "reason"),
    "abort": lambda bench: bench.tell(bench.core.abort, "reason"),
    "writable-abort": lambda bench: bench.tell(bench.core.abort_write, "reason"),
    "bad-chunk": lambda bench: bench.tell(bench.core.bad_chunk, TypeError()),
    "writer-close": CoreBench.close,
    "writer-close-after-cancel": cancel_then(CoreBench.close),
    "write-fails": lambda bench: bench.tell(bench.core.transport_failed, RESET),
    "peer-data": lambda bench: bench.data(b"data"),
    "peer-data-after-cancel": cancel_then(lambda bench: bench.data(b"data")),
    "peer-fin-unread": data_then_fin,
    "peer-fin": CoreBench.fin,
    "peer-fin-no-half-open": no_half_open,
    "peer-fin-after-cancel": cancel_then(CoreBench.fin),
    "cancel": CoreBench.cancel,
    "cancel-after-fin": cancel_after_fin,
    "peer-reset": lambda bench: bench.tell(bench.core.transport_failed, RESET),
    "idle-timeout": lambda bench: (bench.update(idle_timeout=10), bench.tell(bench.core.timer_expired, "idle")),
    "update": lambda bench: bench.update(ready_timeout=10),
    "update-immutable": lambda bench: bench.update(remote={"address": "192.0.2.9", "port": 7}),
    "starttls": starttls,
    "starttls-fails": starttls_fails,
    "starttls-refused": starttls_refused,
    "tls-alert": lambda bench: bench.tell(bench.core.transport_failed, TLS_BROKEN),
    "tls-truncated": lambda bench: bench.tell(bench.core.transport_failed, TLS_CUT),
    "connect-rejected": lambda bench: bench.tell(bench.core.abort, "reason"),
    "connect-listener-throws": lambda bench: bench.tell(bench.core.abort, ValueError()),
    "dispose": dispose,
}
