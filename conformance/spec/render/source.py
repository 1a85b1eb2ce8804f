"""The Web IDL source as HTML: coloured, every definition and member an anchor, every name a link."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from conformance.spec.externals import EXTERNALS
from conformance.spec.idl import AsyncIterable, Constructor, Enumeration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.spec.idl import Definition, Idl

_TOKEN = re.compile(r'(?P<comment>//[^\n]*)|(?P<string>"[^"]*")|(?P<word>[A-Za-z_]\w*)|(?P<other>\s+|.)', re.DOTALL)
_KEYWORDS = re.compile(
    "any|async_iterable|attribute|boolean|constructor|dictionary|enum|false|interface|long|mixin|null|object|octet|"
    "optional|or|readonly|required|sequence|short|static|true|undefined|unsigned"
)
_BUILT_IN = frozenset({"DOMString", "USVString", "Promise", "FrozenArray", "ArrayBuffer"})
_WEB_IDL = "https://webidl.spec.whatwg.org/#idl-"


def source_html(source: str, idl: Idl) -> Markup:
    """Return the Web IDL text `source` of `idl` as the content of a `pre` element."""
    anchors = dict(_anchors(source, idl))
    parts: list[str] = []
    for match in _TOKEN.finditer(source):
        text = str(escape(match[0]))
        if match.start() in anchors:
            name = anchors[match.start()]
            parts.append(f'<a class="name" id="idl/{escape(name)}" href="#{escape(name)}">{text}</a>')
        elif match["comment"]:
            parts.append(f'<span class="comment">{text}</span>')
        elif match["string"]:
            parts.append(f'<span class="string">{text}</span>')
        elif match["word"]:
            parts.append(_word(match[0], idl))
        else:
            parts.append(text)
    return Markup("".join(parts))  # noqa: S704 (every part is escaped above)


def _word(word: str, idl: Idl) -> str:
    external = EXTERNALS.get(word)
    if _KEYWORDS.fullmatch(word):
        return f'<span class="keyword">{word}</span>'
    if external is not None:
        return f'<a class="type" href="{escape(external.url)}">{word}</a>'
    if word in _BUILT_IN:
        fragment = {"Promise": "promise", "FrozenArray": "frozen-array"}.get(word, word)
        return f'<a class="type" href="{_WEB_IDL}{fragment}">{word}</a>'
    if any(word == each.name for each in idl.definitions()):
        return f'<a class="type" href="#idl/{word}">{word}</a>'
    return word


def _anchors(source: str, idl: Idl) -> Iterator[tuple[int, str]]:
    """Yield the offset and the name of each definition and member where it is defined."""
    # Comments hold names too: blank them out, so that a search meets definitions only.
    blank = re.sub(r"//[^\n]*", lambda match: " " * len(match[0]), source)
    for definition in idl.definitions():
        start = re.search(rf"\b(?:enum|dictionary|interface|mixin)\s+({definition.name})\s*[:{{]", blank)
        if start is None:
            continue
        yield start.start(1), definition.name
        cursor = blank.index("{", start.end(1))
        for name, pattern in _patterns(definition):
            found = re.compile(pattern).search(blank, cursor)
            if found is not None:
                yield found.start(1), f"{definition.name}.{name}"
                cursor = found.end(1)


def _patterns(definition: Definition) -> Iterator[tuple[str, str]]:
    """Yield the members of a definition in order, each with the pattern of its name where it is defined."""
    if isinstance(definition, Enumeration):
        return
    for member in definition.members:
        if isinstance(member, Constructor):
            yield member.name, r"\b(constructor)\b"
        elif isinstance(member, AsyncIterable):
            yield member.name, r"\b(async_iterable)\b"
        else:
            yield member.name, rf"\b({member.name})\s*(?:=[^;]*)?[;(]"
