from collections.abc import Callable
from typing import Any

import pytest
from commonsocket import AbortController, AbortSignal, DOMException, Event, EventTarget, SocketErrorEvent
from conftest import turns


class Target(EventTarget):
    pass


async def test_listeners_run_in_order_and_once_each() -> None:
    log: list[str] = []
    target = Target()

    def first(event: Event) -> None:
        log.append(f"first {event.type}")

    target.add_event_listener("x", first)
    target.add_event_listener("x", lambda _: log.append("second"))
    target.add_event_listener("x", first)
    target.add_event_listener("y", lambda _: log.append("y"))
    assert target.dispatch_event(Event("x"))
    assert log == ["first x", "second"]
    target.remove_event_listener("x", first)
    target.remove_event_listener("x", None)
    target.remove_event_listener("z", first)
    target.dispatch_event(Event("x"))
    assert log == ["first x", "second", "second"]


async def test_capture_makes_another_listener() -> None:
    log: list[int] = []

    def listener(_: Event) -> None:
        log.append(1)

    target = Target()
    target.add_event_listener("x", listener)
    target.add_event_listener("x", listener, True)
    target.add_event_listener("x", listener, {"capture": True})
    target.dispatch_event(Event("x"))
    assert log == [1, 1]
    target.remove_event_listener("x", listener, {"capture": True})
    target.dispatch_event(Event("x"))
    assert log == [1, 1, 1]


async def test_bound_methods_are_the_same_listener() -> None:
    class Listener:
        count = 0

        def on_event(self, _event: Event) -> None:
            self.count += 1

    target, listener = Target(), Listener()
    target.add_event_listener("x", listener.on_event)
    target.add_event_listener("x", listener.on_event)
    target.dispatch_event(Event("x"))
    target.remove_event_listener("x", listener.on_event)
    target.dispatch_event(Event("x"))
    assert listener.count == 1


async def test_objects_with_handle_event_listen() -> None:
    class Listener:
        event: Event | None = None

        def handle_event(self, event: Event) -> None:
            self.event = event

    target, listener, event = Target(), Listener(), Event("x")
    target.add_event_listener("x", listener)
    target.dispatch_event(event)
    assert listener.event is event


async def test_once_and_listeners_changed_during_dispatch() -> None:
    log: list[str] = []
    target = Target()

    def late(_: Event) -> None:
        log.append("late")

    def never(_: Event) -> None:
        log.append("never")

    def change(_: Event) -> None:
        log.append("change")
        target.remove_event_listener("x", never)
        target.add_event_listener("x", late)

    target.add_event_listener("x", change, {"once": True})
    target.add_event_listener("x", never)
    target.dispatch_event(Event("x"))
    assert log == ["change"]
    target.dispatch_event(Event("x"))
    assert log == ["change", "late"]


async def test_signal_removes_the_listener() -> None:
    log: list[int] = []
    target, controller = Target(), AbortController()
    target.add_event_listener("x", lambda _: log.append(1), {"signal": controller.signal})
    target.dispatch_event(Event("x"))
    controller.abort()
    target.dispatch_event(Event("x"))
    target.add_event_listener("x", lambda _: log.append(2), {"signal": AbortSignal.abort()})
    target.dispatch_event(Event("x"))
    assert log == [1]


async def test_exception_is_reported_and_harms_no_other(reported: list[dict[str, Any]]) -> None:
    log: list[int] = []
    target = Target()

    def fail(_: Event) -> None:
        raise ValueError("listener")

    target.add_event_listener("x", fail)
    target.add_event_listener("x", lambda _: log.append(1))
    target.dispatch_event(Event("x"))
    assert log == [1]
    assert [str(context["exception"]) for context in reported] == ["listener"]
    reported.clear()


async def test_coroutine_of_a_listener_runs_as_a_task() -> None:
    log: list[str] = []
    target = Target()

    async def listener(event: Event) -> None:
        log.append(event.type)

    target.add_event_listener("x", listener)
    target.dispatch_event(Event("x"))
    assert log == []
    await turns(1)
    assert log == ["x"]


async def test_handler_keeps_its_place_and_can_cancel() -> None:
    log: list[str] = []
    signal = AbortController().signal
    assert signal.onabort is None
    signal.onabort = lambda _: log.append("old")
    signal.add_event_listener("abort", lambda _: log.append("listener"))
    signal.onabort = handler = lambda _: bool(log.append("new"))
    assert signal.onabort is handler
    event = Event("abort", {"cancelable": True})
    assert not signal.dispatch_event(event)
    assert log == ["new", "listener"]
    assert event.default_prevented
    signal.onabort = None
    signal.dispatch_event(Event("abort"))
    assert log == ["new", "listener", "listener"]
    signal.onabort = "not a function"  # type: ignore[assignment]
    assert signal.onabort is None
    assert AbortSignal.onabort.__doc__


async def test_event_during_and_after_dispatch() -> None:
    target = Target()
    seen: dict[str, Any] = {}

    def listener(event: Event) -> None:
        seen.update(
            target=event.target, current=event.current_target, phase=event.event_phase, path=event.composed_path()
        )
        with pytest.raises(DOMException) as caught:
            target.dispatch_event(event)
        assert caught.value.name == "InvalidStateError"
        event.stop_immediate_propagation()

    target.add_event_listener("x", listener)
    target.add_event_listener("x", lambda _: pytest.fail("propagation was stopped"))
    event = Event("x", {"bubbles": True, "composed": True})
    target.dispatch_event(event)
    assert seen == {"target": target, "current": target, "phase": 2, "path": [target]}
    assert (event.target, event.current_target, event.event_phase, event.composed_path()) == (target, None, 0, [])
    assert (event.bubbles, event.composed, event.cancelable, event.is_trusted) == (True, True, False, False)
    assert event.time_stamp >= 0
    event.stop_propagation()


async def test_prevent_default_needs_a_cancelable_event_and_no_passive_listener() -> None:
    target = Target()
    target.add_event_listener("x", Event.prevent_default, {"passive": True})
    assert target.dispatch_event(Event("x", {"cancelable": True}))
    target.add_event_listener("x", Event.prevent_default, True)
    assert not target.dispatch_event(Event("x", {"cancelable": True}))
    assert target.dispatch_event(Event("x"))


@pytest.mark.parametrize(
    "call",
    [
        lambda target: target.add_event_listener(1, print),
        lambda target: target.add_event_listener("x", 1),
        lambda target: target.add_event_listener("x", print, 1),
        lambda target: target.add_event_listener("x", print, {"once": 1}),
        lambda target: target.add_event_listener("x", print, {"signal": 1}),
        lambda target: target.remove_event_listener("x", object()),
        lambda target: target.dispatch_event("x"),
        lambda _: Event(1),
        lambda _: Event("x", 1),
        lambda _: Event("x", {"bubbles": 1}),
        lambda _: SocketErrorEvent("error", {"fatal": 1}),
    ],
)
async def test_wrong_arguments(call: Callable[[EventTarget], object]) -> None:
    with pytest.raises(TypeError):
        call(Target())


async def test_socket_error_event() -> None:
    error = object()
    event = SocketErrorEvent("error", {"error": error, "fatal": False, "cancelable": True})
    assert (event.error, event.fatal, event.cancelable, event.type) == (error, False, True, "error")
    assert (SocketErrorEvent("error").error, SocketErrorEvent("error").fatal) == (None, True)
