"""The tables that implementations work by: the IDL for conversion, the error mapping, the lifecycle's transitions."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from conformance.spec import tree
from conformance.spec.emit.layout import banner, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.spec.error_table import ErrorTable
    from conformance.spec.idl import Idl

Transitions = dict[str, dict[str, dict[str, str]]]


def idl_json(idl: Idl) -> str:
    """Return the IDL tree, which agents read."""
    return literal(tree.to_json(idl), "json") + "\n"


def _idl_parts(idl: Idl) -> tuple[Mapping[str, object], Mapping[str, object]]:
    whole = tree.to_json(idl)
    return whole["enums"], whole["dictionaries"]


# JavaScript

_FREEZE = """\
/**
 * @template T
 * @param {T} value
 * @returns {T}
 */
const freeze = (value) => {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
};
"""

_JAVASCRIPT_IDL = """\
// $banner

/** @typedef {"object" | "any" | "undefined"} Bare a kind that has only one type */
/**
 * @typedef {object} NamedType a type that is one name
 * @property {"primitive" | "string" | "buffer" | "enum" | "dictionary" | "interface" | "callback" | Bare} kind
 * @property {string} name
 * @property {boolean} nullable
 * @property {true} [enforceRange]
 */
/**
 * @typedef {object} UnionType a choice between types
 * @property {"union"} kind
 * @property {readonly Type[]} members
 * @property {boolean} nullable
 */
/**
 * @typedef {object} GenericType a type over another one
 * @property {"sequence" | "FrozenArray" | "Promise"} kind
 * @property {Type} of
 * @property {boolean} nullable
 */
/** @typedef {NamedType | UnionType | GenericType} Type */
/**
 * @typedef {object} Member a member of a dictionary
 * @property {string} name
 * @property {boolean} required
 * @property {Type} type
 * @property {unknown} [default] there only if the member has one
 */
/**
 * @typedef {object} Dictionary
 * @property {string | null} inherits
 * @property {readonly Member[]} members its own, in the order of the IDL, which is not the order of conversion
 */

$freeze
/**
 * The values of each enumeration.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const enums = freeze($enums);

/**
 * The members of each dictionary.
 * @type {Readonly<Record<string, Dictionary>>}
 */
export const dictionaries = freeze($dictionaries);
"""

_JAVASCRIPT_ERRORS = """\
// $banner

$freeze
/**
 * What a system's failure is called in `SocketError.errorCode`: phase, then system code.
 * A key that ends in `*` stands for every name that begins like it; `*` alone is the phase's answer to the rest.
 * @type {Readonly<Record<string, Readonly<Record<string, string>>>>}
 */
export const systemCodes = freeze($codes);
"""

_JAVASCRIPT_LIFECYCLE = """\
// $banner

$freeze
/** Every state of a socket. */
export const states = freeze(/** @type {const} */ ($states));

/**
 * The state that follows: transport, then state, then event. What is not there cannot happen.
 * @type {Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>}
 */
export const transitions = freeze($transitions);
"""


def javascript_idl(idl: Idl) -> str:
    """Return polyfill/javascript/src/generated/idl.js."""
    enums, dictionaries = _idl_parts(idl)
    return Template(_JAVASCRIPT_IDL).substitute(
        banner=banner("spec/socket/socket.webidl"),
        freeze=_FREEZE,
        enums=literal(enums, "javascript", column=28),
        dictionaries=literal(dictionaries, "javascript", column=35),
    )


def javascript_errors(table: ErrorTable) -> str:
    """Return polyfill/javascript/src/generated/errors.js."""
    return Template(_JAVASCRIPT_ERRORS).substitute(
        banner=banner("spec/socket/errors.yaml"),
        freeze=_FREEZE,
        codes=literal(table.by_phase(), "javascript", column=34),
    )


def javascript_lifecycle(states: tuple[str, ...], transitions: Transitions) -> str:
    """Return polyfill/javascript/src/generated/lifecycle.js."""
    return Template(_JAVASCRIPT_LIFECYCLE).substitute(
        banner=banner("spec/socket/lifecycle.yaml"),
        freeze=_FREEZE,
        states=literal(states, "javascript", column=50),
        transitions=literal(transitions, "javascript", column=34),
    )


# Python

_PYTHON_IDL = '''\
"""The enumerations and dictionaries of the Web IDL, as the conversion of arguments reads them.

$banner
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


ENUMS: Final[Mapping[str, Sequence[str]]] = $enums

DICTIONARIES: Final[Mapping[str, Dictionary]] = $dictionaries
'''

_PYTHON_ERRORS = '''\
"""What a system's failure is called in `SocketError.error_code`: phase, then system code.

A key that ends in `*` stands for every name that begins like it; `*` alone is the phase's answer to the rest.

$banner
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_CODES: Final[Mapping[str, Mapping[str, str]]] = $codes
'''

_PYTHON_LIFECYCLE = '''\
"""The state that follows: transport, then state, then event. What is not there cannot happen.

$banner
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATES: Final[Sequence[str]] = $states

TRANSITIONS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = $transitions
'''

_PYTHON_PACKAGE = '''\
"""What is generated from the specification; the sources are in spec/socket/."""
'''


def python_package() -> str:
    """Return polyfill/python/commonsocket/generated/__init__.py."""
    return _PYTHON_PACKAGE


def python_idl(idl: Idl) -> str:
    """Return polyfill/python/commonsocket/generated/idl.py."""
    enums, dictionaries = _idl_parts(idl)
    return Template(_PYTHON_IDL).substitute(
        banner=banner("spec/socket/socket.webidl"),
        enums=literal(enums, "python", column=48),
        dictionaries=literal(dictionaries, "python", column=48),
    )


def python_errors(table: ErrorTable) -> str:
    """Return polyfill/python/commonsocket/generated/errors.py."""
    return Template(_PYTHON_ERRORS).substitute(
        banner=banner("spec/socket/errors.yaml"), codes=literal(table.by_phase(), "python", column=55)
    )


def python_lifecycle(states: tuple[str, ...], transitions: Transitions) -> str:
    """Return polyfill/python/commonsocket/generated/lifecycle.py."""
    return Template(_PYTHON_LIFECYCLE).substitute(
        banner=banner("spec/socket/lifecycle.yaml"),
        states=literal(states, "python", column=31),
        transitions=literal(transitions, "python", column=68),
    )
