"""Remote objects and promises: stand-ins in the harness for objects of the target. Their methods ask the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.agent.checks import CheckFailed
from conformance.agent.values import UNDEFINED, Handle, Json, RemoteError, Tagged

if TYPE_CHECKING:
    from conformance.agent.target import Target

ABSENT: Final = object()
"""The mark of an argument that is not passed at all (unlike undefined, which is passed)."""


def present(value: Any) -> list[Any]:
    """Return the arguments that one optional argument makes: none when it is absent."""
    return [] if value is ABSENT else [value]


class RemoteObject(Tagged):
    """Any object of the target. Compare with `same_as`: two stand-ins may stand for one object.

    An object may be known by the way to it only (a member of another object); the handle is then fetched at first use.
    """

    def __init__(self, target: Target, handle: Handle | None, path: tuple[RemoteObject, str] | None = None) -> None:
        self.target = target
        self._handle = handle
        self._path = path

    @property
    def handle(self) -> Handle:
        """The handle; must have been fetched (`resolve`) when the object is known by its way only."""
        if self._handle is None:
            msg = "await its resolve() first: the object has not been fetched from the target"
            raise RuntimeError(msg)
        return self._handle

    async def resolve(self) -> None:
        """Fetch the handle if it is not known yet."""
        if self._handle is None and self._path is not None:
            owner, name = self._path
            await owner.resolve()
            found = await self.target.get(owner, name)
            if not isinstance(found, RemoteObject):
                raise CheckFailed(f"{owner}.{name} is {found}, not an object")
            self._handle = found.handle

    def to_wire(self) -> Json:
        """Return the handle's tag."""
        return self.handle.to_wire()

    async def get(self, name: str) -> Any:
        """Read a member."""
        return await self.target.get(self, name)

    async def set(self, name: str, value: Any) -> None:
        """Write a member."""
        await self.target.set(self, name, value)

    async def call(self, name: str, *args: Any, handled: bool = True) -> Any:
        """Call a method; a promise comes back as a RemotePromise, unsettled."""
        return await self.target.call(self, name, *args, handled=handled)

    async def start(self, name: str, *args: Any, handled: bool = True) -> RemotePromise:
        """Call a method that has to return a promise, and return that promise without waiting for it."""
        result = await self.target.call(self, name, *args, handled=handled)
        if not isinstance(result, RemotePromise):
            raise CheckFailed(f"{self}.{name}() returned {result}, not a promise")
        return result

    async def observe(self, label: str, *events: str) -> None:
        """Log events of this event target under `label`."""
        await self.target.observe(self, label, *events)

    def same_as(self, other: Any) -> bool:
        """Say whether `other` (a remote object or error) is the same object of the target."""
        return isinstance(other, (RemoteObject, RemoteError)) and other.id == self.id

    @property
    def id(self) -> int:
        """The number of the handle: equal for the same object."""
        return self.handle.id

    def __str__(self) -> str:
        if self._handle is not None:
            return str(self._handle)
        assert self._path is not None
        return f"{self._path[0]}.{self._path[1]}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class RemotePromise(RemoteObject):
    """A promise of the target."""

    async def state(self) -> tuple[str, Any]:
        """Return (`pending`, undefined), (`fulfilled`, value) or (`rejected`, reason), now."""
        await self.resolve()
        return await self.target.state(self)

    async def pending(self) -> bool:
        """Say whether it is pending now."""
        return (await self.state())[0] == "pending"

    async def settled(self, limit: float | None = None) -> tuple[str, Any]:
        """Wait at most `limit` seconds; return the state then, which may still be `pending`."""
        await self.resolve()
        return await self.target.settle(self, limit)

    async def value(self, limit: float | None = None) -> Any:
        """Wait until it is fulfilled and return the value, whatever it is. Raises CheckFailed otherwise."""
        state, value = await self.settled(limit)
        if state != "fulfilled":
            raise CheckFailed(f"{self} was to be fulfilled but {self._seen(state, value, limit)}")
        return value

    async def fulfils(self, value: Any = UNDEFINED, limit: float | None = None) -> None:
        """Check that it is fulfilled with `value`."""
        actual = await self.value(limit)
        if type(actual) is not type(value) or actual != value:
            raise CheckFailed(f"{self} was to be fulfilled with {value} but was with {actual}")

    async def reason(self, limit: float | None = None) -> Any:
        """Wait until it is rejected and return the reason, whatever it is. Raises CheckFailed otherwise."""
        state, value = await self.settled(limit)
        if state != "rejected":
            raise CheckFailed(f"{self} was to be rejected but {self._seen(state, value, limit)}")
        return value

    async def rejects(self, limit: float | None = None) -> RemoteError:
        """Check that it is rejected with an error object, and return that."""
        reason = await self.reason(limit)
        if not isinstance(reason, RemoteError):
            raise CheckFailed(f"{self} was to be rejected with an error but was with {reason}")
        return reason

    def _seen(self, state: str, value: Any, limit: float | None) -> str:
        if state == "pending":
            return f"is still pending after {self.target.settle_limit if limit is None else limit:g} s"
        return f"was {state} with {value}"
