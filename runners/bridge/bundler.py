"""One script of everything that an agent needs, for where there are no files.

It is made by esbuild: https://esbuild.github.io/api/

A bundle is kept in the user's cache under what it was made of, so that a target starts in no time: it is made anew when
any file that went into it has changed, or esbuild, or what was asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import LaunchFailed, NotInstalled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RUNNERS: Final = Path(__file__).resolve().parents[1]
_HOUSE: Final = _RUNNERS.parent

_KEPT: Final = 30 * 24 * 3600.0  # seconds that a bundle is kept without being used

GLOBAL: Final = "global"
"""The implementation that the runtime itself has."""

UNDER_TEST: Final = "under-test"
"""What an entry imports to get at the implementation; runners/agent/under-test.d.ts says what is in it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be bundled, and how."""

    entry: Path
    """The shell around the agent: a script that imports UNDER_TEST."""
    implementation: str
    """A module that exports Socket, or GLOBAL."""
    conditions: tuple[str, ...]
    """Those by which packages choose what they export, beside `import` and `module`."""
    options: tuple[str, ...] = ()
    """Further options of esbuild, such as `--external:node:*`."""
    host: str = "worker.js"
    """The file beside the implementation that is its host of socket workers, if it is there."""


def bundle(order: Order) -> Path:
    """Return the file of the bundle, making it where it is missing or old.

    Raises LaunchFailed where esbuild is missing or cannot make it.
    """
    esbuild = _esbuild(order)
    state = esbuild.stat()
    described = _under_test(order)
    key = hashlib.sha256(f"{order} {esbuild} {state.st_mtime_ns} {described}".encode()).hexdigest()[:32]
    folder = _cache()
    stamp, script = folder / f"{key}.json", folder / f"{key}.js"
    if _is_fresh(stamp) and script.exists():
        os.utime(script, ns=(time.time_ns(), script.stat().st_mtime_ns))
        return script
    _forget_old(folder)
    with tempfile.TemporaryDirectory(dir=folder) as workshop:
        made, inputs = _make(esbuild, order, described, Path(workshop))
        made.replace(script)
        written = Path(workshop, "stamp.json")
        written.write_text(json.dumps({str(file): _content(file) for file in inputs}), encoding="utf-8")
        written.replace(stamp)
    return script


def _make(esbuild: Path, order: Order, described: str, workshop: Path) -> tuple[Path, set[Path]]:
    """Return the bundle, in the workshop, and the files that it was made of."""
    under_test = workshop / "under-test.js"
    under_test.write_text(described, encoding="utf-8")
    script, metafile = workshop / "bundle.js", workshop / "inputs.json"
    done = subprocess.run(  # noqa: S603 (the project's own tool, with words of our own)
        [
            str(esbuild),
            str(order.entry),
            "--bundle",
            f"--outfile={script}",
            f"--metafile={metafile}",
            f"--alias:{UNDER_TEST}={under_test}",
            f"--conditions={','.join((*order.conditions, 'module'))}",
            "--charset=utf8",
            "--log-level=warning",
            *order.options,
        ],
        cwd=order.entry.parent,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        check=False,
    )
    if done.returncode != 0:
        raise LaunchFailed(
            f"{order.implementation} could not be bundled", remedy="esbuild says above which file and line it is about"
        )
    named = json.loads(metafile.read_text(encoding="utf-8"))["inputs"]
    files = {Path(order.entry.parent, name).resolve() for name in named}
    return script, {file for file in files if file.is_file() and file != under_test} | _manifests(files)


def _under_test(order: Order) -> str:
    """Return the module that stands for UNDER_TEST."""
    implementation = order.implementation
    tree = _HOUSE / "spec/generated/idl.json"
    lines = [f"export {{ default as tree }} from {json.dumps(str(tree))};"]
    file = Path(implementation)
    if implementation == GLOBAL:
        lines.append("export const exports = {};")
    else:
        lines.append(f"export * as exports from {json.dumps(str(file))};")
    for name, beside in (("host", file.with_name(order.host)), ("tunnel", file.with_name("tunnel.js"))):
        there = implementation != GLOBAL and beside.exists()
        lines.append(f"export * as {name} from {json.dumps(str(beside))};" if there else f"export const {name} = null;")
    lines.append(f"export const description = {json.dumps(_describe(implementation))};")
    return "\n".join(lines)


def _describe(implementation: str) -> dict[str, str] | None:
    """Return name and version of the nearest package that has both, else the name of the file; None for GLOBAL."""
    if implementation == GLOBAL:
        return None
    file = Path(implementation)
    for manifest in _package_files(file):
        package = json.loads(manifest.read_text(encoding="utf-8"))
        if package.get("name") and package.get("version"):
            return {"name": package["name"], "version": package["version"]}
    return {"name": file.name, "version": "unknown"}


def _manifests(files: Iterable[Path]) -> set[Path]:
    """Return the manifests of the packages that the files are in: they decide what a name means."""
    return {manifest for file in files for manifest in _package_files(file)}


def _package_files(file: Path) -> Iterator[Path]:
    for folder in file.parents:
        manifest = folder / "package.json"
        if manifest.is_file():
            yield manifest


def _is_fresh(stamp: Path) -> bool:
    """Whether every file that the bundle was made of is what it was."""
    try:
        inputs = json.loads(stamp.read_text(encoding="utf-8"))
        return all(_content(Path(file)) == content for file, content in inputs.items())
    except (OSError, ValueError):
        return False


def _forget_old(folder: Path) -> None:
    """Remove what nobody has used for long: of other versions, other checkouts, other implementations."""
    limit = time.time() - _KEPT
    for script in folder.glob("*.js"):
        with contextlib.suppress(FileNotFoundError):  # another launcher has done it
            if script.stat().st_atime < limit:
                script.unlink()
                script.with_suffix(".json").unlink()


def _content(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _cache() -> Path:
    """Return the folder of the bundles: the user's own, because what lies there is run."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base, "commonsocket", "bundles")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _esbuild(order: Order) -> Path:
    """Return the program itself: what npm puts in front of it, where it may run no scripts, starts a Node first."""
    for folder in (*_RUNNERS.parents, *order.entry.parents, *Path(order.implementation).resolve().parents, Path.cwd()):
        for found in sorted(folder.glob("node_modules/@esbuild/*/bin/esbuild")):
            return found
    program = shutil.which("esbuild")
    if program is None:
        raise NotInstalled("esbuild was not found", remedy="install it beside the project: npm install esbuild")
    return Path(program)
