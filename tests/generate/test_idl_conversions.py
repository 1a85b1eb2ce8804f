"""Each kind of conversion case fails against an implementation that converts otherwise, and only then."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from idl_verdicts import agent, chosen, failing, supported, verdicts, violated

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.testing.case import TestCase

INTEGERS = ("*/port", "SocketInit/*Timeout", "SocketInit/*Size", "SocketInit/ttl", "SocketInit/keepAliveDelay")
WITHOUT_LATER_CHECK = (
    "SocketInit/idleTimeout",
    "SocketInit/keepAliveDelay",
    "SocketInit/readyTimeout",
    "SocketLocalAddress/port",
)
STRINGS = (
    "SocketAddress/address",
    "SocketLocalAddress/address",
    "SocketCertificateHash/algorithm",
    "SocketError/constructor/message",
    "SocketErrorEvent/constructor/type",
    "ConnectEvent/constructor/type",
    "SocketErrorOptions/systemCode",
    "SocketTLSInit/servername",
)
BOOLEANS = (
    "SocketErrorEventInit/fatal",
    "SocketInit/allowHalfOpen",
    "SocketInit/noDelay",
    "SocketTLSInit/requestClientCertificate",
)
DICTIONARIES = (
    "SocketError/constructor/options",
    "SocketErrorEvent/constructor/eventInitDict",
    "SocketInit/local",
    "SocketInit/remote",
    "SocketInit/tls",
)
BUFFERS = ("SocketCertificateHash/value", "SocketTLSInit/cert", "SocketTLSInit/key")
OUTERMOST = ("SocketErrorEventInit", "SocketErrorOptions", "SocketInit", "ConnectEventInit")
ENUMERATIONS = ("SocketErrorOptions/errorCode", "SocketInit/type")
PRIMITIVES = ("bigint", "empty-string", "false", "number", "string", "symbol", "true", "zero")


def each(places: tuple[str, ...], *slugs: str) -> list[str]:
    return [f"{place}/{slug}" for place in places for slug in slugs]


# Violation -> globs over the cases (without "conversion/") that fail, and no other.
VIOLATIONS: dict[str, list[str]] = {
    "integers wrap around": [
        *each(("*",), "below-minimum", "fraction-below-minimum"),
        # What wraps around to a number that is refused later shows nothing.
        *each(tuple(place for place in INTEGERS if place != "SocketInit/keepAliveDelay"), "far-above-maximum"),
        *each(WITHOUT_LATER_CHECK, "above-maximum", "beyond-exact"),
    ],
    "integers are clamped": [
        *each(("*",), "above-maximum", "beyond-exact", "far-above-maximum", "infinity"),
        *each(WITHOUT_LATER_CHECK, "below-minimum", "fraction-below-minimum", "minus-infinity"),
    ],
    "fractions are refused": [
        *each(INTEGERS, "fraction", "fraction-above-maximum", "fraction-below-zero"),
        *each(("*",), "fraction-arrives", "fraction-counts", "fraction-above-maximum-counts"),
    ],
    "fractions are rounded": each(
        ("*",), "fraction-above-maximum", "fraction-arrives", "fraction-counts", "fraction-above-maximum-counts"
    ),
    "null is absent": [
        *each(("Socket/abort/reason", "SocketAddress/*", "SocketCertificateHash/algorithm"), "null"),
        *each(("SocketError/constructor/message", "*Event/constructor/type"), "null"),
        *each(("SocketErrorEventInit/*", "SocketErrorOptions/errorCode"), "null"),
        *each(("SocketInit/remote", "SocketInit/type"), "null"),
        *each(("SocketTLSInit/alpn", "SocketTLSInit/ca", "SocketTLSInit/serverCertificateHashes"), "null"),
    ],
    "numbers are parsed": [
        *each(tuple(place for place in INTEGERS if place != "SocketInit/keepAliveDelay"), "digits-and-words"),
        *each(INTEGERS, "empty-string"),
        *each(("SocketAddress/port", "SocketInit/*Size", "SocketInit/ttl"), "hexadecimal"),
    ],
    "enumerations ignore case": each(ENUMERATIONS, "upper-case"),
    "enumerations ignore space": each(ENUMERATIONS, "leading-space", "trailing-space"),
    "enumerations take only strings": each(
        ENUMERATIONS, "array-of-one", "boxed", "to-string", "to-string-stranger", "to-string-throws"
    ),
    "strings take only strings": [
        *each(STRINGS, "array", "bigint", "boxed", "fraction", "number", "object", "true", "value-of"),
        *each(STRINGS, "to-string", "to-primitive", "to-string-throws"),
        *each(("SocketAddress/address",), "boxed-arrives", "to-string-arrives", "array-of-one-arrives"),
    ],
    "strings are described": [
        f"{place}/symbol"
        for place in STRINGS
        if place != "SocketLocalAddress/address"  # refused later: no address
    ],
    "strings lose lone surrogates": each(
        ("SocketError/constructor/message", "*Event/constructor/type", "SocketErrorOptions/systemCode"),
        "lone-surrogate",
    ),
    "booleans take only booleans": [
        *each(BOOLEANS, "bigint", "bigint-zero", "boxed", "empty-array", "empty-string", "minus-zero", "not-a-number"),
        *each(BOOLEANS, "null", "object", "one", "symbol", "value-of", "words", "zero"),
    ],
    "booleans are compared": each(
        ("SocketErrorEventInit/fatal",),
        "bigint",
        "boxed",
        "empty-array",
        "object",
        "one",
        "symbol",
        "value-of",
        "words",
    ),
    "signals are recognised by their looks": each(("SocketInit/signal",), "other-object", "plain-object"),
    "signals are recognised by their prototype": ["SocketInit/signal/forged"],
    "sequences take array-likes": each(
        ("SocketTLSInit/alpn", "SocketTLSInit/ca", "SocketTLSInit/serverCertificateHashes"),
        "array-like",
        "object",
        "iterable",
        "iterator-throws",
    ),
    "sequences take only arrays": [
        *each(("SocketTLSInit/*",), "generator", "set", "iterable", "iterator-throws"),
        *each(("SocketTLSInit/alpn", "SocketTLSInit/ca"), "boxed-string"),
    ],
    "sequences take strings": each(("SocketTLSInit/alpn", "SocketTLSInit/ca"), "string"),
    "shared memory is copied": each(BUFFERS, "shared-view", "shared-data-view"),
    "resizable memory is copied": each(BUFFERS, "resizable-view", "resizable-buffer"),
    "only byte arrays are buffers": ["*/array-buffer", "*/view-[!u]*", "*/view-uint[!8]*", "*/view-uint8clampedarray"],
    "dictionaries take primitives": [*each(DICTIONARIES, *PRIMITIVES), "SocketInit/remote/null"],
    "dictionaries refuse null": each(tuple(place for place in DICTIONARIES if place != "SocketInit/remote"), "null"),
    "undefined is refused": [
        *each(("SocketInit/*", "SocketTLSInit/*", "SocketLocalAddress/*"), "undefined"),
        *each(("SocketError*Init/*", "SocketErrorOptions/*", "SocketError*/constructor/*"), "undefined"),
        "Socket/abort/reason/undefined",
    ],
    "undefined arguments are converted": each(
        ("Socket/abort/reason", "SocketError/constructor/*", "SocketErrorEvent/constructor/eventInitDict"), "undefined"
    ),
    "missing members are not read": ["*/missing"],
    "errors are wrapped": ["*/getter-throws"],
    "hooks are called twice": [
        *each(
            ("*",), "to-string", "to-string-throws", "to-string-stranger", "value-of-throws", "value-of-out-of-range"
        ),
        *each(INTEGERS, "value-of"),
    ],
    "members are read in the order of the IDL": each(
        ("SocketErrorEventInit", "SocketErrorOptions", "SocketInit"), "read-order"
    ),
    "nested members are read late": each(("SocketAddress", "SocketInit"), "read-order"),
    "members are read twice": ["*/read-once"],
    "members are read later": ["*/not-retained"],
    "members are copied": [
        *each(OUTERMOST, "unknown-members", "members-of-prototype"),
        "SocketInit/read-order",
        *each(("SocketInit/*", "SocketError*/*", "ConnectEventInit/*"), "missing"),
        # What ends a nested dictionary is followed by nothing that was not read before.
        "SocketTLSInit/servername/*",
        *each(("SocketAddress/port",), "empty-array", "empty-string", "false", "null"),
        *each(("SocketAddress/port",), "minimum", "minus-zero", "fraction-below-zero"),
    ],
    "earlier drafts are honoured": ["*/unknown-members"],
    "functions are no dictionaries": each(
        ("SocketError/constructor/options", "SocketErrorEvent/constructor/eventInitDict", *OUTERMOST), "function"
    ),
}


def conversions(*globs: str) -> list[TestCase]:
    return supported(chosen("javascript", *(f"conversion/{glob}" for glob in globs or ("*",))))


def matched(cases: list[TestCase], globs: list[str]) -> set[str]:
    wanted = [f"socket/idl/conversion/{glob}" for glob in globs]
    return {case.id for case in cases if any(fnmatchcase(case.id, glob) for glob in wanted)}


def selection(globs: list[str]) -> list[TestCase]:
    """Return the cases that should fail, all others of the same kinds, and some of the rest."""
    cases = conversions()
    slugs = {name.rpartition("/")[2] for name in matched(cases, globs)}
    return [case for number, case in enumerate(cases) if case.id.rpartition("/")[2] in slugs or number % 9 == 0]


@pytest.mark.parametrize("violation", VIOLATIONS)
async def test_a_violation_fails_its_cases_and_no_others(violation: str, tmp_path: Path) -> None:
    cases = selection(VIOLATIONS[violation])
    async with agent("node", violated(tmp_path, violation)) as client:
        found = failing(await verdicts(client, cases))
    expected = {name.removeprefix("socket/idl/") for name in matched(cases, VIOLATIONS[violation])}
    assert expected, "the globs match nothing"
    assert found == expected


async def test_the_polyfill_passes_every_case() -> None:
    async with agent("node") as client:
        assert failing(await verdicts(client, supported(chosen("javascript")))) == set()


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
    "nested members are read late",
    "earlier drafts are honoured",
)


async def test_every_case_fails_against_somebody(tmp_path: Path) -> None:
    """An implementation that takes everything, one that takes little, and so on: together they fail every case."""
    left = conversions()
    for violation in SOMEBODY:
        async with agent("node", violated(tmp_path, violation)) as client:
            found = await verdicts(client, left)
        left = [case for case in left if found[case.id] is None]
    assert {case.id.removeprefix("socket/idl/") for case in left} == CONTROLS
