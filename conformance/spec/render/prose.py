"""Sentences of the specification as HTML: names in backticks become code, and links where it is clear what is meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_CODE = re.compile(r"`([^`]+)`")


def sentence_html(text: str, names: Collection[str], near: Iterable[str] = ()) -> Markup:
    """Return `text` as HTML. `names` are all definitions and members; `near` are those that the sentence is about.

    A bare `ready` links to the member of that name among `near`.
    """
    close = {name.rpartition(".")[2]: name for name in near if "." in name}
    parts: list[Markup] = []
    end = 0
    for match in _CODE.finditer(text):
        parts += [escape(text[end : match.start()]), _code(match[1], names, close)]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def _code(text: str, names: Collection[str], close: dict[str, str]) -> Markup:
    word = text.removesuffix("()")
    target = word if word in names else close.get(word.rpartition(".")[2])
    code = Markup("<code>{}</code>").format(text)
    return Markup('<a href="#{}">{}</a>').format(target, code) if target else code
