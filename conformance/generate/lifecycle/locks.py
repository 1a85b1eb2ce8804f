"""The steps that lock both streams of a socket in the turn in which it is made, and what they give."""

from __future__ import annotations

from typing import Final

from conformance.agent import steps
from conformance.agent.target import WATCHING
from conformance.agent.values import Result

SOCKET: Final = Result(0)
SIGNAL: Final = Result(6)
READER: Final = Result(WATCHING + 1)
WRITER: Final = Result(WATCHING + 3)

LOCKS: Final = (
    steps.get(SOCKET, "readable"),
    steps.call(Result(WATCHING), "getReader"),
    steps.get(SOCKET, "writable"),
    steps.call(Result(WATCHING + 2), "getWriter"),
)
"""They come behind those that observe the socket."""
