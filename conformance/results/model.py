"""The shape of results: a header, one record per test, a footer; `spec/schema/results.schema.json` says the same."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

SCHEMA_VERSION = 1

Verdict = Literal["pass", "fail", "timeout", "crash", "unsupported", "blocked"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""pass; fail: a check or invariant does not hold; timeout: over its limit; crash: the agent ended or broke the
protocol; unsupported: the target does not claim a feature; blocked: a test it depends on did not pass."""


@dataclass(frozen=True, slots=True)
class Header:
    """What was run, on what, by which specification."""

    target: str
    language: str
    spec: dict[str, str]
    """`version` and `hash`."""
    runtime: dict[str, str]
    """`name` and `version`."""
    implementation: dict[str, str]
    """`name` and `version`; `file` where the user gave their own."""
    features: list[str]
    """Claimed by the target."""
    seed: str
    platform: str
    started: str
    """ISO 8601, UTC."""
    selection: dict[str, Any]
    """The filters of the command; empty for a full run."""
    targets: list[str] = field(default_factory=list)
    """All targets of the command in its order: they ran side by side."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A target of the command that could not be run."""

    target: str
    code: str
    """The code of the error: `runtime-not-found`, `runtime-too-old`, `agent-lacks`, `agent-start` …"""
    message: str
    remedy: str
    expected: bool = False
    """Whether it was left out because something is not installed and nobody asked for it by name."""
    log: str = ""
    """The file with what its agent wrote to stderr, if it wrote anything."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of what a test did."""

    at_ms: float
    kind: Literal["step", "call", "answer"]
    """step: the test's own words; call and answer: messages to and from the agent, kept where the test did not pass."""
    text: str


@dataclass(frozen=True, slots=True)
class Wire:
    """One thing that a network peer saw or did."""

    at_ms: float
    peer: int
    """Which peer of the test, counted from 1."""
    connection: int
    """Which connection of the peer, counted from 1."""
    direction: Literal["from-target", "to-target"]
    kind: str
    """connect, data, fin, reset …"""
    size: int
    data: str
    """The beginning of the bytes, base64."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """One run of one test."""

    __test__ = False

    test: str
    target: str
    verdict: Verdict
    expected: bool
    """Whether the verdict (and the beginning of the message) is what the target's expectations say."""
    duration_ms: float
    message: str
    """Why it did not pass; empty for a pass."""
    requirements: list[str]
    features: list[str]
    title: str
    source: str
    """idl, lifecycle or behaviour."""
    rerun: str
    """The command that runs just this test again."""
    origin: str = ""
    waiting_ms: float = 0.0
    attempts: int = 1
    repetition: int = 1
    """Counts from 1 with --repeat."""
    steps: list[Step] = field(default_factory=list)
    wire: list[Wire] = field(default_factory=list)
    expectation: dict[str, str] | None = None
    """The entry of the expectations file that speaks of this test: test, verdict, message, reason, link."""


@dataclass(frozen=True, slots=True)
class Footer:
    """The sums of a run that came to its end, or was interrupted by its user."""

    target: str
    totals: dict[str, int]
    """Number of tests by verdict, every verdict present."""
    unexpected: int
    stale_expectations: list[str]
    """Patterns of the expectations file that matched no test of a full run."""
    wall_ms: float
    waiting_ms: float
    """Sum over all tests of the time in which they waited for a promise, an event or a peer."""
    cpu_ms: float
    """Of the harness, the agents and their children; with targets side by side, of all of them while this one ran."""
    interrupted: bool


@dataclass(slots=True)
class Run:
    """Everything known about one target in one results file."""

    header: Header
    tests: list[TestResult] = field(default_factory=list)
    footer: Footer | None = None
    """None: the run was cut off."""
    path: str = ""

    @property
    def complete(self) -> bool:
        """Whether the run came to its end by itself."""
        return self.footer is not None and not self.footer.interrupted


@dataclass(slots=True)
class Results:
    """Everything known of one command, or of several results files."""

    runs: list[Run] = field(default_factory=list)
    absent: list[Absence] = field(default_factory=list)


Record = Header | TestResult | Footer | Absence

_TYPES: dict[type, str] = {Header: "run", TestResult: "test", Footer: "end", Absence: "absent"}
_NAMES = {kind: [each.name for each in fields(kind)] for kind in (*_TYPES, Step, Wire)}


def to_json(record: Record) -> dict[str, Any]:
    """Return the JSON object of one line."""
    extra = {"schema": SCHEMA_VERSION} if isinstance(record, Header) else {}
    line = {"type": _TYPES[type(record)], **extra, **_members(record)}
    if isinstance(record, TestResult):
        line["steps"] = [_members(step) for step in record.steps]
        line["wire"] = [_members(event) for event in record.wire]
    return line


def _members(record: Record | Step | Wire) -> dict[str, Any]:
    # Not `asdict`: it copies every value deeply, for a line that is written and forgotten.
    return {name: getattr(record, name) for name in _NAMES[type(record)]}


def from_json(line: dict[str, Any]) -> Record:
    """Return the record of one line.

    Raises KeyError or TypeError where the line has not the shape of schema version 1.
    """
    values = {key: value for key, value in line.items() if key not in {"type", "schema"}}
    match line["type"]:
        case "run":
            return Header(**values)
        case "end":
            return Footer(**values)
        case "absent":
            return Absence(**values)
        case "test":
            values["steps"] = [Step(**step) for step in values.get("steps", ())]
            values["wire"] = [Wire(**event) for event in values.get("wire", ())]
            if values["verdict"] not in VERDICTS:
                raise TypeError(f"no such verdict: {values['verdict']!r}")
            return TestResult(**values)
        case other:
            raise TypeError(f"no such type of line: {other!r}")


def totals(tests: list[TestResult]) -> dict[str, int]:
    """Count `tests` by verdict; every verdict is present."""
    counts = dict.fromkeys(VERDICTS, 0)
    for test in tests:
        counts[test.verdict] += 1
    return {str(verdict): count for verdict, count in counts.items()}
