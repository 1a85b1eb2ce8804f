"""Stand-ins for what brings connections: a SocketListener, and the small host of a socket worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance.agent.checks import CheckFailed
from conformance.agent.objects import RemoteObject, RemotePromise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.remote import RemoteSocket
    from conformance.agent.target import Answer, LogEntry, Target
    from conformance.agent.values import Handle

_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (it is looked up, not bound)
"""Where a client reaches what is bound to every address."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One connect event: what the listener of the test was called with, and what it did."""

    event: RemoteObject
    socket: RemoteSocket
    turn: Sequence[Answer]
    """What the steps gave that the test added to its listener (`also`)."""
    entry: LogEntry


class RemoteAcceptor(RemoteObject):
    """Whatever dispatches connect events to a listener of the test.

    The listener observes the socket of each event in the turn of its dispatch, so a socket that `accepted` gives has
    everything in the log from its beginning.
    """

    label: str = ""
    _fetched: int = 0
    _seen: int = 0

    def __init__(self, target: Target, handle: Handle | None, path: tuple[RemoteObject, str] | None = None) -> None:
        super().__init__(target, handle, path)
        self.deliveries: list[Delivery] = []
        """Every connect event that was fetched so far, in order."""

    async def delivery(self, limit: float | None = None) -> Delivery:
        """Return the next connect event; wait for it at most `limit` seconds. Raises CheckFailed when none comes."""
        while self._fetched >= len(self.deliveries):
            found = await self._look(limit)
            if not found:
                seconds = self.target.settle_limit if limit is None else limit
                raise CheckFailed(f"no connect event came within {seconds:g} s; there were {len(self.deliveries)}")
        self._fetched += 1
        return self.deliveries[self._fetched - 1]

    async def accepted(self, limit: float | None = None) -> RemoteSocket:
        """Return the socket of the next connect event, observed since its dispatch."""
        return (await self.delivery(limit)).socket

    async def count(self) -> int:
        """Return how many connect events there were so far, whether they were fetched or not."""
        await self._look(0)
        return len(self.deliveries)

    async def _look(self, limit: float | None) -> bool:
        """Take new entries of the log; return whether there was a delivery among them."""
        name = connect_label(self.label)
        entries = await self.target.log(self._seen, until={"as": name, "kind": "called"}, limit=limit)
        before = len(self.deliveries)
        for entry in entries:
            self._seen = entry.seq + 1
            if entry.label == name and entry.kind == "called":
                number = len(self.deliveries) + 1
                socket, turn = self.target.adopt(accepted_label(self.label, number), entry.results)
                self.deliveries.append(Delivery(entry.args[0], socket, turn, entry))
        return len(self.deliveries) > before


class RemoteListener(RemoteAcceptor):
    """A SocketListener. One made by `Target.listener` is observed from the turn of its construction."""

    _ready: RemotePromise | None = None
    _closed: RemotePromise | None = None

    def watched(self, label: str, *, ready: RemotePromise, closed: RemotePromise) -> None:
        """Remember what was fetched and observed when the listener was made."""
        self.label, self._ready, self._closed = label, ready, closed

    @property
    def ready(self) -> RemotePromise:
        """The promise `ready`."""
        return self._ready or RemotePromise(self.target, None, (self, "ready"))

    @property
    def closed(self) -> RemotePromise:
        """The promise `closed`."""
        return self._closed or RemotePromise(self.target, None, (self, "closed"))

    @property
    def info(self) -> RemoteObject:
        """The SocketInfo."""
        return RemoteObject(self.target, None, (self, "info"))

    async def remote(self) -> dict[str, Any]:
        """Wait until it is bound and return where a client reaches it: `{"address", "port"}`."""
        await self.ready.fulfils()
        return await _reach(await self.info.get("local"))

    async def start_close(self) -> RemotePromise:
        """Call `close` and return the promise without waiting for it."""
        return await self.start("close")

    async def close(self, limit: float | None = None) -> None:
        """Close and wait until the port is free."""
        await (await self.start_close()).fulfils(limit=limit)

    async def iterate(self) -> RemoteIterator:
        """Begin to iterate over the accepted sockets, asynchronously."""
        iterator = await self.call("@@asyncIterator")
        return RemoteIterator(self.target, iterator.handle)


class RemoteIterator(RemoteObject):
    """An async iterator."""

    async def start_next(self) -> RemotePromise:
        """Ask for the next value and return the promise of `{value, done}`."""
        return await self.start("next")

    async def next(self, limit: float | None = None) -> Any:
        """Return the next value. Raises CheckFailed when the iteration is over."""
        result = await (await self.start_next()).value(limit)
        if result["done"]:
            raise CheckFailed("the iteration was to give a value but is over")
        return result["value"]

    async def finished(self, limit: float | None = None) -> None:
        """Check that the iteration is over."""
        result = await (await self.start_next()).value(limit)
        if not result["done"]:
            raise CheckFailed(f"the iteration was to be over but gave {result['value']}")

    async def leave(self, limit: float | None = None) -> None:
        """Leave early, as a `break` does, and wait until that is done."""
        await (await self.start("return")).value(limit)


class RemoteHost(RemoteAcceptor):
    """The agent's small host of a socket worker: it dispatches connect events at the agent's global scope."""

    async def remote(self) -> dict[str, Any]:
        """Return where a client reaches it: `{"address", "port"}`."""
        return await _reach(await self.get("address"))

    async def close(self, limit: float | None = None) -> None:
        """Stop accepting, and take the test's listener off the global scope."""
        await self.target.set("globalThis", "onconnect", None)
        await (await self.start("close")).value(limit)


async def _reach(endpoint: Any) -> dict[str, Any]:
    """Return where a client reaches a SocketEndpoint, or an object with its members."""
    if isinstance(endpoint, RemoteObject):
        endpoint = {name: await endpoint.get(name) for name in ("address", "port")}
    if not isinstance(endpoint, dict) or "port" not in endpoint:
        raise CheckFailed(f"the address of what listens was to be an endpoint but is {endpoint}")
    address = str(endpoint.get("address"))
    return {"address": _LOOPBACK.get(address, address), "port": endpoint["port"]}


def connect_label(label: str) -> str:
    """Return the label of the function that listens to the connect events of an acceptor."""
    return f"{label}.connect"


def accepted_label(label: str, number: int | str) -> str:
    """Return the label of the socket that the connect event of this number brought."""
    return f"{label}-accepted-{number}"
