"""An agent as a process of its own: started in its own process group, killed with all it started.

Whatever becomes of the harness, nothing of it is left: see `lifeline`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from typing import TYPE_CHECKING, Final

from conformance.agent.client import AgentClient
from conformance.agent.errors import AgentLacks, AgentStartFailed
from conformance.agent.lifeline import Lifeline

if TYPE_CHECKING:
    from conformance.agent.log import AgentLog
    from conformance.agent.manifest import Launch
    from conformance.agent.transcript import Transcript

_STDOUT: Final = 1
_STDERR_KEPT: Final = 64 * 2**10  # bytes of stderr that are kept for messages

_LAST_WORDS: Final = 1.0  # seconds between a closed stdout and the end


async def start_agent(launch: Launch, *, transcript: Transcript | None = None) -> AgentClient:
    """Start the agent of a target, check it, and return the conversation with it.

    Raises AgentLacks, AgentStartFailed, AgentSaysNoHello, WrongProtocolVersion, AgentLies, AgentHung, an
    AgentProtocolError or RuntimeTooOld; nothing is left running then.
    """
    client = AgentClient(launch.target, transcript=transcript)
    loop = asyncio.get_running_loop()
    try:
        _, process = await loop.subprocess_exec(
            lambda: _AgentProcess(client, launch.log),
            *launch.command,
            cwd=launch.folder,
            env={**os.environ, **launch.environment},
            start_new_session=True,
        )
    except OSError as error:
        raise AgentStartFailed(launch.target, f"{launch.command[0]}: {error.strerror}") from None
    try:
        hello = await client.handshake(launch.start_limit)
        launch.check_version(hello.runtime["version"])
    except AgentStartFailed:
        # An old runtime often cannot even parse the agent: that is the more useful thing to say.
        await client.close()
        version = await launch.runtime_version()
        if version is not None:
            launch.check_version(version)
        if client.ended == _describe(os.EX_UNAVAILABLE):
            raise AgentLacks(launch.target, process.said) from None
        raise
    except (Exception, asyncio.CancelledError):
        await client.close()
        raise
    return client


class _AgentProcess(asyncio.SubprocessProtocol):
    """The link between a client and the process's pipes."""

    def __init__(self, client: AgentClient, log: AgentLog | None) -> None:
        self._client = client
        self._log = log
        self._lifeline: Lifeline | None = None
        self._loop = asyncio.get_running_loop()
        self._exited = self._killed = False
        self._transport: asyncio.SubprocessTransport | None = None
        self._stdin: asyncio.WriteTransport | None = None
        self._stderr: deque[bytes] = deque()
        self._stderr_size = 0

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self._lifeline = Lifeline(transport.get_pid())
        stdin = transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        self._stdin = stdin
        self._client.connection_made(self)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _STDOUT:
            self._client.data_received(data)
        else:
            if self._log is not None:
                self._log.write(data)
            self._stderr.append(data)
            self._stderr_size += len(data)
            while self._stderr_size - len(self._stderr[0]) >= _STDERR_KEPT:
                self._stderr_size -= len(self._stderr.popleft())

    def pipe_connection_lost(self, fd: int, _exc: Exception | None) -> None:
        # An agent without stdout is of no use. The delay lets one that is just ending say its own exit code.
        if fd == _STDOUT:
            self._loop.call_later(_LAST_WORDS, self._kill_group)

    def process_exited(self) -> None:
        # What the agent started may have outlived it and hold the pipes open, even out of the group's reach.
        assert self._transport is not None
        self._kill_group()
        self._exited = True
        self._loop.call_later(0 if self._killed else _LAST_WORDS, self._transport.close)

    def connection_lost(self, _exc: Exception | None) -> None:
        # All pipes are closed and the process has been waited for, so stderr is complete.
        assert self._transport is not None
        if self._lifeline is not None:
            self._lifeline.release()
        self._client.connection_lost(_describe(self._transport.get_returncode()))

    # Called by the client.

    def write(self, data: bytes) -> None:
        assert self._stdin is not None
        self._stdin.write(data)

    def kill(self) -> None:
        # Closing the transport now would let it wait for the process in place of asyncio's own watcher.
        self._killed = True
        if self._exited and self._transport is not None:
            self._transport.close()
        else:
            self._kill_group()

    @property
    def said(self) -> str:
        """The end of stderr as it came."""
        return b"".join(self._stderr)[-_STDERR_KEPT:].decode(errors="replace")

    def stderr(self) -> str:
        said = self.said
        if said and self._log is not None:
            said = f"{said.rstrip()}\n(all of it: {self._log.path})"
        return said

    def _kill_group(self) -> None:
        if self._exited or self._transport is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._transport.get_pid(), signal.SIGKILL)


def _describe(code: int | None) -> str:
    if code is None:
        return "it closed its pipes"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
