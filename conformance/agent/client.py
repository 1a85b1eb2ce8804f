"""The conversation with an agent: hello, the checks before it is trusted, and answers matched to requests.

It knows nothing of processes: a `Link` carries its bytes, and calls `data_received` and `connection_lost`.
The order of a life is: hello, protocol version, random operation, requests, end. The first error ends it for good.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from conformance.agent.errors import (
    AgentCrashed,
    AgentHung,
    AgentLies,
    AgentSaysNoHello,
    AgentStartFailed,
    AnsweredTwice,
    MalformedAnswer,
    NotJson,
    UnknownAnswer,
    WrongProtocolVersion,
)

if TYPE_CHECKING:
    from conformance.agent.manifest import Launch
    from conformance.agent.transcript import Transcript
    from conformance.agent.values import Json
    from conformance.errors import ConformanceError

PROTOCOL: Final = 1
UNSUPPORTED: Final = "unsupported-operation"
_OUTCOMES: Final = frozenset({"value", "threw", "fault"})
_LONGEST_LINE: Final = 256 * 2**20  # bytes; an agent that never ends its line must not eat the memory

# ASCII only: lone surrogates, which tests send on purpose, survive as escapes.
_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False).encode
_decode: Final = json.JSONDecoder().decode


@dataclass(frozen=True, slots=True)
class Hello:
    """What an agent says of itself."""

    language: str
    runtime: dict[str, str]
    implementation: dict[str, str]
    features: frozenset[str]
    platform: str


class Link(Protocol):
    """What carries the conversation: a process, or a transcript that is replayed."""

    def write(self, data: bytes) -> None:
        """Send bytes to the agent."""

    def kill(self) -> None:
        """End the agent at once, with everything it started."""

    def stderr(self) -> str:
        """Return the end of what the agent wrote to stderr."""


class AgentClient:
    """One conversation with one agent. Any number of requests may be in flight; answers come in any order."""

    def __init__(self, target: str, *, transcript: Transcript | None = None, probe: str | None = None) -> None:
        """Take the target's name for messages; `probe` fixes the name of the random operation (for replays)."""
        self.target = target
        self.hello: Hello | None = None
        self.launch: Launch | None = None
        """What started the agent, where that is known: it can start another one like it."""
        self.failure: ConformanceError | None = None
        self.ended: str | None = None
        """How the agent ended, in words (`exit code 0`); None while it lives."""
        self.requests = 0
        self._transcript = transcript
        self._probe = probe or f"no-such-operation-{secrets.token_hex(8)}"
        self._loop = asyncio.get_running_loop()
        self._hello: asyncio.Future[Json] = self._loop.create_future()
        self._gone = asyncio.Event()
        self._pending: dict[int, asyncio.Future[Json]] = {}
        self._unsent: list[str] = []
        self._partial: list[bytes] = []
        self._partial_size = 0
        self._link: Link | None = None
        self._closing = False

    # From the link.

    def connection_made(self, link: Link) -> None:
        """Begin: the link is ready to carry bytes."""
        self._link = link

    def data_received(self, data: bytes) -> None:
        """Take bytes of the agent's stdout, in any portions."""
        lines = data.split(b"\n")
        if len(lines) == 1:
            self._partial.append(data)
            self._partial_size += len(data)
            if self._partial_size > _LONGEST_LINE:
                self.fail(NotJson(self.target, "a line without end", self._partial[0][:500].decode(errors="replace")))
            return
        if self._partial:
            lines[0] = b"".join([*self._partial, lines[0]])
            self._partial.clear()
        self._partial_size = len(lines[-1])
        if lines[-1]:
            self._partial.append(lines[-1])
        for line in lines[:-1]:
            if self.failure is None:
                self._line(line.decode(errors="replace"))

    def connection_lost(self, how: str) -> None:
        """End: the agent is gone; `how` says so in words (`exit code 1`)."""
        self.ended = how
        if self.failure is None and not self._closing:
            stderr = self._link.stderr() if self._link is not None else ""
            if self._hello.done():
                self.fail(AgentCrashed(self.target, how, stderr))
            else:
                self.fail(AgentStartFailed(self.target, how, stderr))
        elif self.failure is None:
            self.fail(AgentCrashed(self.target, "it was closed"))
        self._gone.set()

    # From the harness.

    async def handshake(self, limit: float) -> Hello:
        """Wait at most `limit` seconds for the hello, check the version, and ask for an operation that does not exist.

        Raises AgentStartFailed, AgentSaysNoHello, WrongProtocolVersion, AgentLies, AgentHung or an AgentProtocolError;
        the agent is then dead.
        """
        try:
            async with asyncio.timeout(limit):
                message = await asyncio.shield(self._hello)
        except TimeoutError:
            raise self.fail(AgentSaysNoHello(self.target, f"nothing came within {limit:g} s", self._stderr())) from None
        self.hello = self._read_hello(message)
        try:
            async with asyncio.timeout(limit):
                answer = await self.request({"op": self._probe, "scope": "handshake"})
        except TimeoutError:
            raise self.fail(AgentHung(self.target, limit, self._stderr())) from None
        if answer.get("fault", {}).get("code") != UNSUPPORTED:
            raise self.fail(AgentLies(self.target, self._probe, json.dumps(answer)))
        return self.hello

    def request(self, message: dict[str, Json]) -> asyncio.Future[Json]:
        """Send a request (without id) and return a future of its answer, a mapping with `value`, `threw` or `fault`.

        The future raises the error that ended the conversation. Requests made in one turn of the loop while others are
        in flight are written together.
        """
        future: asyncio.Future[Json] = self._loop.create_future()
        if self.failure is not None:
            future.set_exception(self.failure)
            return future
        self.requests += 1
        number = self.requests
        line = _encode({"id": number, **message})
        if self._transcript is not None:
            self._transcript.sent(line)
        self._pending[number] = future
        if self._unsent:
            self._unsent.append(line)
        elif len(self._pending) == 1:
            # The agent is idle: the next turn of the loop would come too late for a test that goes step by step.
            self._write(line + "\n")
        else:
            self._loop.call_soon(self._flush)
            self._unsent.append(line)
        return future

    async def responsive(self, limit: float) -> bool:
        """Say whether the agent still answers, within `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                await self.request({"op": self._probe, "scope": "handshake"})
        except TimeoutError:
            return False
        except Exception as error:
            if error is self.failure:
                return False
            raise
        return True

    @property
    def in_flight(self) -> int:
        """How many requests have no answer yet."""
        return len(self._pending)

    def hung(self, limit: float) -> ConformanceError:
        """End an agent that does not answer; every request in flight fails with AgentHung, which is returned."""
        return self.fail(AgentHung(self.target, limit, self._stderr()))

    def kill(self) -> None:
        """End the agent at once, with its children; requests in flight fail with AgentCrashed."""
        self._closing = True
        if self._link is not None:
            self._link.kill()

    async def gone(self) -> None:
        """Wait until the agent has ended, however that comes."""
        await self._gone.wait()

    async def close(self) -> None:
        """Kill the agent and wait until it is gone."""
        self.kill()
        await self._gone.wait()

    def fail(self, error: ConformanceError) -> ConformanceError:
        """End the conversation and the agent with `error`; return the error that ended it first."""
        if self.failure is None:
            self.failure = error
            if not self._hello.done():
                self._hello.set_exception(error)
                self._hello.exception()  # the handshake may not have begun to wait; it is told by `failure`
            pending, self._pending = self._pending, {}
            for future in pending.values():
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # a test that is being cancelled does not come back for it
            self.kill()
        return self.failure

    # Inside.

    def _flush(self) -> None:
        lines, self._unsent = self._unsent, []
        if self.failure is None:
            lines.append("")
            self._write("\n".join(lines))

    def _write(self, text: str) -> None:
        assert self._link is not None
        self._link.write(text.encode())

    def _line(self, line: str) -> None:
        if self._transcript is not None:
            self._transcript.received(line)
        try:
            message = _decode(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            if self._hello.done():
                self.fail(NotJson(self.target, "a line on stdout is no JSON object", line))
            else:
                self.fail(AgentSaysNoHello(self.target, f"its first line is {line[:200]!r}", self._stderr()))
        elif self._hello.done():
            self._answer(message, line)
        else:
            self._hello.set_result(message)

    def _answer(self, message: dict[str, Any], line: str) -> None:
        number = message.pop("id", None)
        future = self._pending.pop(number, None) if type(number) is int else None  # True is no id
        if future is None:
            asked = type(number) is int and 0 < number <= self.requests
            kind, problem = (
                (AnsweredTwice, "a second answer") if asked else (UnknownAnswer, "an answer nobody asked for")
            )
            self.fail(kind(self.target, problem, line))
        elif len(message) != 1 or not _OUTCOMES.issuperset(message) or not _fault_is_sound(message):
            self._pending[number] = future
            self.fail(MalformedAnswer(self.target, "an answer has one of value, threw and fault", line))
        elif not future.done():  # a test that ran into its limit no longer waits
            future.set_result(message)

    def _read_hello(self, message: dict[str, Any]) -> Hello:
        if message.get("type") != "hello":
            problem = f"its first line is {json.dumps(message)[:200]}"
            raise self.fail(AgentSaysNoHello(self.target, problem, self._stderr()))
        if message.get("protocol") != PROTOCOL:
            raise self.fail(WrongProtocolVersion(self.target, message.get("protocol"), PROTOCOL))
        try:
            return Hello(
                str(message["language"]),
                {key: str(message["runtime"][key]) for key in ("name", "version")},
                {key: str(message["implementation"][key]) for key in ("name", "version")},
                frozenset(str(feature) for feature in message["features"]),
                str(message["platform"]),
            )
        except (KeyError, TypeError) as error:
            problem = f"the hello lacks a member or has one of the wrong type: {error}"
            raise self.fail(AgentSaysNoHello(self.target, problem, self._stderr())) from None

    def _stderr(self) -> str:
        return self._link.stderr() if self._link is not None else ""


def _fault_is_sound(message: dict[str, Any]) -> bool:
    if "fault" not in message:
        return True
    fault = message["fault"]
    return isinstance(fault, dict) and isinstance(fault.get("code"), str) and isinstance(fault.get("message"), str)
