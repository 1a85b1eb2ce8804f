"""The names that `socket.webidl` takes from other standards: what kind of type each is and where it is defined."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conformance.spec.idl import Dictionary, DictionaryMember, NamedType

if TYPE_CHECKING:
    from conformance.spec.idl import NamedKind


class External(NamedTuple):
    """A name of another standard: its kind, the name it resolves to (typedefs are resolved), its definition."""

    kind: NamedKind
    resolves_to: str
    url: str


EXTERNALS: dict[str, External] = {
    "AbortSignal": External("interface", "AbortSignal", "https://dom.spec.whatwg.org/#abortsignal"),
    "BufferSource": External("buffer", "BufferSource", "https://webidl.spec.whatwg.org/#BufferSource"),
    "CryptoKey": External("interface", "CryptoKey", "https://w3c.github.io/webcrypto/#cryptokey-interface"),
    "DOMException": External("interface", "DOMException", "https://webidl.spec.whatwg.org/#idl-DOMException"),
    "DOMHighResTimeStamp": External("primitive", "double", "https://w3c.github.io/hr-time/#dom-domhighrestimestamp"),
    "Event": External("interface", "Event", "https://dom.spec.whatwg.org/#event"),
    "EventHandler": External(
        "callback", "EventHandler", "https://html.spec.whatwg.org/multipage/webappapis.html#eventhandler"
    ),
    "EventInit": External("dictionary", "EventInit", "https://dom.spec.whatwg.org/#dictdef-eventinit"),
    "EventTarget": External("interface", "EventTarget", "https://dom.spec.whatwg.org/#eventtarget"),
    "ReadableStream": External("interface", "ReadableStream", "https://streams.spec.whatwg.org/#readablestream"),
    "WritableStream": External("interface", "WritableStream", "https://streams.spec.whatwg.org/#writablestream"),
}

_FLAG = NamedType("primitive", "boolean")

# The dictionaries of other standards that ours inherit from.
EXTERNAL_DICTIONARIES: dict[str, Dictionary] = {
    "EventInit": Dictionary(
        "EventInit",
        None,
        tuple(DictionaryMember(name, _FLAG, default=False) for name in ("bubbles", "cancelable", "composed")),
    )
}
