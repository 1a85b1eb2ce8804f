"""Targets: reads `runner.toml`, finds the runtime and makes the command that starts the agent."""

from __future__ import annotations

import asyncio
import difflib
import re
import shutil
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from conformance import resources
from conformance.agent.errors import (
    BrokenManifest,
    ImplementationRefused,
    NoManifest,
    RuntimeNotFound,
    RuntimeTooOld,
    UnknownTarget,
)
from conformance.versions import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conformance.agent.log import AgentLog

FILE: Final = "runner.toml"
EXPECTATIONS: Final = "expectations.yaml"
Language = Literal["javascript", "python", "other"]

# Table -> key -> (type, required). spec/schema/runner.schema.json says the same; a test keeps them equal.
SHAPE: Final[dict[str, dict[str, tuple[type, bool]]]] = {
    "": {
        "name": (str, True),
        "homepage": (str, False),
        "language": (str, True),
        "command": (list, True),
        "features": (list, True),
        "runtime": (dict, False),
        "extends": (str, False),
        "implementation": (dict, False),
        "environment": (dict, False),
        "limits": (dict, False),
    },
    "runtime": {"find": (list, True), "version": (list, False), "minimum": (str, False), "install": (str, True)},
    "implementation": {"default": (str, False), "option": (bool, False)},
    "limits": {"start": (float, False), "jobs": (int, False)},
}
LANGUAGES: Final = get_args(Language)
PLACEHOLDERS: Final = ("runtime", "python", "modules", "runners", "folder", "polyfill", "implementation", "authority")
_WORDS: Final = {
    str: "a string",
    list: "a list of strings",
    dict: "a table",
    bool: "true or false",
    float: "a number",
    int: "a whole number from 1",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A target as its runner.toml describes it."""

    file: Path
    name: str
    language: Language
    command: tuple[str, ...]
    features: frozenset[str]
    homepage: str = ""
    find: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    minimum: str | None = None
    install: str = ""
    implementation: str | None = None
    takes_implementation: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    start_limit: float = 10.0
    jobs: int | None = None
    base: Path | None = None
    """The manifest that this one extends."""

    @property
    def folder(self) -> Path:
        """The folder of the target."""
        return self.file.parent

    @property
    def expectations(self) -> Path:
        """The file of the failures that are known: its own or, where it has none, that of what it extends."""
        own = self.folder / EXPECTATIONS
        return own if self.base is None or own.exists() else self.base.parent / EXPECTATIONS

    def launch(self, implementation: str | None = None, *, authority: Callable[[], Path] | None = None) -> Launch:
        """Return the command that starts the agent, with the runtime found on this machine.

        `implementation` is the file to test instead of the manifest's own; `global` is what the runtime has built in.
        `authority` gives the file of the certificate that the target is to trust, and is called where the command asks
        for it.
        Raises RuntimeNotFound, ImplementationRefused or BrokenManifest (an unknown placeholder).
        """
        # A command that was taken over means the folder that it stands in.
        folder = self.folder if self.base is None else self.base.parent
        places = {
            "python": sys.executable,
            "modules": str(resources.modules()),
            "runners": str(resources.runners()),
            "folder": str(folder),
            "polyfill": str(resources.polyfill()),
            "authority": str(authority()) if authority is not None and self._mentions("authority") else "",
        }
        if self.find:
            places["runtime"] = self._runtime(places)
        chosen = self._implementation(implementation, places)
        if chosen is not None:
            places["implementation"] = chosen
        return Launch(
            self.name,
            tuple(self._fill(word, places) for word in self.command),
            folder,
            self.start_limit,
            tuple(self._fill(word, places) for word in self.version),
            self.minimum,
            self.install,
            chosen,
            {name: self._fill(value, places) for name, value in self.environment.items()},
            self.jobs,
            places.get("runtime"),
        )

    def _mentions(self, placeholder: str) -> bool:
        return any(f"{{{placeholder}}}" in word for word in (*self.command, *self.environment.values()))

    def _runtime(self, places: dict[str, str]) -> str:
        names = [self._fill(name, places) for name in self.find]
        for name in names:
            found = shutil.which(name)
            if found is not None:
                return found
        raise RuntimeNotFound(self.name, names, self.install)

    def _implementation(self, given: str | None, places: dict[str, str]) -> str | None:
        if given is None:
            return None if self.implementation is None else self._fill(self.implementation, places)
        if not self.takes_implementation:
            raise ImplementationRefused(
                f"the target {self.name!r} takes no --implementation",
                remedy="leave it out, or choose a target whose manifest has `option = true` in [implementation]",
            )
        if given == "global":
            return given
        if not Path(given).is_file():
            raise ImplementationRefused(
                f"there is no implementation {given!r}", remedy="give the path of a module that exports Socket"
            )
        return str(Path(given).resolve())

    def _fill(self, word: str, places: dict[str, str]) -> str:
        def place(match: re.Match[str]) -> str:
            if match[1] not in places:
                raise BrokenManifest(
                    self.file,
                    f"the placeholder {match[0]} in {word!r} has no value",
                    remedy=f"placeholders: {', '.join('{' + name + '}' for name in PLACEHOLDERS)}; {{runtime}} needs "
                    "[runtime] find, {implementation} needs [implementation] default",
                )
            return places[match[1]]

        return re.sub(r"\{(\w+)\}", place, word)


@dataclass(frozen=True, slots=True)
class Launch:
    """What it takes to start the agent of a target on this machine."""

    target: str
    command: tuple[str, ...]
    folder: Path
    start_limit: float = 10.0
    version_command: tuple[str, ...] = field(default=())
    minimum: str | None = None
    install: str = ""
    implementation: str | None = None
    """The file that is tested, or `global`; None where the manifest knows of none."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the agent gets besides those of the harness."""
    jobs: int | None = None
    """How many tests the target can take at once, where that is few."""
    runtime: str | None = None
    """The program that was found for the manifest's [runtime]."""
    log: AgentLog | None = field(default=None, compare=False)
    """Where stderr of the agent is kept."""

    def check_version(self, found: str) -> None:
        """Raise RuntimeTooOld when the runtime's version is below the manifest's minimum."""
        if self.minimum is not None and numbers(found) < numbers(self.minimum):
            raise RuntimeTooOld(self.target, found, self.minimum, self.install)

    async def runtime_version(self) -> str | None:
        """Return what the manifest's version command prints, or None when there is none or it fails."""
        if not self.version_command:
            return None
        try:
            process = await asyncio.create_subprocess_exec(
                *self.version_command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError:
            return None
        printed, _ = await process.communicate()
        # workerd is named by a date.
        found = re.search(r"\d+([.-]\d+)*", printed.decode(errors="replace"))
        return None if process.returncode or found is None else found[0].replace("-", ".")


def known_targets() -> list[str]:
    """Return the names of the targets that come with the project."""
    return sorted(file.parent.name for file in resources.runners().glob(f"*/{FILE}"))


def find_target(name: str) -> Manifest:
    """Return the manifest of a known target, or of a folder when `name` has a slash or is `.`.

    Raises UnknownTarget, NoManifest or BrokenManifest.
    """
    if "/" in name or "\\" in name or name in {".", ".."}:
        folder = Path(name).resolve()
        if not (folder / FILE).is_file():
            raise NoManifest(Path(name))
        return read_manifest(folder / FILE)
    file = resources.runners() / name / FILE
    if not file.is_file():
        raise UnknownTarget(name, known_targets())
    return read_manifest(file)


def read_manifest(file: Path) -> Manifest:
    """Read and check one runner.toml; raises BrokenManifest with the place and the remedy."""
    data = _load(file)
    base = None
    if "extends" in data:
        base = (file.parent / data["extends"] / FILE).resolve()
        data = _merged(_load(base), data)
        if "extends" in data:
            raise BrokenManifest(
                file, f"what it extends, {base}, extends another manifest", remedy="extend that one itself"
            )
    _check_complete(file, data)
    runtime, implementation, limits = (data.get(table, {}) for table in ("runtime", "implementation", "limits"))
    return Manifest(
        file=file,
        name=data["name"],
        language=cast("Language", data["language"]),
        command=tuple(data["command"]),
        features=frozenset(data["features"]),
        homepage=data.get("homepage", ""),
        find=tuple(runtime.get("find", ())),
        version=tuple(runtime.get("version", ())),
        minimum=runtime.get("minimum"),
        install=runtime.get("install", ""),
        implementation=implementation.get("default"),
        takes_implementation=implementation.get("option", False),
        environment=data.get("environment", {}),
        start_limit=float(limits.get("start", 10.0)),
        jobs=limits.get("jobs"),
        base=base,
    )


def _load(file: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BrokenManifest(file, f"it is not TOML: {error}", remedy="correct the line that is named") from None
    except OSError as error:
        raise BrokenManifest(file, f"it cannot be read: {error.strerror}", remedy="make it readable") from None
    _check_keys(file, data)
    return data


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with what `own` says in its place, key by key of each table."""
    tables = {name: base.get(name, {}) | part for name, part in own.items() if isinstance(part, dict)}
    return base | {name: value for name, value in own.items() if name != "extends"} | tables


def _tables(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, tuple[type, bool]]]]:
    """Yield what is there of the manifest: how messages call it, its values and the keys it may have."""
    yield "the manifest", data, SHAPE[""]
    for table, keys in SHAPE.items():
        if table and table in data:
            yield f"[{table}]", data[table], keys


def _check_keys(file: Path, data: dict[str, Any]) -> None:
    """Check all that is there: names of keys, and types of values."""
    for where, part, keys in _tables(data):
        for key, value in part.items():
            if key not in keys:
                close = difflib.get_close_matches(key, keys, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(keys)}"
                raise BrokenManifest(file, f"{where} has an unknown key {key!r}", remedy=hint)
            kind = keys[key][0]
            if not _is_a(value, kind):
                raise BrokenManifest(
                    file, f"{key!r} in {where} is not {_WORDS[kind]}", remedy=f"make {key!r} {_WORDS[kind]}"
                )
    for name, value in data.get("environment", {}).items():
        if not isinstance(value, str):
            raise BrokenManifest(file, f"{name!r} in [environment] is not a string", remedy="write it in quotes")


def _check_complete(file: Path, data: dict[str, Any]) -> None:
    """Check that nothing is missing that is needed."""
    for where, part, keys in _tables(data):
        for key, (kind, required) in keys.items():
            if required and key not in part:
                raise BrokenManifest(file, f"{where} has no {key!r}", remedy=f"add {key!r}, {_WORDS[kind]}")
    if not data["command"]:
        raise BrokenManifest(file, "'command' is empty", remedy="give the program and its arguments")
    if data["language"] not in LANGUAGES:
        raise BrokenManifest(
            file, f"the language {data['language']!r} is unknown", remedy=f"one of: {', '.join(LANGUAGES)}"
        )


def _is_a(value: Any, kind: type) -> bool:
    if kind in {float, int}:
        return isinstance(value, (int, kind)) and not isinstance(value, bool) and value > 0
    if kind is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, kind)
