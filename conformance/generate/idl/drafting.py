"""Names and binds the cases of one specification: their ids, requirements and features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.generate.idl import bindings, instances
from conformance.generate.idl.script import Draft, Language
from conformance.spec.idl import Constructor, Interface, Mixin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.generate.idl.instances import Instance
    from conformance.generate.idl.script import Exchange
    from conformance.spec.idl import Argument, Idl

SYMBOLS = {"@@asyncDispose": "async-dispose", "@@asyncIterator": "async-iterator"}
"""How members whose key is a symbol appear in ids."""


@dataclass(frozen=True, slots=True)
class Drafting:
    """The specification that cases are drafted from."""

    idl: Idl

    def shape(
        self,
        definition: str,
        kind: str,
        title: str,
        scripts: Mapping[Language, Sequence[Exchange]],
        *,
        member: str | None = None,
        state: str = "",
        bound: str | None = None,
    ) -> Draft:
        """Return the case of one kind of shape, of a definition or of one of its members.

        `bound` is the kind by which its requirements are found, where that is another one.
        """
        place = [definition, SYMBOLS.get(member, member)] if member else [definition]
        last = f"{kind}-{state}" if state else kind
        return Draft(
            id="/".join([self.idl.api, "idl", "shape", *place, last]),
            title=title,
            scripts=scripts,
            requirements=bindings.shape(bound or kind, definition, member),
            features=instances.features(definition),
        )

    def conversion(
        self,
        place: Sequence[str],
        kind: str,
        title: str,
        scripts: Mapping[Language, Sequence[Exchange]],
        *,
        requirements: tuple[str, ...],
        features: frozenset[str] = frozenset(),
    ) -> Draft:
        """Return a case of conversion: `place` is where the value goes, such as a dictionary and its member."""
        return Draft(
            id="/".join([self.idl.api, "idl", "conversion", *place, kind]),
            title=title,
            scripts=scripts,
            requirements=requirements,
            features=features,
        )


def constructor(interface: Interface) -> Constructor | None:
    """Return the constructor of an interface that has one."""
    return next((member for member in interface.members if isinstance(member, Constructor)), None)


def required(arguments: Sequence[Argument]) -> int:
    """Return how many arguments must be given: Web IDL's length of the function."""
    return sum(not argument.optional for argument in arguments)


def ways(definition: Interface | Mixin) -> tuple[Instance, ...]:
    """Return the ways to an instance; none where only a peer that the harness lacks could bring one about."""
    return instances.INSTANCES.get(definition.name, ())
