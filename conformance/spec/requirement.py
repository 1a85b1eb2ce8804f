"""`requirements.yaml`: the normative sentences of an API and the features they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from conformance.spec.problems import DUPLICATE, UNKNOWN_NAME, Problem
from conformance.spec.suggest import known_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from conformance.spec.document import Document

Level = Literal["MUST", "SHOULD", "MAY"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One normative sentence. `features` are all needed to test it; `untestable` says why nothing can."""

    id: str
    level: Level
    text: str
    members: tuple[str, ...]
    features: tuple[str, ...]
    source: tuple[str, ...]
    untestable: str | None
    line: int

    @property
    def topic(self) -> str:
        """Return the part of the id before the slash."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Requirements:
    """All of them by id, in the order of the file, with the closed lists they name, each entry with its meaning.

    `excluded` is what the API leaves out on purpose; a source is a decision in one sentence or a standard's address.
    """

    features: Mapping[str, str]
    excluded: Mapping[str, str]
    sources: Mapping[str, str]
    by_id: Mapping[str, Requirement]


def build(document: Document) -> Requirements:
    """Return the requirements of a document that its schema accepts."""
    built = (
        _requirement(each, document.place(("requirements", index))[0])
        for index, each in enumerate(document.value["requirements"])
    )
    value = document.value
    return Requirements(value["features"], value["excluded"], value["sources"], {each.id: each for each in built})


def _requirement(each: Mapping[str, Any], line: int) -> Requirement:
    source = each["source"]
    return Requirement(
        id=each["id"],
        level=each["level"],
        text=" ".join(each["text"].split()),
        members=tuple(each["members"]),
        features=tuple(each["features"]),
        source=(source,) if isinstance(source, str) else tuple(source),
        untestable=each.get("untestable"),
        line=line,
    )


def source_key(source: str, sources: Collection[str]) -> str | None:
    """Return the key of `sources` that a source names: all of it, or its beginning with a section behind it."""
    candidates = (key for key in sources if source == key or source.startswith(f"{key} "))
    return max(candidates, key=len, default=None)


def check(document: Document, members: Collection[str]) -> Iterator[Problem]:
    """Yield what the schema cannot see: ids that stand twice, members, features and sources that do not exist."""
    value = document.value
    lines: dict[str, int] = {}
    for index, each in enumerate(value["requirements"]):
        where = ("requirements", index)
        name = each["id"]
        if name in lines:
            message = f"the id `{name}` stands twice (the other: line {lines[name]})"
            yield document.problem((*where, "id"), DUPLICATE, message, "rename or remove one of them")
        lines.setdefault(name, document.place((*where, "id"))[0])
        for position, member in enumerate(each["members"]):
            if member not in members:
                remedy = known_names(member, members, "member to the Web IDL")
                message = f"`{member}`, of requirement {name}, is not in the Web IDL"
                yield document.problem((*where, "members", position), UNKNOWN_NAME, message, remedy)
        for position, feature in enumerate(each["features"]):
            if feature not in value["features"]:
                remedy = known_names(feature, value["features"], "feature to `features`")
                message = f"`{feature}`, of requirement {name}, is no feature"
                yield document.problem((*where, "features", position), UNKNOWN_NAME, message, remedy)
        named = each["source"]
        for position, source in enumerate([named] if isinstance(named, str) else named):
            if source_key(source, value["sources"]) is None:
                remedy = known_names(source, value["sources"], "source to `sources`")
                message = f"`{source}`, of requirement {name}, is no source"
                place = (*where, "source") if isinstance(named, str) else (*where, "source", position)
                yield document.problem(place, UNKNOWN_NAME, message, remedy)
