"""Finds the steps by which a test makes a socket and observes it from the beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.repro.operations import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

MEMBERS: Final = ("ready", "closed", "signal")
"""The members of a socket that are observed."""

STEPS: Final = 8
"""How many steps it takes."""

_EVENTS: Final = ["ready", "end", "error", "close"]


def watched(items: Sequence[Any], place: int) -> str | None:
    """Return the label of the socket that the items at `place` make and watch, or None where they do something else."""
    steps = items[place : place + STEPS]
    if len(steps) < STEPS or not all(isinstance(step, Operation) for step in steps):
        return None
    first, observed = steps[0], steps[1].request
    if not isinstance(first.value, dict) or first.value.get("class") != "Socket":
        return None
    label = observed.get("as")
    if (steps[1].op, observed.get("events"), steps[1].key[:1]) != ("observe", _EVENTS, first.key[:1]):
        return None
    for number, member in enumerate(MEMBERS):
        got, seen = steps[2 + 2 * number], steps[3 + 2 * number].request
        if got.request.get("name") != member or seen.get("as") != f"{label}.{member}" or "value" not in got.answer:
            return None
    return str(label)
