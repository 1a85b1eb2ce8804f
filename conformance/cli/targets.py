"""The targets that a command is to run: by name, by folder, or all that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.manifest import Manifest

ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One target of a command."""

    argument: str
    """What names it on a command line."""
    manifest: Manifest
    optional: bool
    """Whether it may be left out where its runtime is missing: it was not asked for by name."""


def choose(arguments: Sequence[str], *, implementation: str | None = None, need_all: bool = False) -> list[Chosen]:
    """Return the targets that the arguments of `--target` mean, in their order, each once.

    `all` are those that come with the project; with an `implementation`, those that can be given one.

    Raises UnknownTarget, NoManifest, BrokenManifest, or UsageError for two targets with one name.
    """
    from conformance.agent.manifest import find_target, known_targets

    chosen: dict[str, Chosen] = {}
    for argument in dict.fromkeys(arguments):
        if argument != ALL:
            chosen[argument] = Chosen(argument, find_target(argument), optional=False)
    if ALL in arguments:
        for name in known_targets():
            manifest = find_target(name)
            if implementation is None or manifest.takes_implementation:
                chosen.setdefault(name, Chosen(name, manifest, optional=not need_all))
    names = [each.manifest.name for each in chosen.values()]
    if len(set(names)) != len(names):
        raise UsageError(
            f"two targets have the same name: {', '.join(names)}", remedy="give each its own name in its runner.toml"
        )
    return list(chosen.values())
