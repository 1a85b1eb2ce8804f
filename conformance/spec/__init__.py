"""The machine-readable specification as typed values: `load()` reads it, and every fault of its files has a place."""

from conformance.spec.error_table import ErrorCode, ErrorTable, Phase
from conformance.spec.idl import (
    ABSENT,
    Argument,
    AsyncIterable,
    Attribute,
    Constructor,
    Definition,
    Dictionary,
    DictionaryMember,
    Enumeration,
    GenericType,
    Idl,
    Interface,
    Member,
    Mixin,
    NamedType,
    Operation,
    Type,
    UnionType,
)
from conformance.spec.lifecycle import NO_STATE, Cell, Lifecycle, LifecycleRow, Need, Role
from conformance.spec.loader import Spec, load
from conformance.spec.problems import Problem, SpecError
from conformance.spec.requirement import Level, Requirement

__all__ = [
    "ABSENT",
    "NO_STATE",
    "Argument",
    "AsyncIterable",
    "Attribute",
    "Cell",
    "Constructor",
    "Definition",
    "Dictionary",
    "DictionaryMember",
    "Enumeration",
    "ErrorCode",
    "ErrorTable",
    "GenericType",
    "Idl",
    "Interface",
    "Level",
    "Lifecycle",
    "LifecycleRow",
    "Member",
    "Mixin",
    "NamedType",
    "Need",
    "Operation",
    "Phase",
    "Problem",
    "Requirement",
    "Role",
    "Spec",
    "SpecError",
    "Type",
    "UnionType",
    "load",
]
