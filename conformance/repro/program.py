"""Prints one test, recorded once with one target, as a program."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance.peers.certificates import authority_file
from conformance.repro import library
from conformance.repro.capture import capture
from conformance.repro.errors import NotForThisTargetError, UnprintableError
from conformance.repro.happenings import take_apart
from conformance.repro.javascript import JavaScript
from conformance.repro.python import Python
from conformance.repro.story import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.agent.manifest import Manifest
    from conformance.engine.outcome import Settings
    from conformance.repro.capture import Capture
    from conformance.spec import Spec
    from conformance.testing.case import TestCase

_WRITERS: Final = {"javascript": JavaScript, "python": Python}
_WIDTH: Final = 100
_UNPLAYED: Final = frozenset({"tls", "starttls", "quic"})
"""Features of peers whose connections a program cannot play."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for."""

    target: str
    """As it was named on the command line."""
    implementation: str | None = None
    source: str | None = None
    """Where the program is to import the implementation from; None: from where the target has it."""
    file: str | None = None
    """The name of the file that the program goes to."""


async def reproduce(case: TestCase, manifest: Manifest, spec: Spec, settings: Settings, wish: Wish) -> str:
    """Record the test and return the program.

    Raises NotForThisTargetError, UnprintableError and the errors of a target that cannot be used.
    """
    if manifest.language not in _WRITERS:
        raise NotForThisTargetError(case.id, manifest.name, f"programs are printed in {' and '.join(_WRITERS)} only")
    if not case.has_meaning_in(manifest.language):
        raise NotForThisTargetError(case.id, manifest.name, f"it has no meaning in {manifest.language}")
    launch = manifest.launch(wish.implementation, authority=authority_file)
    recorded = await capture(case, launch, manifest.features, settings)
    return printed(recorded, spec, settings, wish, launch.implementation)


def printed(recorded: Capture, spec: Spec, settings: Settings, wish: Wish, implementation: str | None) -> str:
    """Return the program of a test that was recorded with `implementation`.

    Raises UnprintableError where the test needs a peer that no program can play yet.
    """
    spoken = recorded.case.features & _UNPLAYED
    if spoken and any(entry.kind == "deed" for entry in recorded.entries):
        raise UnprintableError(f"a peer of {min(spoken)}")
    language = recorded.hello.language
    writer = _WRITERS[language](spec.idl.interfaces)
    program = tell(take_apart(recorded.entries), writer.dialect, [*library.parts(language), *spec.idl.interfaces])
    file = wish.file or f"repro.{writer.suffix}"
    source = wish.source if wish.source is not None else writer.source(implementation)
    head = [
        *_head(recorded, spec, settings, wish),
        "",
        f"Run it: {writer.command} {file}",
        f'It prints what it sees, and below it a line "{writer.comment} seen:" where something else was seen when this',
        "was recorded.",
    ]
    return writer.write(program, head, source)


def _head(recorded: Capture, spec: Spec, settings: Settings, wish: Wish) -> Iterator[str]:
    """Yield the first words of the program."""
    case, hello = recorded.case, recorded.hello
    yield f"The test {case.id} of Common Socket, as a program of its own:"
    yield from _wrapped(case.title, "  ")
    yield ""
    yield "What is required:"
    for name in case.requirements:
        requirement = spec.requirements[name]
        yield from _wrapped(f"{name} ({requirement.level}): {requirement.text}", "  ")
    yield ""
    runtime, implementation = hello.runtime, hello.implementation
    yield (
        f"Recorded with the target {wish.target}: {runtime['name']} {runtime['version']}, "
        f"{implementation['name']} {implementation['version']}, {hello.platform}, seed {settings.seed}."
    )
    yield from _wrapped(f"The verdict was {recorded.verdict}{f': {recorded.message}' if recorded.message else '.'}", "")


def _wrapped(words: str, indent: str) -> list[str]:
    return textwrap.wrap(words, _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False)
