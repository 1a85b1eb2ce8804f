import gc
import weakref
from typing import Any

import pytest
from commonsocket import AbortController, AbortSignal, DOMException, ReasonError


async def test_abort_aborts_once_and_keeps_the_reason() -> None:
    controller = AbortController()
    signal = controller.signal
    events: list[Any] = []
    signal.add_event_listener("abort", events.append)
    assert (signal.aborted, signal.reason) == (False, None)
    signal.throw_if_aborted()
    reason = object()
    controller.abort(reason)
    controller.abort("again")
    assert signal is controller.signal
    assert signal.aborted
    assert signal.reason is reason
    assert [event.type for event in events] == ["abort"]
    with pytest.raises(ReasonError) as caught:
        signal.throw_if_aborted()
    assert caught.value.reason is reason


async def test_default_reason() -> None:
    signal = AbortSignal.abort()
    assert isinstance(signal.reason, DOMException)
    assert (signal.reason.name, signal.reason.code) == ("AbortError", 20)
    with pytest.raises(DOMException) as caught:
        signal.throw_if_aborted()
    assert caught.value is signal.reason


async def test_algorithms_run_before_the_event() -> None:
    controller = AbortController()
    log: list[str] = []

    def removed() -> None:
        log.append("removed")

    controller.signal.add_event_listener("abort", lambda _: log.append("event"))
    controller.signal.add_algorithm(lambda: log.append("algorithm"))
    controller.signal.add_algorithm(removed)
    controller.signal.remove_algorithm(removed)
    controller.signal.remove_algorithm(removed)
    controller.abort()
    controller.signal.add_algorithm(removed)
    assert log == ["algorithm", "event"]


async def test_timeout() -> None:
    signal = AbortSignal.timeout(1)
    from commonsocket import Promise

    await Promise(lambda resolve, _: signal.add_event_listener("abort", resolve))
    assert signal.reason.name == "TimeoutError"
    for wrong in (-1, 1.5, True, "1"):
        with pytest.raises(TypeError):
            AbortSignal.timeout(wrong)  # type: ignore[arg-type]


async def test_any_follows_the_first() -> None:
    one, other = AbortController(), AbortController()
    both = AbortSignal.any([one.signal, other.signal])
    nested = AbortSignal.any(iter([both]))
    log: list[str] = []
    both.onabort = lambda _: log.append("both")
    nested.onabort = lambda _: log.append(f"nested {both.aborted}")
    other.abort("other")
    one.abort("one")
    assert (both.reason, nested.reason) == ("other", "other")
    assert log == ["both", "nested True"]


async def test_any_of_aborted_and_of_none() -> None:
    assert AbortSignal.any([AbortController().signal, AbortSignal.abort("x")]).reason == "x"
    assert not AbortSignal.any([]).aborted
    for wrong in ("signals", [1], None):
        with pytest.raises(TypeError):
            AbortSignal.any(wrong)  # type: ignore[arg-type]


async def test_any_lives_while_somebody_listens_and_no_longer() -> None:
    controller = AbortController()
    log: list[str] = []
    AbortSignal.any([controller.signal]).add_event_listener("abort", lambda _: log.append("heard"))
    forgotten = weakref.ref(AbortSignal.any([controller.signal]))
    removed = AbortSignal.any([controller.signal])
    removed.onabort = log.append
    removed.onabort = None
    gone = weakref.ref(removed)
    del removed
    gc.collect()
    assert forgotten() is None
    assert gone() is None
    controller.abort()
    assert log == ["heard"]


async def test_has_no_constructor() -> None:
    with pytest.raises(TypeError):
        AbortSignal()
