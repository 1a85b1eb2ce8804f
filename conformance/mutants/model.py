"""Mutants as their files describe them: `tests/mutants/<topic>.yaml`, checked by spec/schema/mutants.schema.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from conformance import resources
from conformance.mutants.errors import NeedsCheckoutError
from conformance.spec import document
from conformance.spec.problems import DUPLICATE, MISSING_FILE, STALE, UNKNOWN_NAME, Problem, display, raise_for
from conformance.spec.schema import check_document
from conformance.spec.suggest import known_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from conformance.spec import Requirement, Spec
    from conformance.spec.document import Document

SOURCES = {"node": ("javascript", "src"), "reference": ("python", "commonsocket")}
"""Where in the folder of the implementations the sources of each target lie."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file of one implementation, and the requirement that it violates."""

    id: str
    requirement: str
    target: Literal["node", "reference"]
    file: str
    """Relative to the sources of the implementation."""
    find: str
    """What stands in the file exactly once."""
    replace: str
    equivalent: str | None = None
    """Why no test can tell it from the original."""
    tests: str | None = None
    """A glob over the tests to run; None are those that name the requirement."""
    place: str = ""
    """Where it is described: file and line."""

    @property
    def topic(self) -> str:
        """The first part of its requirement."""
        return self.requirement.partition("/")[0]


def data() -> Path:
    """Return the folder of the mutants. Raises NeedsCheckoutError in an installed wheel."""
    checkout = resources.checkout()
    if checkout is None:
        raise NeedsCheckoutError
    return checkout / "tests" / "mutants"


def sources(target: str) -> Path:
    """Return the folder that the files of a target's mutants are relative to."""
    return resources.polyfill().joinpath(*SOURCES[target])


def load(spec: Spec, folder: Path | None = None) -> list[Mutant]:
    """Return all mutants, by topic and place in the file.

    Raises NeedsCheckoutError, and a SpecError that carries every problem of the files.
    """
    place = folder or data()
    files = sorted(place.glob("*.yaml"))
    if not files:
        raise_for(
            [Problem(display(place), 0, 0, MISSING_FILE, "holds no mutants", "restore the folder from version control")]
        )
    mutants: list[Mutant] = []
    problems: list[Problem] = []
    first: dict[str, str] = {}
    for file in files:
        read = document.read(file)
        found = list(check_document(read, spec.folder / "schema" / "mutants.schema.json"))
        if not found:
            found = list(_check(read, file.stem, spec, first))
            mutants += (
                Mutant(**entry, place=f"{read.file}:{read.place(('mutants', index))[0]}")
                for index, entry in enumerate(read.value["mutants"])
            )
        problems += found
    raise_for(problems)
    return mutants


def _check(read: Document, stem: str, spec: Spec, first: dict[str, str]) -> Iterator[Problem]:
    topic = read.value["topic"]
    if topic != stem:
        message = f"the topic `{topic}` is not the name of the file"
        yield read.problem(("topic",), UNKNOWN_NAME, message, f"write `topic: {stem}`")
    own = [name for name in spec.requirements if name.startswith(f"{topic}/")]
    for index, entry in enumerate(read.value["mutants"]):
        where = ("mutants", index)
        name, requirement = entry["id"], entry["requirement"]
        if name in first:
            message = f"the mutant `{name}` is described twice, before at {first[name]}"
            yield read.problem((*where, "id"), DUPLICATE, message, "give each its own id")
        first.setdefault(name, f"{read.file}:{read.place(where)[0]}")
        if requirement not in own:
            message = f"`{name}`: the topic `{topic}` has no requirement `{requirement}`"
            remedy = known_names(requirement, own, "requirement to spec/socket/requirements.yaml")
            yield read.problem((*where, "requirement"), UNKNOWN_NAME, message, remedy)
        if entry["find"] == entry["replace"]:
            message = f"`{name}` changes nothing"
            yield read.problem((*where, "replace"), UNKNOWN_NAME, message, "write what violates the requirement")


def without(spec: Spec, mutants: Collection[Mutant]) -> list[Requirement]:
    """Return the testable requirements that no mutant violates."""
    have = {mutant.requirement for mutant in mutants}
    return [each for each in spec.requirements.values() if each.untestable is None and each.id not in have]


def stale(mutant: Mutant, folder: Path) -> Problem | None:
    """Return what is wrong with a mutant whose change cannot be made in the sources in `folder`, or None."""
    file, _, line = mutant.place.rpartition(":")
    path = folder / mutant.file
    times = path.read_text(encoding="utf-8").count(mutant.find) if path.is_file() else None
    if times == 1:
        return None
    message = (
        f"`{mutant.id}`: there is no file {display(path)}"
        if times is None
        else f"`{mutant.id}`: its text stands {times} times in {display(path)}"
    )
    remedy = "write `find` anew, so that it stands in the file exactly once"
    return Problem(file, int(line or 0), 0, STALE, message, remedy)
