"""Each kind of shape case fails against an implementation that is shaped otherwise, and only then."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from idl_verdicts import agent, chosen, failing, supported, verdicts, violated

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.testing.case import TestCase

STATS = "SocketStats/bytesSent"
JSON = "SocketStats/toJSON/default*"
READY = "Socket/ready"
ONREADY = "Socket/onready"
ITERATION = "SocketListener/async-iterator"

# Violation -> globs over the cases (without "shape/") that fail, and no other.
DEFINITIONS: dict[str, list[str]] = {
    "an interface is missing": [
        # What an endpoint holds is right all the same.
        *(f"SocketEndpoint/{kind}" for kind in ("exposed", "name", "length", "inheritance", "prototype")),
        *(f"SocketEndpoint/{kind}" for kind in ("constructor", "to-string-tag", "illegal-constructor")),
        *(f"SocketEndpoint/{kind}" for kind in ("*/descriptor", "*/*receivers")),
        *(f"SocketInfo/{end}/type-when-open" for end in ("remote", "local")),
    ],
    "an interface object is enumerable": ["SocketStats/exposed"],
    "an interface object has another name": ["SocketStats/name"],
    "the name of an interface object is writable": ["SocketStats/name"],
    "a constructor has another length": ["Socket/length"],
    "a prototype does not inherit": ["SocketErrorEvent/inheritance"],
    "the prototype property is writable": ["SocketStats/prototype"],
    "the constructor property is enumerable": ["SocketStats/constructor"],
    "the constructor property is another": ["SocketStats/constructor"],
    "the class string is missing": ["SocketStats/to-string-tag"],
    "the class string is writable": ["SocketStats/to-string-tag"],
    "anybody may construct": ["SocketStats/illegal-constructor"],
    "new may be left out": ["SocketErrorEvent/needs-new"],
    "required arguments have defaults": ["SocketErrorEvent/required-arguments"],
    "nobody may construct without arguments": ["SocketError/required-arguments"],
    "subclasses are ignored": ["SocketError/subclass"],
}
ATTRIBUTES: dict[str, list[str]] = {
    "an attribute is missing": ["SocketStats/packetsDropped/*", JSON],
    "an attribute is not enumerable": [f"{STATS}/descriptor"],
    "an attribute cannot be configured": [f"{STATS}/descriptor"],
    "an attribute is a data property": [
        f"Socket/quic/{kind}" for kind in ("descriptor", "getter-receivers", "readonly", "same-object")
    ],
    "a getter has another name": [f"{STATS}/descriptor"],
    "a getter is a constructor": [f"{STATS}/descriptor"],
    "an attribute is the instance's own": ["SocketErrorEvent/fatal/descriptor"],
    "a readonly attribute has a setter": [f"{STATS}/descriptor", f"{STATS}/readonly"],
    "a readonly attribute can be changed": ["SocketErrorEvent/fatal/descriptor", "SocketErrorEvent/fatal/readonly"],
    "a static attribute is on the prototype": ["Socket/supportedTypes/*"],
    "a getter takes any receiver": [f"{STATS}/getter-receivers"],
    "a getter takes heirs of the prototype": [f"{STATS}/getter-receivers"],
    "a getter throws another error": [f"{STATS}/getter-receivers"],
    "a getter of a promise throws": [f"{READY}/getter-receivers"],
    "a setter takes any receiver": [f"{ONREADY}/setter-receivers"],
    "a number is a string": [f"{STATS}/type*", JSON],
    "a number is a BigInt": [f"{STATS}/type*", JSON],
    "a number is negative": [f"{STATS}/type*", JSON],
    "null is undefined": ["SocketStats/packetsSent/type*", JSON],
    "a time is a Date": ["SocketStats/createdAt/type*", "SocketStats/createdAt/readonly", JSON],
    "an enumeration has another value": ["SocketInfo/type/type*", "SocketInfo/toJSON/default*"],
    "a promise is a thenable": [f"{READY}/{kind}" for kind in ("type", "same-object", "readonly", "getter-receivers")],
    "a promise is of a subclass": [f"{READY}/type", f"{READY}/same-object"],
    "a promise is new each time": [f"{READY}/same-object", f"{READY}/readonly"],
    "an object is new each time": [
        "Socket/stats/same-object",
        "Socket/stats/readonly",
        "SocketStats/*/*receivers",
        JSON,
    ],
    "an array is new each time": ["Socket/supportedTypes/same-object", "Socket/supportedTypes/readonly"],
    "an array is not frozen": ["Socket/supportedTypes/same-object", "Socket/supportedTypes/type"],
    "an array has strange elements": ["Socket/supportedTypes/same-object", "Socket/supportedTypes/type"],
    "a stream only looks like one": ["Socket/readable/type", "Socket/readable/same-object"],
}
OPERATIONS: dict[str, list[str]] = {
    "an operation is not enumerable": ["Socket/abort/descriptor"],
    "an operation is read-only": ["Socket/abort/descriptor"],
    "an operation has another length": ["Socket/abort/descriptor"],
    "an operation has another name": ["Socket/abort/descriptor"],
    "an operation is a constructor": ["SocketStats/toJSON/descriptor"],
    "an operation takes any receiver": ["Socket/abort/receivers"],
    "an operation throws instead of rejecting": ["Socket/update/receivers"],
    "missing arguments throw instead of rejecting": ["Socket/update/missing-arguments"],
    "missing arguments have defaults": ["Socket/update/missing-arguments"],
    "an operation returns a thenable": ["Socket/abort/receivers", "Socket/abort/returns-promise"],
    "an operation fulfils with something": ["Socket/abort/receivers", "Socket/abort/returns-promise"],
    "toJSON has another order": [JSON],
    "toJSON has another member": [JSON],
    "toJSON has other values": [JSON],
    "toJSON goes into depth": ["SocketInfo/toJSON/default-when-open"],
    "toJSON returns the same object": [JSON],
    "toJSON returns no plain object": [JSON],
    "toJSON returns a frozen object": [JSON],
    "nothing can be disposed of": ["Socket/async-dispose/*"],
    "disposal throws instead of rejecting": ["Socket/async-dispose/receivers"],
    "disposal returns nothing": ["Socket/async-dispose/receivers", "Socket/async-dispose/returns-promise"],
}
HANDLERS: dict[str, list[str]] = {
    "a handler is undefined at first": [
        f"{ONREADY}/{kind}"
        for kind in ("initially-null", "keeps-*", "is-called", "can-be-removed", "ignores-primitives", "type")
    ],
    "a handler is wrapped": [f"{ONREADY}/keeps-functions"],
    "a handler is never called": [f"{ONREADY}/is-called", f"{ONREADY}/keeps-its-turn"],
    "a handler gets no event": [f"{ONREADY}/is-called"],
    "a handler gets no receiver": [f"{ONREADY}/is-called"],
    "a handler gets more arguments": [f"{ONREADY}/is-called"],
    "a handler is called twice": [f"{ONREADY}/is-called", f"{ONREADY}/keeps-its-turn"],
    "a handler loses its turn": [f"{ONREADY}/keeps-its-turn"],
    "a handler stays": [f"{ONREADY}/can-be-removed"],
    "a handler may be a primitive": [f"{ONREADY}/ignores-primitives"],
    "a handler must be a function": [f"{ONREADY}/keeps-objects"],
    "a handler may be an object with handleEvent": [f"{ONREADY}/keeps-objects"],
}
ITERABLES: dict[str, list[str]] = {
    "values is missing": [f"{ITERATION}/{kind}" for kind in ("values", "descriptor", "iterator")],
    "values is another function": [f"{ITERATION}/descriptor"],
    "the iteration method is enumerable": [f"{ITERATION}/descriptor"],
    "values takes any receiver": [f"{ITERATION}/receivers", f"{ITERATION}/iterator"],
    "an iterator is a generator": [f"{ITERATION}/iterator"],
    "an iterator cannot be ended": [f"{ITERATION}/iterator"],
    "an iterator throws instead of rejecting": [f"{ITERATION}/iterator"],
}
WORKERS: dict[str, list[str]] = {
    "a worker has no handler": ["SocketWorkerGlobalScope/onconnect/*"],
    "the handler of a worker is not enumerable": ["SocketWorkerGlobalScope/onconnect/descriptor"],
}
# These export a name besides those of the interfaces.
EXPORTING: dict[str, tuple[str, list[str]]] = {
    "a dictionary is exported": ("SocketInit", ["SocketInit/no-interface-object"]),
    "an enumeration is exported": ("SocketType", ["SocketType/no-interface-object"]),
    "structuredClone throws": ("structuredClone", ["SocketError/serializable"]),
    "structuredClone keeps only the base": ("structuredClone", ["SocketError/serializable"]),
    "structuredClone forgets a member": ("structuredClone", ["SocketError/serializable"]),
}
VIOLATIONS = {
    **DEFINITIONS,
    **ATTRIBUTES,
    **OPERATIONS,
    **HANDLERS,
    **ITERABLES,
    **WORKERS,
    **{name: globs for name, (_, globs) in EXPORTING.items()},
}


def shapes(*globs: str) -> list[TestCase]:
    return chosen("javascript", *(f"shape/{glob}" for glob in globs))


def selection(violation: str) -> list[TestCase]:
    """Return the cases on the same interfaces as those that should fail, and some of the others."""
    interfaces = {glob.partition("/")[0] for glob in VIOLATIONS[violation]}
    near = shapes(*(f"{name}/*" for name in interfaces))
    if violation in ITERABLES or violation in WORKERS:  # what the polyfill itself does not have
        return near
    return supported([*near, *(case for case in shapes("*")[::9] if case not in near)])


def matched(cases: list[TestCase], globs: list[str]) -> set[str]:
    wanted = [f"socket/idl/shape/{glob}" for glob in globs]
    return {case.id for case in cases if any(fnmatchcase(case.id, glob) for glob in wanted)}


@pytest.mark.parametrize("violation", VIOLATIONS)
async def test_a_violation_fails_its_cases_and_no_others(violation: str, tmp_path: Path) -> None:
    cases = selection(violation)
    more = (EXPORTING[violation][0],) if violation in EXPORTING else ()
    async with agent("node", violated(tmp_path, violation, *more)) as client:
        found = failing(await verdicts(client, cases))
    expected = {name.removeprefix("socket/idl/") for name in matched(cases, VIOLATIONS[violation])}
    assert expected, "the globs match nothing"
    assert found == expected


async def test_an_interface_object_that_does_not_inherit_cannot_construct(tmp_path: Path) -> None:
    """Classes call their parent as the prototype of the interface object, so little else can be said then."""
    async with agent("node", violated(tmp_path, "an interface object does not inherit")) as client:
        found = failing(await verdicts(client, supported(shapes("SocketError/*"))))
    assert "shape/SocketError/inheritance" in found


@pytest.mark.parametrize(
    ("violation", "globs"),
    [
        ("a handler is right", ["Socket/*"]),
        ("a listener is right", ["SocketListener/*"]),
        ("a worker is right", ["SocketWorkerGlobalScope/*"]),
    ],
)
async def test_what_violations_change_is_right_before(violation: str, globs: list[str], tmp_path: Path) -> None:
    async with agent("node", violated(tmp_path, violation)) as client:
        assert failing(await verdicts(client, shapes(*globs))) == set()


async def test_a_listener_converts_its_dictionary(tmp_path: Path) -> None:
    cases = chosen("javascript", "conversion/SocketListener*")
    async with agent("node", violated(tmp_path, "a listener is right")) as client:
        assert failing(await verdicts(client, cases)) == set()
    assert len(cases) > 50


def kind(case: TestCase) -> str:
    """Return the kind of a case: the end of its id without the state, and whether it is on a member."""
    *place, last = case.id.removeprefix("socket/idl/shape/").split("/")
    return f"{'member' if len(place) > 1 else 'interface'}/{last.removesuffix('-when-open')}"


def test_every_kind_of_shape_is_failed_by_a_violation() -> None:
    every = [*shapes("*")]
    failed = {name for globs in VIOLATIONS.values() for name in matched(every, globs)}
    assert {kind(case) for case in every} == {kind(case) for case in every if case.id in failed}
