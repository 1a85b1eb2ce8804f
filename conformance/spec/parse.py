"""Web IDL source to `Idl`, by widlparser, with the line of every problem.

widlparser keeps the source text of each production but no positions. Positions are counted back from the text:
the productions of a file, put together, are the file again.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from conformance.spec.brackets import unbalanced
from conformance.spec.externals import EXTERNALS
from conformance.spec.idl import (
    ABSENT,
    Argument,
    AsyncIterable,
    Attribute,
    Constructor,
    Default,
    Dictionary,
    DictionaryMember,
    Enumeration,
    GenericType,
    Idl,
    Interface,
    Member,
    Mixin,
    NamedKind,
    NamedType,
    Operation,
    Type,
    UnionType,
)
from conformance.spec.problems import BROKEN_IDL, Problem, raise_for
from conformance.spec.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

# Characters of the source that a message quotes.
_SHORT = 50
_STRINGS = frozenset({"DOMString", "USVString", "ByteString"})
_BARE: dict[str, NamedKind] = {"undefined": "undefined", "object": "object", "any": "any", "ArrayBuffer": "buffer"}
_PRIMITIVES = frozenset(
    {"boolean", "byte", "octet", "short", "unsigned short", "long", "unsigned long", "long long", "unsigned long long"}
    | {"float", "unrestricted float", "double", "unrestricted double", "bigint"}
)
_DEFINED_KINDS: dict[str, NamedKind] = {"enum": "enum", "dictionary": "dictionary", "interface": "interface"}
_GENERICS = frozenset({"sequence", "FrozenArray", "Promise"})
_SYNTAX_ERROR = re.compile(
    r'IDL SYNTAX ERROR LINE: (\d+) - (?P<message>(?:expected ";" )?(?:skipped: "(?P<skipped>.*)")?.*)', re.DOTALL
)


def parse(source: str, *, file: str, api: str, digest: str) -> Idl:
    """Return the definitions of the Web IDL text `source`.

    `file` is how problems name it, `digest` how the tree says what it was made of. Raises BrokenIdlError with every
    syntax error, unknown type, duplicate name and missing annotation of the file, each with its line.
    """
    raise_for(unbalanced(source, file))
    return _Lowering(source, file).run(api, digest)


class _Listener:
    """Receives widlparser's complaints."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def warn(self, message: str) -> None:
        self.messages.append(message.strip())

    note = warn


class _Lowering:
    """One pass over one file: collects problems instead of stopping at the first."""

    def __init__(self, source: str, file: str) -> None:
        # Parsing takes a fifth of a second of imports: only those pay who parse.
        import widlparser  # noqa: PLC0415

        self._source = source
        self._file = file
        self._problems: list[Problem] = []
        self._lines: dict[str, int] = {}
        self._rows = source.splitlines()
        listener = _Listener()
        self._parser = widlparser.Parser(source, listener)
        for message in listener.messages:
            # What it says of meaning (IDL ERROR), `validate` finds too, wherever the definitions stand.
            if not message.startswith("IDL ERROR"):
                self._complaint(message)
        # What a parser makes of a file with syntax errors says nothing about the file: stop here.
        raise_for(sorted(set(self._problems)))
        self._kinds: dict[str, NamedKind] = {
            construct.name or "": _DEFINED_KINDS[construct.idl_type]
            for construct in self._parser.constructs
            if construct.idl_type in _DEFINED_KINDS
        }

    def run(self, api: str, digest: str) -> Idl:
        enumerations: dict[str, Enumeration] = {}
        dictionaries: dict[str, Dictionary] = {}
        interfaces: dict[str, Interface] = {}
        mixins: dict[str, Mixin] = {}
        offset = 0
        for construct in self._parser.constructs:
            text = str(construct)
            line = self._line(offset + len(construct.leading_space))
            kind, name = construct.idl_type, construct.name or ""
            if name in self._lines:
                self._problem(
                    line, f"`{name}` is defined twice", f"rename or remove one (the other: line {self._lines[name]})"
                )
            self._lines.setdefault(name, line)
            match type(construct).__name__:
                case "Enum":
                    enumerations[name] = self._enumeration(construct, line)
                case "Dictionary":
                    dictionaries[name] = self._dictionary(construct, offset)
                case "Interface":
                    interfaces[name] = self._interface(construct, offset, line)
                case "Mixin":
                    mixins[name] = Mixin(name, tuple(self._members(construct, offset)))
                case "SyntaxError":
                    pass  # the listener has heard of it
                case _:
                    self._problem(
                        line,
                        f"`{kind} {name}` is a kind of definition that the harness has no tests for",
                        "use enum, dictionary, interface or interface mixin",
                    )
            offset += len(text)
        idl = Idl(api, digest, enumerations, dictionaries, interfaces, mixins, self._docs())
        for name, message, remedy in validate(idl):
            self._problem(self._lines.get(name, 0), message, remedy)
        raise_for(sorted(self._problems))
        return idl

    # Definitions

    def _enumeration(self, construct: Any, line: int) -> Enumeration:
        values = tuple(json.loads(value.value) for value in construct._enum_values.values)  # noqa: SLF001 (no public way)
        for value in sorted({value for value in values if values.count(value) > 1}):
            self._problem(line, f'"{value}" stands twice in enum {construct.name}', "remove one of them")
        return Enumeration(construct.name, values)

    def _dictionary(self, construct: Any, offset: int) -> Dictionary:
        members = []
        for member, line in self._placed(construct, offset):
            if type(member).__name__ != "DictionaryMember":
                continue  # a syntax error, which the listener has heard of
            lowered = DictionaryMember(
                member.name,
                self._type(member.type, member.extended_attributes, line),
                required=member.required is not None,
                default=self._default(member.default),
            )
            self._name(construct.name, lowered.name, line)
            members.append(lowered)
        return Dictionary(construct.name, construct.inheritance.base if construct.inheritance else None, tuple(members))

    def _interface(self, construct: Any, offset: int, line: int) -> Interface:
        attributes = _extended(construct)
        if "Exposed" not in attributes:
            self._problem(
                line, f"interface {construct.name} does not say where it is exposed", "put [Exposed=*] before it"
            )
        elif not re.fullmatch(r"\*|\w+|\(\w+(\s*,\s*\w+)*\)", attributes["Exposed"]):
            self._problem(
                line, f"[Exposed={attributes['Exposed']}] names no globals", "write [Exposed=*] or a list of names"
            )
        for unknown in sorted(attributes.keys() - {"Exposed", "Serializable"}):
            self._problem(line, f"[{unknown}] on interface {construct.name} is not known here", "remove it")
        return Interface(
            construct.name,
            construct.inheritance.base if construct.inheritance else None,
            tuple(re.findall(r"[\w*]+", attributes.get("Exposed", ""))),
            "Serializable" in attributes,
            tuple(self._members(construct, offset)),
        )

    # Members

    def _members(self, construct: Any, offset: int) -> Iterator[Member]:
        for wrapper, line in self._placed(construct, offset):
            inner = getattr(wrapper, "member", None)
            if inner is None:
                continue  # a syntax error, which the listener has heard of
            member = self._member(inner, _extended(wrapper), line)
            if member is not None:
                self._name(construct.name, member.name, line)
                yield member

    def _member(self, inner: Any, attributes: dict[str, str], line: int) -> Member | None:
        kind = type(inner).__name__
        static = kind == "StaticMember"
        if kind == "Constructor":
            return Constructor(self._arguments(inner, line))
        if kind == "AsyncIterable" and inner.type is not None:
            return AsyncIterable(self._type(inner.type, None, line))
        rest = getattr(inner, "attribute", None)
        if rest is not None:
            same = "SameObject" in attributes
            readonly = rest.readonly is not None
            return Attribute(inner.name, self._type(rest.type, None, line), readonly, static, same)
        if kind in ("Operation", "StaticMember"):
            result = self._type(inner.return_type, None, line)
            return Operation(inner.name, result, self._arguments(inner, line), static, "Default" in attributes)
        self._problem(
            line,
            f"`{' '.join(str(inner).split())}` is a kind of member that the harness has no tests for",
            "use a constructor, attributes, operations or async_iterable",
        )
        return None

    def _arguments(self, inner: Any, line: int) -> tuple[Argument, ...]:
        arguments = []
        for argument in inner.arguments or ():
            if argument.variadic is not None:
                self._problem(line, f"argument `{argument.name}` is variadic, which has no tests", "use a sequence")
            lowered = self._type(argument.type, argument.extended_attributes, line)
            optional = argument.optional is not None
            arguments.append(Argument(argument.name, lowered, optional, self._default(argument.default)))
        return tuple(arguments)

    # Types

    def _type(self, node: Any, outer: Any, line: int) -> Type:
        """Lower a type. Extended attributes that apply to types may stand before the member or before the type."""
        names = {item.name for item in outer or ()} | {
            item.name for item in getattr(node, "extended_attributes", None) or ()
        }
        return self._bare(str(node).strip(), line, enforce_range="EnforceRange" in names)

    def _bare(self, text: str, line: int, *, enforce_range: bool = False) -> Type:
        """Lower the text of a type: the grammar of types is small, and widlparser has checked it."""
        text = re.sub(r"^(\[[^\]]*\]\s*)+", "", text).strip()
        nullable = text.endswith("?")
        text = text.removesuffix("?").strip()
        if text.startswith("("):
            return UnionType(tuple(self._bare(part, line) for part in _alternatives(text[1:-1])), nullable)
        head, bracket, tail = text.partition("<")
        if bracket:
            head = head.strip()
            if head not in _GENERICS:
                self._problem(line, f"type {head}<…> has no tests", "use sequence, FrozenArray or Promise")
            return GenericType(head, self._bare(tail.rpartition(">")[0], line), nullable)  # type: ignore[arg-type] # checked above
        name = " ".join(text.split())
        return self._named(name, line, nullable=nullable, enforce_range=enforce_range)

    def _named(self, name: str, line: int, *, nullable: bool, enforce_range: bool) -> NamedType:
        external = EXTERNALS.get(name)
        if name in _BARE:
            return NamedType(_BARE[name], name, nullable)
        if name in _STRINGS:
            return NamedType("string", name, nullable)
        if name in _PRIMITIVES:
            return NamedType("primitive", name, nullable, enforce_range)
        if name in self._kinds:
            return NamedType(self._kinds[name], name, nullable)
        if external is None:
            self._problem(line, f"type `{name}` is not defined", "define it, or correct its name")
            return NamedType("any", name, nullable)
        return NamedType(external.kind, external.resolves_to, nullable)

    def _default(self, node: Any) -> Default:
        if node is None:
            return ABSENT
        text = node.value.strip()
        if text == "[]":
            return ()
        value: Default = json.loads(text)
        return value

    # Places

    def _placed(self, construct: Any, offset: int) -> Iterator[tuple[Any, int]]:
        """Yield the members of `construct`, which starts at `offset` of the source, each with its line."""
        cursor = self._source.index("{", offset + len(construct.leading_space)) + 1
        for member in construct.members:
            text = str(member)
            cursor = self._source.index(text, cursor)
            yield member, self._line(cursor + len(member.leading_space))
            cursor += len(text)

    def _line(self, offset: int) -> int:
        return self._source.count("\n", 0, offset) + 1

    def _name(self, owner: str, name: str, line: int) -> None:
        key = f"{owner}.{name}"
        if key in self._lines:
            self._problem(
                line, f"`{key}` is defined twice", f"rename or remove one (the other: line {self._lines[key]})"
            )
        self._lines.setdefault(key, line)

    def _docs(self) -> dict[str, str]:
        return {name: doc for name, line in self._lines.items() if (doc := self._doc(line))}

    def _doc(self, line: int) -> str:
        """Return the comment right above `line`, as one line of text."""
        words: list[str] = []
        for row in reversed(self._rows[: line - 1]):
            if not row.lstrip().startswith("//"):
                break
            words.insert(0, row.lstrip().removeprefix("//").strip())
        return " ".join(words)

    # Problems

    def _complaint(self, message: str) -> None:
        """Report what widlparser says. It counts lines up to the next word: look for what it skipped instead."""
        match = _SYNTAX_ERROR.match(message)
        line, words = (int(match[1]), match["message"]) if match else (0, message)
        skipped = match["skipped"] if match else None
        places = (
            [self._line(each.start()) for each in re.finditer(re.escape(skipped.strip()), self._source)]
            if skipped
            else []
        )
        if skipped and places:
            line = min(places, key=lambda place: abs(place - line))
            words = f"cannot make sense of `{_beginning(skipped)}`"
        else:
            line = self._code_before(line)
        text = f"syntax error: {' '.join(words.split())}"
        self._problem(
            line, text, "correct the Web IDL there or right before: perhaps a `;`, a `,` or a keyword is missing"
        )

    def _code_before(self, line: int) -> int:
        """Return the last line before `line` that is more than comment."""
        rows = (number for number in range(line - 1, 0, -1) if self._rows[number - 1].split("//")[0].strip())
        return next(rows, line)

    def _problem(self, line: int, message: str, remedy: str) -> None:
        self._problems.append(Problem(self._file, line, 0, BROKEN_IDL, message, remedy))


def _extended(construct: Any) -> dict[str, str]:
    """Return the extended attributes of a construct: name to the text of their value."""
    found = {}
    for item in construct.extended_attributes or ():
        name, _, value = str(item).strip().partition("=")
        found[name.strip()] = value.strip()
    return found


def _alternatives(text: str) -> list[str]:
    """Split the inside of a union at its own `or`s, not at those of a nested one."""
    parts, depth, start = [], 0, 0
    for match in re.finditer(r"[(<]|[)>]|\bor\b", text):
        word = match[0]
        if word == "or" and depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
        elif word != "or":
            depth += 1 if word in "(<" else -1
    return [*parts, text[start:]]


def _beginning(text: str) -> str:
    line = " ".join(re.sub(r"//[^\n]*", "", text).split())
    return line if len(line) <= _SHORT else f"{line[:_SHORT]}…"
