"""`conformance doctor`: which targets can be run on this machine, and what the others lack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.cli.targets import ALL

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from conformance.agent.examine import Finding
    from conformance.agent.manifest import Manifest

AT_ONCE = 2
"""How many targets are tried at once: each has only so many seconds to start."""

WORKS = ("ready", "found")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `conformance doctor`."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="NAME|FOLDER",
        help="targets, as `conformance run --target` has them (default: all)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="look for the runtimes only, and do not try whether the agents start"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")


def execute(args: argparse.Namespace) -> int:
    """Look, say what was found, and return 0 where everything works and 1 where something is missing.

    Raises UnknownTarget, NoManifest or BrokenManifest.
    """
    import asyncio

    from conformance.cli.targets import choose

    manifests = [each.manifest for each in choose(args.targets or [ALL])]
    findings = asyncio.run(_examine(manifests, start=not args.quick))
    if args.json:
        print(json.dumps({"targets": [_as_json(finding) for finding in findings]}, indent=2))
    else:
        print("\n".join(_lines(findings)))
    return 0 if all(finding.state in WORKS for finding in findings) else 1


async def _examine(manifests: Sequence[Manifest], *, start: bool) -> list[Finding]:
    import asyncio

    from conformance.agent.examine import examine

    places = asyncio.Semaphore(AT_ONCE)

    async def one(manifest: Manifest) -> Finding:
        async with places:
            return await examine(manifest, start=start)

    return await asyncio.gather(*map(one, manifests))


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    width = max(len(finding.manifest.name) for finding in findings)
    indent = " " * (width + 11)
    for finding in findings:
        name, state = finding.manifest.name, finding.state.replace("-", " ")
        yield f"{name:{width}}  {state:7}  {_found(finding)}".rstrip()
        surplus = finding.hello.features - finding.manifest.features if finding.hello else ()
        if surplus:
            yield f"{indent}its manifest does not allow what its agent claims: {', '.join(sorted(surplus))}"
        if finding.problem is not None:
            first, *more = finding.problem.message.splitlines()
            yield f"{indent}{first}"
            yield from (f"{indent}{line}" for line in more)
            yield f"{indent}to mend it: {finding.problem.remedy}"
    lacking = [finding.manifest.name for finding in findings if finding.state not in WORKS]
    working = len(findings) - len(lacking)
    yield ""
    yield f"{working} of {len(findings)} targets can be run" + (f"; not {', '.join(lacking)}" if lacking else "")


def _found(finding: Finding) -> str:
    if finding.hello is not None and finding.seconds is not None:
        runtime, made = finding.hello.runtime, finding.hello.implementation
        words = f"{runtime['name']} {runtime['version']} with {made['name']} {made['version']}, "
        words += f"up in {finding.seconds:.2f} s"
    elif finding.version is not None:
        words = f"version {finding.version}"
    else:
        return "nothing found" if finding.launch is None else ""
    program = None if finding.launch is None else finding.launch.runtime
    return f"{words} ({program})" if program else words


def _as_json(finding: Finding) -> dict[str, Any]:
    problem, hello, launch = finding.problem, finding.hello, finding.launch
    return {
        "name": finding.manifest.name,
        "state": finding.state,
        "program": None if launch is None else launch.runtime,
        "version": finding.version,
        "minimum": finding.manifest.minimum,
        "install": finding.manifest.install,
        "start_ms": None if finding.seconds is None else round(finding.seconds * 1000, 1),
        "runtime": None if hello is None else hello.runtime,
        "implementation": None if hello is None else hello.implementation,
        "features": None if hello is None else sorted(hello.features & finding.manifest.features),
        "problem": None
        if problem is None
        else {"code": problem.code, "message": problem.message, "remedy": problem.remedy},
    }
