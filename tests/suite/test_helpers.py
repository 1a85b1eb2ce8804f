"""The helpers of behavioural tests, where a mistake would make tests say nothing."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from conformance.agent.values import RemoteError
from conformance.errors import CheckFailed
from conformance.testing import checks
from conformance.testing.context import Context
from conformance.testing.links import meanwhile


class Plain:
    """As much of a context as checks use."""

    check = Context.check
    equal = Context.equal
    recorder = SimpleNamespace(add=lambda *_: None)

    def polling(self, _what):
        return nullcontext()


T = Plain()


def error(number: int = 1, **fields) -> RemoteError:
    values = {"class_name": "SocketError", "name": "SocketError", "message": "", "error_code": "timeout"}
    classes = ("SocketError", "DOMException", "Error")
    return RemoteError(number, **(values | {"instance_of": classes} | fields))


def test_identity_is_not_equality_of_content():
    checks.is_identical(T, error(1), error(1, message="other"), "it")
    for other in (error(2), "SocketError", None):
        with pytest.raises(CheckFailed, match="it is"):
            checks.is_identical(T, other, error(1), "it")
    checks.is_identical(T, [1, "two"], [1, "two"], "it")
    with pytest.raises(CheckFailed, match="it is True, not 1"):
        checks.is_identical(T, True, 1, "it")


def test_kinds_of_errors_are_told_apart():
    timeout = error(name="TimeoutError", class_name="DOMException", instance_of=("DOMException", "Error"))
    checks.is_socket_error(T, error(), "timeout")
    checks.is_dom_exception(T, timeout, "TimeoutError")
    checks.is_type_error(T, error(instance_of=("TypeError", "Error")))
    for check, value, *arguments in (
        (checks.is_socket_error, timeout, "timeout"),
        (checks.is_socket_error, error(), "unknown"),
        (checks.is_socket_error, "refused", "unknown"),
        (checks.is_dom_exception, error(), "SocketError"),
        (checks.is_dom_exception, timeout, "AbortError"),
        (checks.is_type_error, timeout),
        (checks.is_type_error, None),
    ):
        with pytest.raises(CheckFailed):
            check(T, value, *arguments)


async def test_eventually_asks_until_it_holds_and_gives_up():
    values = iter(range(100))

    async def read():
        return next(values)

    assert await checks.eventually(T, read, lambda value: value >= 3, "the value") == 3
    with pytest.raises(CheckFailed, match="the value is still 4 after 0 s"):
        await checks.eventually(T, read, lambda _: False, "the value", limit=0)


async def test_meanwhile_waits_for_the_work():
    done = []

    async def work():
        await asyncio.sleep(0)
        done.append("work")

    async with meanwhile(work()):
        done.append("body")
    assert done == ["body", "work"]


async def test_meanwhile_raises_what_the_work_raises():
    async def fails():
        raise CheckFailed("no bytes")

    with pytest.raises(CheckFailed, match="no bytes"):
        async with meanwhile(fails()):
            await asyncio.sleep(0)


async def test_meanwhile_ends_the_work_when_the_body_fails():
    started = asyncio.Event()

    async def lasts():
        started.set()
        await asyncio.Event().wait()

    async def fails_meanwhile():
        async with meanwhile(lasts()):
            await started.wait()
            raise CheckFailed("other bytes")

    with pytest.raises(CheckFailed, match="other bytes"):
        await fails_meanwhile()
    assert len(asyncio.all_tasks()) == 1
