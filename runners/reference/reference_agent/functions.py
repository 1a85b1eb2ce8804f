"""Functions and getters that the harness sends: they log each call, carry out steps, and return or raise."""

from __future__ import annotations

from typing import Any

from .operations import run_steps
from .values import Context, HarnessFunction, decode, encode


class _Function(HarnessFunction):
    def __init__(self, wire: Any, context: Context) -> None:
        self.label = wire["as"]
        self._scope = context.scope
        self._does = wire.get("does", [])
        self._calls = 0
        self._throws = "throws" in wire
        self._outcome = wire.get("throws") if self._throws else wire.get("returns")
        # A value is made once, so that every call gives the same object; a reference is looked up at each call.
        self._refers = isinstance(self._outcome, dict) and self._outcome.get("$") in {"result", "argument"}
        self._value = None if self._refers else decode(self._outcome, context)

    def __call__(self, *args: Any) -> Any:
        results: list[Any] = []
        encoded = [encode(value, self._scope) for value in args]
        self._scope.append(self.label, "called", args=encoded, results=results)
        self._calls += 1
        context = Context(self._scope, args=args, call=self._calls)
        results.extend(run_steps(self._does, context))
        value = decode(self._outcome, context) if self._refers else self._value
        if not self._throws:
            return value
        if isinstance(value, BaseException):
            # Without the trace of the last time it was raised.
            raise value.with_traceback(None)
        msg = f"Python cannot raise {value!r}"
        raise TypeError(msg)


def make_function(wire: Any, context: Context) -> _Function:
    """Return the function that a wire form describes."""
    return _Function(wire, context)
