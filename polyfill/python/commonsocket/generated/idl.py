"""The enumerations and dictionaries of the Web IDL, as the conversion of arguments reads them.

{banner}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Required, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Type(TypedDict, total=False):
    """A type: `name` for one that is one name, `members` for a union, `of` for sequence, FrozenArray and Promise."""

    kind: Required[str]
    nullable: Required[bool]
    name: str
    enforceRange: bool
    members: Sequence[Type]
    of: Type


class Member(TypedDict, total=False):
    """A member of a dictionary; `default` is there only if it has one."""

    name: Required[str]
    required: Required[bool]
    type: Required[Type]
    default: object


class Dictionary(TypedDict):
    """A dictionary and its own members, in the order of the IDL; conversion reads them in lexicographical order."""

    inherits: str | None
    members: Sequence[Member]


ENUMS: Final[Mapping[str, Sequence[str]]] = {enums}

DICTIONARIES: Final[Mapping[str, Dictionary]] = {dictionaries}
