"""Finds reads that follow one another: how many chunks there are is chance, what they hold is not."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.repro.operations import Operation
from conformance.repro.threads import End
from conformance.repro.words import data_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.repro.operations import Ref, Wire


@dataclass(slots=True)
class ReadLoop:
    """Reads until there were so many bytes, or until the end."""

    first: Operation
    """The call of the first read."""
    reader: Ref
    view: Wire
    """The buffer of each read of a BYOB reader, or None."""
    data: bytes
    ended: bool


@dataclass(slots=True)
class _Read:
    called: Operation
    value: Wire
    done: bool


def joined(items: Sequence[Any], passing: tuple[type, ...]) -> list[Any]:
    """Return the items with runs of reads of one reader replaced by loops.

    Items of the types `passing` are no obstacle: what began within a run begins before it, what ended ends after it.
    """
    found: list[Any] = []
    place = 0
    while place < len(items):
        run, behind = _run(items, place, passing)
        if len(run) > 1:
            between = [each for each in items[place:behind] if isinstance(each, passing)]
            found += [each for each in between if not isinstance(each, End)]
            found.append(_loop(run))
            found += [each for each in between if isinstance(each, End)]
            place = behind
        else:
            found.append(items[place])
            place += 1
    return found


def _run(items: Sequence[Any], place: int, passing: tuple[type, ...]) -> tuple[list[_Read], int]:
    """Return the reads of one reader from `place` on, and the place behind the last of them."""
    run: list[_Read] = []
    behind = place
    if isinstance(items[place], passing):
        return run, behind
    others = [number for number in range(place, len(items)) if not isinstance(items[number], passing)]
    for called, settled in zip(others[::2], others[1::2], strict=False):
        read = _read(items[called], items[settled])
        if read is None or (run and _manner(read) != _manner(run[0])):
            break
        run.append(read)
        behind = settled + 1
        if read.done:
            break
    return run, behind


def _manner(read: _Read) -> tuple[Wire, Wire]:
    return read.called.request["on"], read.called.request["args"]


def _read(called: Any, settled: Any) -> _Read | None:
    """Return the read that two items are: a call and, right after it, its fulfilment with bytes or the end."""
    if not (isinstance(called, Operation) and isinstance(settled, Operation) and called.own_turn):
        return None
    if (called.op, called.request.get("name"), settled.op) != ("call", "read", "settle"):
        return None
    result = (settled.value or {}).get("value")
    if settled.request["on"] != called.result or not isinstance(result, dict) or set(result) != {"value", "done"}:
        return None
    chunk = result["value"]
    if not isinstance(called.request["on"], int) or not isinstance(chunk, dict):
        return None
    if not result["done"] and (chunk.get("$"), chunk.get("view")) != ("bytes", "Uint8Array"):
        return None
    return _Read(called, chunk, bool(result["done"]))


def _loop(run: Sequence[_Read]) -> ReadLoop:
    first = run[0].called
    args = first.request["args"]
    data = b"".join(data_of(read.value) for read in run if not read.done)
    return ReadLoop(first, first.request["on"], args[0] if args else None, data, run[-1].done)


def as_wire(data: bytes) -> Wire:
    """Return bytes as a value of the protocol."""
    return {"$": "bytes", "view": "Uint8Array", "base64": base64.b64encode(data).decode()}
