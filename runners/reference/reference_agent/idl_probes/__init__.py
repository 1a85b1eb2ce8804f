"""The probes of the `idl` operation in Python: facts about `commonsocket`, by the mapping of docs/python-mapping.md.

They answer the requests of docs/idl-cases.md that have a meaning in Python, in the same words. The harness judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .convert import convert
from .instances import witness
from .interfaces import construction, interface, property_, subclass
from .members import attribute, handler, json_
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .session import Facts

    Probe = Callable[[dict[str, Any], Any], Awaitable[Facts]]


def _probe(look: Callable[[Session], Awaitable[Facts]]) -> Probe:
    async def run(request: dict[str, Any], env: Any) -> Facts:
        session = Session(request, env)
        try:
            return {**await _attempt(look, session), "witness": await _attempt(witness, session)}
        finally:
            await session.close()

    return run


async def _attempt(look: Callable[[Session], Awaitable[Facts]], session: Session) -> Facts:
    """Look, or say why that was impossible: that is a fact about the implementation, too."""
    try:
        return await look(session)
    except Exception as error:  # noqa: BLE001 (whatever the implementation raises)
        return {"failed": f"{type(error).__name__}: {error}"}


probes: Final[dict[str, Probe]] = {
    "interface": _probe(interface),
    "construction": _probe(construction),
    "subclass": _probe(subclass),
    "property": _probe(property_),
    "attribute": _probe(attribute),
    "handler": _probe(handler),
    "json": _probe(json_),
    "convert": _probe(convert),
}
