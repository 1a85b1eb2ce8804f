"""The stand-ins for the objects of a QUIC connection."""

from __future__ import annotations

from pathlib import Path

import pytest
from conversations import conversation

from conformance.agent.checks import CheckFailed
from conformance.agent.remote import RemoteQuicStream, RemoteReadable, RemoteWritable
from conformance.agent.values import Function

TINY = Path(__file__).parent / "tiny_quic.js"


async def test_streams_and_datagrams_of_a_session():
    async with conversation("node", TINY) as target:
        session = (await target.socket({})).quic
        made = await session.bidirectional()
        for stream in (made, session.datagrams):
            reader, writer = await stream.readable.get_reader(), await stream.writable.get_writer()
            reading = await reader.start_read()
            await writer.write(b"there and back")
            assert (await reading.value())["value"].data == b"there and back"
        assert isinstance(await session.unidirectional(), RemoteWritable)
        assert isinstance(session.incoming_unidirectional, RemoteReadable)
        incoming = await session.incoming_bidirectional.get_reader()
        assert isinstance((await incoming.read()).value, RemoteQuicStream)


async def test_what_is_no_stream_is_named():
    async with conversation("node", TINY) as target:
        session = (await target.socket({})).quic
        fulfilled = await target.call("Promise", "resolve", 1)
        await session.set("createUnidirectionalStream", Function("f", returns=fulfilled))
        with pytest.raises(CheckFailed, match=r"createUnidirectionalStream\(\) gave 1, which is no stream"):
            await session.unidirectional()
