"""Facts that several kinds of cases expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.generate.idl.facts import Facts, Satisfies

TYPE_ERROR: Facts = {"outcome": "threw", "error": {"is": ["TypeError", "Error"]}}
"""A call threw a TypeError."""

REJECTED: Facts = {"outcome": "rejected", "error": {"is": ["TypeError", "Error"]}}
"""The promise that a call returned was rejected with a TypeError."""

UNDEFINED: Facts = {"type": "undefined"}

WRONG_RECEIVERS = ("undefined", "null", "number", "object", "prototype", "heir", "other")
"""What the probe of receivers tries: none of them is an object of the interface."""


def function_facts(name: str | Satisfies, length: int) -> Facts:
    """Return the facts of a built-in function: its name and length are configurable only, and it is no constructor."""
    return {
        "name": name,
        "nameAttributes": ["configurable"],
        "length": length,
        "lengthAttributes": ["configurable"],
        "constructor": False,
    }
