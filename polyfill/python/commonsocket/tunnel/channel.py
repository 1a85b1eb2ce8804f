"""A WebSocket with the subprotocol `commonsocket.v1`, until its first message says what it is to carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .datagram_carrier import DatagramCarrier
from .frames import PROTOCOL_ERROR, FrameError
from .init import socket_options
from .messages import decode
from .stream_carrier import StreamCarrier

if TYPE_CHECKING:
    from .carrier import Client


class Channel:
    """Waits for the message `connect`; see `Carrier` for its methods."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def target(self) -> str:
        """Say that there is none yet."""
        return "nowhere yet"

    def binary(self, payload: bytes, *, end: bool) -> None:  # noqa: ARG002  # it is wrong in any case
        """Refuse it."""
        raise FrameError(PROTOCOL_ERROR, "the first message has to be connect")

    def text(self, message: str) -> None:
        """Begin to connect."""
        type_, members = decode(message)
        if type_ != "connect":
            raise FrameError(PROTOCOL_ERROR, "the first message has to be connect")
        options = socket_options(members["init"])
        if options.type == "udp":
            self._client.carry(DatagramCarrier(self._client, options))
        else:
            self._client.carry(StreamCarrier(self._client, options, members["credit"]))

    def congested(self, congested: bool) -> None:
        """Do nothing: there is nothing that could wait."""

    def gone(self, *, clean: bool) -> None:
        """Do nothing: there is nothing to give up."""
