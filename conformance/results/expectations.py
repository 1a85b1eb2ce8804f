"""What a target is known to fail: ``runners/<name>/expectations.yaml``, and whether a result is what it says.

Everything that is not exactly as written down is unexpected: a pass, another verdict, another beginning of the
message, and, in a full run, a pattern that matches no test.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from conformance.errors import ConformanceError
from conformance.results.model import VERDICTS
from conformance.versions import VersionRange

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conformance.results.model import Verdict

_KEYS = ("test", "verdict", "message", "runtime", "platform", "reason", "link")
_OPTIONAL = ("message", "runtime", "platform")


class ExpectationsError(ConformanceError):
    """An expectations file cannot be read or says something that has no meaning."""

    code = "expectations"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One entry: tests by glob (``*`` matches slashes too), the verdict, how the message begins, why, and the bug."""

    test: str
    verdict: Verdict
    message: str
    """What the message must begin with; empty: anything."""
    reason: str
    link: str
    runtime: str = ""
    """The versions of the runtime that it speaks of, as `>=22, <24`; empty: all."""
    platform: str = ""
    """The platforms that it speaks of, a glob as `linux-*`; empty: all."""

    def concerns(self, version: str, platform: str) -> bool:
        """Return whether the entry speaks of this version of the runtime on this platform."""
        return (not self.runtime or version in VersionRange.parse(self.runtime)) and (
            not self.platform or fnmatchcase(platform, self.platform)
        )

    def to_json(self) -> dict[str, str]:
        """Return the entry as results carry it; what it does not restrict is left out."""
        return {key: value for key, value in asdict(self).items() if value or key not in {"runtime", "platform"}}


@dataclass(frozen=True, slots=True)
class Expectations:
    """The entries of one target, in the order of the file: the first that matches a test speaks for it."""

    entries: tuple[Expectation, ...] = ()

    def on(self, version: str, platform: str) -> Expectations:
        """Return those that speak of this version of the runtime on this platform, which the agent's hello names."""
        return Expectations(tuple(entry for entry in self.entries if entry.concerns(version, platform)))

    def of(self, test: str) -> Expectation | None:
        """Return the entry that speaks for `test`."""
        return next((entry for entry in self.entries if fnmatchcase(test, entry.test)), None)

    def expected(self, test: str, verdict: Verdict, message: str) -> bool:
        """Return whether this result is what the file says; without an entry: pass, or unsupported."""
        entry = self.of(test)
        if entry is None:
            return verdict in {"pass", "unsupported"}
        return verdict == entry.verdict and message.startswith(entry.message)

    def stale(self, tests: Iterable[str]) -> list[str]:
        """Return the patterns that speak for none of `tests`."""
        speaking = {self.of(test) for test in tests}
        return [entry.test for entry in self.entries if entry not in speaking]


def load(path: Path) -> Expectations:
    """Read an expectations file; a missing one expects every test to pass.

    Raises ExpectationsError with file and line.
    """
    import yaml  # noqa: PLC0415 (most runs have no expectations to read)

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Expectations()
    except (OSError, UnicodeDecodeError) as error:
        raise ExpectationsError(f"cannot read {path}: {error}", remedy="make it a readable UTF-8 file") from None
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return Expectations()
        if not isinstance(root, yaml.SequenceNode):
            raise _error("the file is not a list of entries", path, root)
        return Expectations(tuple(_entry(loader.construct_object(node, deep=True), path, node) for node in root.value))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ExpectationsError(
            f"this is not YAML: {error.problem}", remedy="mend the line", place=f"{path}:{line}"
        ) from None
    finally:
        loader.dispose()


def _entry(value: Any, path: Path, node: Any) -> Expectation:
    if not isinstance(value, dict):
        raise _error("an entry is a mapping", path, node)
    unknown = sorted(str(key) for key in value.keys() - set(_KEYS))
    if unknown:
        raise _error(f"an entry has no {', '.join(unknown)}", path, node)
    for key in ("test", "verdict", "reason", "link"):
        if not isinstance(value.get(key), str) or not value[key]:
            raise _error(f"an entry needs a {key}", path, node)
    if value["verdict"] not in VERDICTS:
        raise _error(f"{value['verdict']} is no verdict; {', '.join(VERDICTS)} are", path, node)
    for key in _OPTIONAL:
        if not isinstance(value.get(key, ""), str):
            raise _error(f"the {key} is a string", path, node)
    try:
        VersionRange.parse(value.get("runtime", ">=0"))
    except ValueError as error:
        raise _error(f"the runtime {error}", path, node) from None
    return Expectation(**value | {"message": value.get("message", "")})


def _error(what: str, path: Path, node: Any) -> ExpectationsError:
    return ExpectationsError(
        what,
        remedy=f"write a list of entries with {', '.join(_KEYS)} ({', '.join(_OPTIONAL)} may be left out)",
        place=f"{path}:{node.start_mark.line + 1}",
    )
