"""The errors of targets and agents, one class per cause, in the order of an agent's life: found, started, in use."""

# ruff: noqa: N818 (a class is named after its cause; the base says that it is an error)

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from conformance.errors import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PROTOCOL_PAGE = "docs/agent-protocol.md describes the protocol"
_SHOWN = 200  # characters of an offending line that a message shows


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _with_stderr(message: str, stderr: str) -> str:
    tail = stderr.strip().splitlines()[-12:]
    return message if not tail else "\n    ".join([f"{message}; its stderr ends with:", *tail])


# Finding the target.


class UnknownTarget(ConformanceError):
    """No runner has the name that was given."""

    code = "unknown-target"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        super().__init__(
            f"there is no target {name!r}",
            remedy=f"{hint}known targets: {', '.join(names)}; a folder is given as ./path/to/folder",
        )


class NoManifest(ConformanceError):
    """The folder given as a target has no runner.toml."""

    code = "no-manifest"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"the folder {str(folder)!r} is no target: it has no runner.toml"
            if folder.is_dir()
            else f"there is no folder {str(folder)!r}",
            remedy="give a folder that holds a runner.toml (docs/adding-a-runner.md), or the name of a known target",
        )


class BrokenManifest(ConformanceError):
    """A runner.toml cannot be used."""

    code = "broken-manifest"

    def __init__(self, file: Path, problem: str, *, remedy: str) -> None:
        super().__init__(problem, remedy=remedy, place=str(file))


class RuntimeNotFound(ConformanceError):
    """The program that runs the target is not installed."""

    code = "runtime-not-found"

    def __init__(self, target: str, names: Iterable[str], install: str) -> None:
        super().__init__(
            f"the target {target!r} needs {' or '.join(names)}, which was not found",
            remedy=install,
        )


class RuntimeTooOld(ConformanceError):
    """The runtime is there but older than the manifest's minimum."""

    code = "runtime-too-old"

    def __init__(self, target: str, found: str, minimum: str, install: str) -> None:
        super().__init__(f"the target {target!r} needs version {minimum} or newer; found {found}", remedy=install)


class ImplementationRefused(ConformanceError):
    """`--implementation` was given for a target that does not take one, or names a file that is not there."""

    code = "implementation"

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message, remedy=remedy)


# Starting the agent.


class AgentError(ConformanceError):
    """The base of everything that goes wrong with a running agent: the fault is the target's."""

    code = "agent"
    fault = "target"


class AgentStartFailed(AgentError):
    """The agent's command could not be started, or ended before its hello."""

    code = "agent-start"

    def __init__(self, target: str, reason: str, stderr: str = "") -> None:
        super().__init__(
            _with_stderr(f"the agent of {target!r} did not start: {reason}", stderr),
            remedy="run the manifest's command by hand; its first line on stdout has to be the hello message",
        )


class AgentSaysNoHello(AgentError):
    """The agent runs but sent no hello in time, or something else first."""

    code = "agent-no-hello"

    def __init__(self, target: str, reason: str, stderr: str = "") -> None:
        super().__init__(
            _with_stderr(f"the agent of {target!r} did not say hello: {reason}", stderr),
            remedy=f"print the hello message as the first line and flush it; {_PROTOCOL_PAGE}",
        )


class WrongProtocolVersion(AgentError):
    """The agent speaks another version of the protocol."""

    code = "agent-protocol-version"

    def __init__(self, target: str, spoken: object, understood: int) -> None:
        super().__init__(
            f"the agent of {target!r} speaks protocol version {spoken}; this harness speaks version {understood}",
            remedy="bring the agent and the harness to the same version of the protocol",
        )


class AgentLies(AgentError):
    """The agent did not answer an operation with a random name as unsupported, so its other answers mean nothing."""

    code = "agent-lies"

    def __init__(self, target: str, operation: str, answer: str) -> None:
        super().__init__(
            f"the agent of {target!r} answered {operation!r}, which does not exist, with {_shorten(answer)}",
            remedy='answer an operation you do not know with {"fault": {"code": "unsupported-operation", …}}',
        )


class AgentLacks(AgentError):
    """The agent says that something it needs is not installed, and in its last line how one gets it."""

    code = "agent-lacks"

    def __init__(self, target: str, said: str) -> None:
        *lacking, remedy = said.strip().splitlines() or ["nothing: it has said nothing on stderr"]
        super().__init__(f"the target {target!r} lacks something: {lacking[-1] if lacking else remedy}", remedy=remedy)


# In conversation.


class AgentProtocolError(AgentError):
    """The agent broke the protocol; `line` is what it wrote."""

    code = "agent-protocol"

    def __init__(self, target: str, problem: str, line: str) -> None:
        super().__init__(
            f"the agent of {target!r} broke the protocol: {problem}: {_shorten(line)!r}",
            remedy=f"write one answer per request and nothing else on stdout; {_PROTOCOL_PAGE}",
        )
        self.line = line


class NotJson(AgentProtocolError):
    """A line on stdout is no JSON object."""

    code = "agent-not-json"


class AnsweredTwice(AgentProtocolError):
    """A second answer came for the same request."""

    code = "agent-answered-twice"


class UnknownAnswer(AgentProtocolError):
    """An answer carries an id that was never asked."""

    code = "agent-unknown-id"


class MalformedAnswer(AgentProtocolError):
    """An answer has none, or more than one, of value, threw and fault."""

    code = "agent-malformed-answer"


class AgentHung(AgentError):
    """The agent stopped answering."""

    code = "agent-hung"

    def __init__(self, target: str, limit: float, stderr: str = "") -> None:
        super().__init__(
            _with_stderr(f"the agent of {target!r} did not answer within {limit:g} s", stderr),
            remedy="the implementation probably blocks its event loop; run the test alone to see where",
        )


class AgentCrashed(AgentError):
    """The agent's process ended while it was in use."""

    code = "agent-crashed"

    def __init__(self, target: str, how: str, stderr: str = "") -> None:
        super().__init__(
            _with_stderr(f"the agent of {target!r} ended: {how}", stderr),
            remedy="run the test alone; the implementation ended the process",
        )


class ReplayMismatch(ConformanceError):
    """A replayed conversation asked for something other than what was recorded."""

    code = "replay-mismatch"
    fault = "harness"
    exit_code = 3

    def __init__(self, asked: str, recorded: str) -> None:
        super().__init__(
            f"asked {_shorten(asked)} where the transcript has {_shorten(recorded)}",
            remedy="record the transcript again",
        )
