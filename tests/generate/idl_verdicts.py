"""Runs IDL cases against an implementation, without the engine: which of them fail, and with which words."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.agent.errors import AgentError
from conformance.agent.manifest import find_target
from conformance.agent.process import start_agent
from conformance.agent.recording import Recorder
from conformance.agent.target import Target
from conformance.errors import CheckFailed
from conformance.generate.idl import cases
from conformance.spec.loader import load
from conformance.testing.context import Context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from conformance.agent.client import AgentClient
    from conformance.spec.loader import Spec
    from conformance.testing.case import TestCase

AT_ONCE = 64
LIMIT = 5.0  # seconds for one case


@cache
def spec() -> Spec:
    return load()


@cache
def every_case() -> tuple[TestCase, ...]:
    return tuple(cases(spec()))


def chosen(language: str, *globs: str) -> list[TestCase]:
    """Return the cases of a language that any of the globs over ids matches, in order; all of them without globs."""
    return [
        case
        for case in every_case()
        if language in case.languages
        and (not globs or any(fnmatchcase(case.id, f"socket/idl/{glob}") for glob in globs))
    ]


# What the polyfill on Node supports today; the harness's own tests do not wait for the rest.
SUPPORTED = frozenset({"tcp", "server", "structured-clone", "shared-memory", "crypto-keys"})


def supported(selected: Iterable[TestCase]) -> list[TestCase]:
    return [case for case in selected if case.features <= SUPPORTED]


@asynccontextmanager
async def agent(target: str, implementation: Path | None = None) -> AsyncIterator[AgentClient]:
    client = await start_agent(find_target(target).launch(None if implementation is None else str(implementation)))
    try:
        yield client
    finally:
        await client.close()


async def verdicts(client: AgentClient, selected: Iterable[TestCase]) -> dict[str, str | None]:
    """Return what each case finds fault with; None where it passes."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case: TestCase) -> str | None:
        async with gate:
            return await verdict(Target(client, case.id, recorder=Recorder(case.id)), case)

    listed = list(selected)
    found = await asyncio.gather(*(one(case) for case in listed))
    return {case.id: message for case, message in zip(listed, found, strict=True)}


async def verdict(target: Any, case: TestCase) -> str | None:
    context = Context(case, target, target.recorder)
    try:
        async with asyncio.timeout(LIMIT):
            await case.run(context)
    except CheckFailed as failure:
        return failure.message
    except AgentError as failure:
        return failure.message
    except TimeoutError:
        return "timeout"
    finally:
        await context.close()
    return None


def failing(found: dict[str, str | None]) -> set[str]:
    return {name.removeprefix("socket/idl/") for name, message in found.items() if message is not None}


EXPORTS = (
    "ConnectEvent",
    "QuicSession",
    "QuicStream",
    "Socket",
    "SocketEndpoint",
    "SocketError",
    "SocketErrorEvent",
    "SocketInfo",
    "SocketListener",
    "SocketStats",
    "SocketTLSInfo",
)


def violated(folder: Path, name: str, *more: str) -> Path:
    """Write a module that exports the polyfill with the violation of this name; `more` are other names it exports."""
    index = (Path(__file__).parent / "violations" / "index.js").as_uri()
    file = folder / "implementation.mjs"
    file.write_text(
        f'import {{ violated }} from "{index}";\n'
        f"export const {{ {', '.join((*EXPORTS, *more))} }} = violated({json.dumps(name)});\n"
    )
    return file


def violated_reference(folder: Path, name: str) -> str:
    """Write a target whose agent is the reference's with the violation of this name, and return its folder."""
    script = Path(__file__).parent / "violations" / "reference.py"
    command = json.dumps(["{python}", str(script), name])
    (folder / "runner.toml").write_text(
        f'name = "violated"\nlanguage = "python"\ncommand = {command}\nfeatures = ["tcp"]\n'
    )
    return str(folder)
