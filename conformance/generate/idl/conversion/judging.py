"""What must be observed when a value is converted: the outcome, what was read, what was called, what it became."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.idl.conversion.rows import ERROR, LABEL, MISSING, RAISES, REFUSED, SOMETHING
from conformance.generate.idl.conversion.slots import join, read_later
from conformance.generate.idl.facts import Facts, Judged, one_of
from conformance.generate.idl.instances import NULL
from conformance.spec.idl import ABSENT
from conformance.testing.compare import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.generate.idl.conversion.rows import Row
    from conformance.generate.idl.conversion.slots import Entry, Way
    from conformance.spec.idl import DictionaryMember, Idl

NOT_SUPPORTED: Facts = {"outcome": "threw", "error": {"name": "NotSupportedError", "is": ["DOMException", "Error"]}}


def _zero(value: Any) -> bool:
    return value is not MISSING and bool(value == 0)


def _not_loopback(value: Any) -> bool:
    return value is not MISSING and (value is SOMETHING or value != "127.0.0.1")


def _always(_: Any) -> bool:
    return True


_CHECKED_LATER: Mapping[tuple[str, str], Callable[[Any], bool]] = {
    ("SocketAddress", "address"): _not_loopback,
    ("SocketAddress", "port"): _zero,
    ("SocketLocalAddress", "address"): _not_loopback,
    ("SocketInit", "remote"): lambda value: value is MISSING or value is SOMETHING,
    ("SocketInit", "ttl"): _zero,
    ("SocketInit", "sendBufferSize"): _zero,
    ("SocketInit", "receiveBufferSize"): _zero,
    ("SocketInit", "keepAliveDelay"): lambda value: value is not MISSING and 0 < value < 1000,
    ("SocketTLSInit", "alpn"): _always,
    ("SocketTLSInit", "ca"): _always,
    ("SocketTLSInit", "cert"): _always,
    ("SocketTLSInit", "key"): _always,
    ("SocketTLSInit", "servername"): _always,
    ("SocketTLSInit", "serverCertificateHashes"): _always,
    ("SocketCertificateHash", "algorithm"): _always,
    ("SocketCertificateHash", "value"): _always,
    ("SocketListenerInit", "accept"): _always,
    ("SocketListenerInit", "tls"): _always,
    ("SocketListenerInit", "type"): lambda value: value != "tcp",
    ("SocketDatagram", "remote"): lambda value: value is MISSING,
}
"""Converted values that a check after the conversion may refuse with a TypeError of its own.

There the outcome says nothing about the conversion. What is read next does: a conversion that fails ends the reading.
"""

_MAY_BE_UNSUPPORTED = frozenset({"SocketLocalAddress", "SocketTLSInit", "SocketCertificateHash"}) | {
    ("SocketInit", member) for member in ("local", "tls", "type")
}
"""Dictionaries and members that an implementation may not support: then it throws a NotSupportedError."""


def checked_later(dictionary: str, member: str, result: Any) -> bool:
    """Return whether a check after the conversion may refuse this converted value of the member."""
    check = _CHECKED_LATER.get((dictionary, member))
    return check is not None and check(result)


def outcome(way: Way, dictionary: str, declared: DictionaryMember, row: Row, idl: Idl) -> Any:
    """Return what must be observed of a call that hands the value of `row` to the member by this way."""
    member = declared.name
    path = join(way.place(), member)
    if row.result is REFUSED or row.result is RAISES:
        error = {"label": ERROR} if row.result is RAISES else {"is": ["TypeError", "Error"]}
        # Where every value may be refused later, too, only the end of the reading tells that it was the conversion.
        always = _CHECKED_LATER.get((dictionary, member)) is _always
        unread = read_later(way, dictionary, member, idl) if always else ()
        return {"outcome": way.entry.refused, "error": error, "log": read(path, row.log, unread=unread)}
    if checked_later(dictionary, member, row.result):
        return {"log": read(path, row.log, then=read_later(way, dictionary, member, idl))}
    facts = {"log": read(path, row.log), "reported": _reported(way, declared, row.result)}
    return accepted(way.entry, dictionary, member, facts)


def accepted(entry: Entry, dictionary: str, member: str, facts: Facts) -> Any:
    """Return the expectation of a call whose conversion succeeds and which no check refuses, with these facts too."""
    usual = {**entry.accepted, **facts}
    optional = dictionary in _MAY_BE_UNSUPPORTED or (dictionary, member) in _MAY_BE_UNSUPPORTED
    if optional and entry.refused == "threw":
        return one_of({**NOT_SUPPORTED, "log": facts.get("log", [])}, usual)
    return usual


def _reported(way: Way, declared: DictionaryMember, result: Any) -> Facts:
    path = None if way.path else way.entry.readback.get(declared.name)
    if path is None or result is SOMETHING:
        return {}
    if result is not MISSING:
        return {path: value_facts(result)}
    if declared.default is not ABSENT:
        return {path: value_facts(declared.default)}
    # A member of any type that is not given is undefined, for which Python has None.
    return {path: one_of({"type": "undefined"}, NULL)}


def value_facts(value: Any) -> Facts:
    """Return the facts of a JSON value that is no object."""
    match value:
        case None:
            return {"type": "null"}
        case bool():
            return {"type": "boolean", "value": value}
        case str():
            return {"type": "string", "value": value}
    return {"type": "number", "value": value}


def read(path: str, hooks: Sequence[str] = (), *, then: Sequence[str] = (), unread: Sequence[str] = ()) -> Judged:
    """Return the expectation of a log in which `path` was read.

    Of the value exactly `hooks` were called after that, in order; one of the places `then`, if any, was read later,
    and none of `unread`.
    How often the path is read is judged by cases of their own.
    """

    def fault(log: Any) -> str | None:
        if not isinstance(log, list):
            return f"is {shown(log)}, not a list"
        if path not in log:
            return f"does not say that {path} was read: {shown(log)}"
        after = log[log.index(path) + 1 :]
        calls = [each for each in after if isinstance(each, str) and each.startswith(f"{LABEL}.")]
        if hooks and calls != list(hooks):
            return f"says that after reading {path} {_list(calls)} was called, not {_list(hooks)}"
        if then and not any(each in then for each in after):
            return f"ends with {path}, so its conversion failed: {then[0]} is not read after it"
        for each in after:
            if each in unread:
                return f"goes on after {path} with {each}, so the conversion did not fail"
        return None

    return Judged(fault)


def _list(calls: Sequence[str]) -> str:
    return " and ".join(calls) or "nothing"
