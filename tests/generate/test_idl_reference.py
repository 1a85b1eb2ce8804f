"""The Python counterparts of IDL cases fail against a reference that breaks the mapping, and only then."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from idl_verdicts import agent, chosen, failing, verdicts, violated_reference

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.testing.case import TestCase

INTEGERS = ("*/port", "SocketInit/*Timeout", "SocketInit/*Size", "SocketInit/ttl", "SocketInit/keepAliveDelay")
# A delay of less than a second is refused after its conversion, whatever it was converted from.
BUT_THE_DELAY = INTEGERS[:-1]
WITHOUT_LATER_CHECK = ("SocketInit/*Timeout", "SocketLocalAddress/port")
TEXTS = (
    "SocketCertificateHash/algorithm",
    "SocketError/constructor/message",
    "SocketErrorEvent/constructor/type",
    "SocketErrorOptions/systemCode",
    "SocketTLSInit/servername",
)
ENUMERATIONS = ("SocketErrorOptions/errorCode", "SocketInit/type")


def each(places: tuple[str, ...], *slugs: str) -> list[str]:
    return [f"{place}/{slug}" for place in places for slug in slugs]


# Violation -> globs over the cases (without "conversion/") that fail, and no other.
CONVERSIONS: dict[str, list[str]] = {
    "integers wrap around": [
        *each(("*",), "below-minimum"),
        *each(BUT_THE_DELAY, "far-above-maximum"),
        *each((*WITHOUT_LATER_CHECK, "SocketInit/keepAliveDelay"), "above-maximum", "beyond-exact", "beyond-64-bits"),
    ],
    "integers may be booleans": [
        *each(BUT_THE_DELAY, "true"),
        *each((*WITHOUT_LATER_CHECK, "SocketInit/keepAliveDelay"), "false"),
    ],
    "integers may be floats": each(BUT_THE_DELAY, "fraction", "whole-float"),
    "integers may be digits": each(BUT_THE_DELAY, "digits"),
    "integers must be of the type int": each(INTEGERS, "index", "index-arrives", "index-out-of-range", "index-raises"),
    "booleans may be integers": each(
        ("SocketErrorEventInit/fatal", "SocketInit/allowHalfOpen", "SocketInit/noDelay", "SocketTLSInit/request*"),
        "one",
        "zero",
    ),
    "booleans are truth": each(
        ("SocketErrorEventInit/fatal", "SocketInit/allowHalfOpen", "SocketInit/noDelay", "SocketTLSInit/request*"),
        *("empty-array", "empty-string", "object", "one", "words", "zero"),
    ),
    "strings may be anything": [
        *each(TEXTS, "array", "bytes", "number", "object", "to-string", "true"),
        # What they become must be a host besides.
        *each(("SocketAddress/address",), "number", "object", "to-string", "true"),
        "SocketLocalAddress/address/to-string",
    ],
    "strings may be bytes": each(TEXTS, "bytes"),
    "enumerations ignore case": each(ENUMERATIONS, "upper-case"),
    "enumerations ignore space": each(ENUMERATIONS, "leading-space", "trailing-space"),
    "signals are recognised by name": ["SocketInit/signal/forged"],
    "sequences may be strings": each(("SocketTLSInit/alpn", "SocketTLSInit/ca"), "string"),
    "sequences must be lists": each(("SocketTLSInit/*",), "generator", "iterable", "iterator-throws", "tuple"),
    "buffers may be lists": each(("SocketCertificateHash/value", "SocketTLSInit/cert", "SocketTLSInit/key"), "array"),
    "buffers must be bytes": ["*/bytearray", "*/memoryview"],
    "dictionaries may be lists": [
        *each(("Socket/update/init", "SocketError/constructor/options"), "array"),
        *each(("SocketErrorEvent/constructor/eventInitDict", "SocketInit/local", "SocketInit/tls"), "array"),
    ],
    "undefined is refused": [
        *each(("SocketInit/*", "SocketTLSInit/*", "SocketLocalAddress/*"), "undefined"),
        *each(("SocketErrorEventInit/*", "SocketErrorOptions/*"), "undefined"),
    ],
    "undefined arguments are converted": each(
        ("SocketError/constructor/*", "SocketErrorEvent/constructor/eventInitDict", "Socket/abort/reason"), "undefined"
    ),
    "missing members are not read": ["*/missing"],
    "errors are wrapped": ["*/getter-throws"],
    "members are read twice": ["*/read-once"],
    "members are read later": ["*/not-retained"],
    "earlier drafts are honoured": ["*/unknown-members"],
}
# What reads everything at first hides from other cases how far a conversion came.
READING: dict[str, list[str]] = {
    "members are read in reverse": ["*/read-order"],
    "members are copied": ["*/unknown-members"],
}

STATS = "SocketStats/bytesSent"
JSON = "SocketStats/toJSON/default*"
ONREADY = "Socket/onready"
SHAPES: dict[str, list[str]] = {
    "an interface is missing": [
        *(f"SocketEndpoint/{kind}" for kind in ("exposed", "name", "illegal-constructor", "*/descriptor")),
        *(f"SocketInfo/{end}/type-when-open" for end in ("remote", "local")),
    ],
    "a class has another name": ["SocketStats/name", "Socket/stats/type", "Socket/stats/same-object"],
    "a class does not inherit": ["SocketErrorEvent/inheritance"],
    "anybody may construct": ["SocketStats/illegal-constructor"],
    "required arguments have defaults": ["SocketErrorEvent/required-arguments"],
    "nobody may construct without arguments": ["SocketError/required-arguments"],
    "subclasses are ignored": ["SocketError/subclass"],
    "an attribute is a method": [*(f"{STATS}/{kind}" for kind in ("descriptor", "readonly", "type*")), JSON],
    "a readonly attribute can be changed": ["SocketErrorEvent/fatal/descriptor", "SocketErrorEvent/fatal/readonly"],
    "a number is a string": [f"{STATS}/type*"],
    "null is zero": ["SocketStats/packetsSent/type*"],
    "an enumeration has another value": ["SocketInfo/type/type*", "SocketInfo/toJSON/default*"],
    "a promise is new each time": ["Socket/ready/same-object", "Socket/ready/readonly"],
    "null is a promise": [f"Socket/quic/{kind}" for kind in ("type", "same-object", "readonly")] + ["Socket/subclass"],
    "an array is a list": ["Socket/supportedTypes/type", "Socket/supportedTypes/same-object"],
    "an array is new each time": ["Socket/supportedTypes/same-object"],
    "a handler is something at first": [f"{ONREADY}/{kind}" for kind in ("initially-*", "keeps-*", "is-*", "can-*")]
    + [f"{ONREADY}/ignores-primitives"],
    "a handler is wrapped": [f"{ONREADY}/keeps-functions"],
    "a handler is never called": [f"{ONREADY}/is-called", f"{ONREADY}/keeps-its-turn"],
    "a handler gets no event": [f"{ONREADY}/is-called"],
    "a handler loses its turn": [f"{ONREADY}/keeps-its-turn"],
    "a handler stays": ["Socket/on*/can-be-removed", *(f"Socket/{on}/ignores-primitives" for on in ("on[ec]*",))],
    "a handler may be anything": [f"{ONREADY}/ignores-primitives"],
    "an operation returns a coroutine": ["Socket/abort/returns-promise"],
    "missing arguments have defaults": ["Socket/update/descriptor", "Socket/update/missing-arguments"],
    "an optional argument is required": ["Socket/abort/descriptor", "Socket/abort/returns-promise"],
    "nothing can be disposed of": ["Socket/async-dispose/*"],
    "disposal returns nothing": ["Socket/async-dispose/returns-promise"],
    "toJSON has another order": [JSON],
    "toJSON has other values": [JSON],
    "toJSON returns the same object": [JSON],
}


def cases(prefix: str) -> list[TestCase]:
    return [case for case in chosen("python", f"{prefix}/*") if case.features <= {"tcp"}]


def matched(selected: list[TestCase], prefix: str, globs: list[str]) -> set[str]:
    wanted = [f"{prefix}/{glob}" for glob in globs]
    names = {case.id.removeprefix("socket/idl/") for case in selected}
    return {name for name in names if any(fnmatchcase(name, glob) for glob in wanted)}


async def failures(folder: Path, violation: str, selected: list[TestCase]) -> set[str]:
    async with agent(violated_reference(folder, violation)) as client:
        return failing(await verdicts(client, selected))


@pytest.mark.parametrize("violation", CONVERSIONS)
async def test_a_violation_of_conversions_fails_its_cases_and_no_others(violation: str, tmp_path: Path) -> None:
    globs = CONVERSIONS[violation]
    every = cases("conversion")
    kinds = {name.rpartition("/")[2] for name in matched(every, "conversion", globs)}
    selected = [case for number, case in enumerate(every) if case.id.rpartition("/")[2] in kinds or number % 9 == 0]
    assert matched(selected, "conversion", globs), "the globs match nothing"
    assert await failures(tmp_path, violation, selected) == matched(selected, "conversion", globs)


@pytest.mark.parametrize("violation", READING)
async def test_a_violation_of_reading_fails_its_cases(violation: str, tmp_path: Path) -> None:
    selected = [case for case in cases("conversion") if case.id.endswith(("/read-order", "/unknown-members"))]
    assert await failures(tmp_path, violation, selected) >= matched(selected, "conversion", READING[violation])


@pytest.mark.parametrize("violation", SHAPES)
async def test_a_violation_of_shapes_fails_its_cases_and_no_others(violation: str, tmp_path: Path) -> None:
    selected = cases("shape")
    assert matched(selected, "shape", SHAPES[violation]), "the globs match nothing"
    assert await failures(tmp_path, violation, selected) == matched(selected, "shape", SHAPES[violation])


@pytest.mark.parametrize("violation", ["none", "a handler is right"])
async def test_the_reference_passes_every_case(violation: str, tmp_path: Path) -> None:
    assert await failures(tmp_path, violation, [*cases("shape"), *cases("conversion")]) == set()


# What every other conversion case hands over, too, as the control that must be accepted.
CONTROLS = {
    "conversion/SocketAddress/address/string",
    "conversion/SocketAddress/address/string-arrives",
    "conversion/SocketAddress/port/number-arrives",
    "conversion/SocketInit/signal/object-of-the-interface",
    "conversion/SocketInit/type/value-tcp",
}
# From the most general to the most special; each is tried on the cases that none before it fails.
SOMEBODY = (
    "lax",
    "strict",
    "deaf",
    "undefined is refused",
    "undefined arguments are converted",
    "missing members are not read",
    "members are read twice",
    "members are read later",
    "members are read in reverse",
    "earlier drafts are honoured",
)


async def test_every_conversion_case_fails_against_somebody(tmp_path: Path) -> None:
    left = cases("conversion")
    for violation in SOMEBODY:
        found = await failures(tmp_path, violation, left)
        left = [case for case in left if case.id.removeprefix("socket/idl/") not in found]
    assert {case.id.removeprefix("socket/idl/") for case in left} <= CONTROLS


def test_every_kind_of_shape_is_failed_by_a_violation() -> None:
    every = cases("shape")
    failed = {name for globs in SHAPES.values() for name in matched(every, "shape", globs)}

    def kind(name: str) -> str:
        return name.rpartition("/")[2].removesuffix("-when-open")

    assert {kind(case.id) for case in every} == {kind(name) for name in failed}
