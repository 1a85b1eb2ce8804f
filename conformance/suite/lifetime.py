"""What cannot leave the realm of a socket, and what can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.remote import RemoteObject
from conformance.agent.streams import RemoteReadable, RemoteWritable
from conformance.agent.target import throws
from conformance.testing.checks import is_dom_exception
from conformance.testing.links import connect, works
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "a Socket cannot be cloned, and is none the worse for the attempt",
    requirements=["lifetime/not-serializable"],
    features=["tcp", "structured-clone"],
)
async def not_serializable(t: Context) -> None:
    link = await connect(t)
    error = await throws(t.target.call("globalThis", "structuredClone", link.socket))
    is_dom_exception(t, error, "DataCloneError")
    await works(t, link)


@test(
    "the streams of a socket can be transferred, and carry its data from then on",
    requirements=["lifetime/streams-transfer"],
    features=["tcp", "transferable-streams", "structured-clone"],
)
async def streams_transfer(t: Context) -> None:
    link = await connect(t)
    moved = []
    for name in ("readable", "writable"):
        stream = await link.socket.get(name)
        copy = await t.target.call("globalThis", "structuredClone", stream, {"transfer": [stream]})
        t.check(isinstance(copy, RemoteObject) and not copy.same_as(stream), f"the transferred {name} is {copy}")
        t.equal(await stream.get("locked"), True, f"{name}.locked after the transfer")
        moved.append(copy)
    readable, writable = moved
    assert isinstance(readable, RemoteReadable)
    assert isinstance(writable, RemoteWritable)
    inward, outward = t.rng.randbytes(900), t.rng.randbytes(700)
    await link.connection.send(inward)
    t.equal(await (await readable.get_reader()).read_exactly(900), inward, "what the transferred readable delivered")
    await (await writable.get_writer()).write(outward)
    t.equal(await link.connection.receive(700), outward, "what the peer received of the transferred writable")
