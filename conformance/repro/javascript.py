"""Spells a program in JavaScript."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from conformance.repro.model import (
    Append,
    Assign,
    Await,
    Call,
    Comment,
    Declare,
    Do,
    Each,
    Eventually,
    Exports,
    Expression,
    Function,
    Get,
    Global,
    Helper,
    Item,
    Join,
    Key,
    Later,
    Let,
    List,
    Meanwhile,
    Members,
    Name,
    New,
    NewError,
    Repeat,
    Same,
    SetMember,
    Show,
    Slice,
    Step,
    Turn,
    Unpack,
    Value,
    Wait,
)
from conformance.repro.words import JAVASCRIPT, quoted
from conformance.repro.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conformance.repro.library import Part
    from conformance.repro.model import Program

_BUILT_IN: Final = "const implementation = globalThis;"
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*")


class JavaScript(Writer):
    """Writes one JavaScript module."""

    language = "javascript"
    suffix = "mjs"
    command = "node"
    dialect = JAVASCRIPT
    comment = "//"
    indent = "  "
    always = ("noteUnhandled",)

    @staticmethod
    def source(implementation: str | None) -> str:
        """Return what the program imports from: the file of the implementation, or nothing where it is built in."""
        if implementation is None:
            return "commonsocket"
        if implementation == "global":
            return ""
        return Path(implementation).as_uri() if os.name == "nt" else implementation

    def member(self, name: str) -> str:
        """Return `.name`, or the name in brackets where it is a symbol or no identifier."""
        if name.startswith("@@"):
            return f"[Symbol.{name[2:]}]"
        return f".{name}" if _IDENTIFIER.fullmatch(name) else f"[{_string(name)}]"

    def literal(self, text: str) -> str:
        """Return a string literal."""
        return _string(text)

    def filled(self, text: str, ports: Mapping[int, str], pattern: re.Pattern[str]) -> str:
        """Return a template literal."""
        escaped = quoted(text)[1:-1].replace('\\"', '"').replace("`", "\\`")
        escaped = escaped.replace("${", "\\${")
        return f"`{pattern.sub(lambda found: f'${{{ports[int(found[0])]}}}', escaped)}`"

    def remote_port(self, name: str) -> str:
        """Return the port of the `remote` of a variable."""
        return f"{name}.remote.port"

    # Expressions.

    def _name(self, name: Name) -> str:
        return name.text

    def _global(self, name: Global) -> str:
        self.used.add(name.text)
        return name.text

    def _get(self, get: Get) -> str:
        return self.subject(get.on) + self.member(get.name)

    def _call(self, call: Call) -> str:
        return f"{self.subject(call.on)}{self.member(call.name)}({self._arguments(call.args, call.options)})"

    def _new(self, new: New) -> str:
        self.used.add(new.name)
        return f"new {new.name}({self._arguments(new.args)})"

    def _helper(self, helper: Helper) -> str:
        return f"{helper.name}({self._arguments(helper.args, helper.options)})"

    def _await(self, awaited: Await) -> str:
        return f"await {self.expression(awaited.of)}"

    def _later(self, later: Later) -> str:
        text = self.expression(later.of)
        if isinstance(later.of, SetMember) and later.of.manner == "strict":
            return f"() => {{ {text}; }}"
        return f"() => ({text})" if text.startswith("{") else f"() => {text}"

    def _same(self, same: Same) -> str:
        return f"{self.expression(same.one)} === {self.expression(same.other)}"

    def _slice(self, part: Slice) -> str:
        ends = [self.expression(end) for end in (part.start, part.stop) if end is not None]
        return f"{self.expression(part.of)}.subarray({', '.join(ends)})"

    def _item(self, item: Item) -> str:
        return f"{item.of.text}[{item.place}]"

    def _value(self, value: Value) -> str:
        wire = value.wire
        if not isinstance(wire, dict):
            return _string(wire) if isinstance(wire, str) else json.dumps(wire)
        match wire["$"]:
            case "number":
                return str(wire["value"])
            case "bigint":
                return f"{wire['value']}n"
            case "symbol":
                name = str(wire["name"])
                return f"Symbol.{name[2:]}" if name.startswith("@@") else f"Symbol({_string(name)})"
        return "undefined"

    def _list(self, items: List) -> str:
        return f"[{', '.join(self.expression(item) for item in items.items)}]"

    def _members(self, members: Members) -> str:
        if not members.entries:
            return "{}"
        parts = []
        for name, value in members.entries:
            key = name if _IDENTIFIER.fullmatch(name) and name != "__proto__" else f"[{_string(name)}]"
            text = self.expression(value)
            if name in members.getters:
                parts.append(f"get {key}() {{ return {text}(); }}")
            else:
                parts.append(key if key == text else f"{key}: {text}")
        return f"{{ {', '.join(parts)} }}"

    def _key(self, key: Key) -> str:
        return f"Symbol.{key.name[2:]}" if key.name.startswith("@@") else _string(key.name)

    def _exports(self, _: Exports) -> str:
        self.used.add("*")
        return "implementation"

    def _error(self, error: NewError) -> str:
        kind, _, name = error.kind.partition(":")
        self.used.add(kind)
        texts = [error.message, name] if name else [error.message]
        return f"new {kind}({', '.join(map(_string, texts))})"

    def _set(self, member: SetMember) -> str:
        on, value = self.subject(member.on), self.expression(member.value)
        if member.manner == "strict" or (member.manner == "usual" and member.name.startswith("on")):
            return f"{on}{self.member(member.name)} = {value}"
        # As in sloppy code: to write a member that is read-only does nothing.
        return f"Reflect.set({on}, {_string(member.name)}, {value})"

    def _arguments(self, args: Sequence[Expression], options: Sequence[tuple[str, Expression]] = ()) -> str:
        texts = [self.expression(arg) for arg in args]
        if options:
            texts.append(self._members(Members(tuple(options))))
        return ", ".join(texts)

    # Statements.

    def _comment(self, comment: Comment) -> list[str]:
        return [f"// {line}" for line in comment.words.splitlines()]

    def _step(self, step: Step) -> list[str]:
        return ["", *self._comment(step)]

    def _let(self, let: Let) -> list[str]:
        return [f"const {let.name} = {self.expression(let.value)};"]

    def _unpack(self, unpack: Unpack) -> list[str]:
        names = [member if member == name else f"{member}: {name}" for member, name in unpack.names.items()]
        return [f"const {{ {', '.join(names)} }} = {self.expression(unpack.value)};"]

    def _declare(self, declare: Declare) -> list[str]:
        return [f"let {name};" for name in declare.names]

    def _assign(self, assign: Assign) -> list[str]:
        return [f"{assign.name} = {self.expression(assign.value)};"]

    def _do(self, do: Do) -> list[str]:
        return [f"{self.expression(do.what)};"]

    def _set_statement(self, member: SetMember) -> list[str]:
        return [f"{self._set(member)};"]

    def _show(self, show: Show) -> list[str]:
        what, seen = self.expression(show.what), f"{{ seen: {self.seen(show.seen)} }}"
        return self.spread("show", [self.label(show), what, seen], ";")

    def _eventually(self, asked: Eventually) -> list[str]:
        answer = self.expression(asked.answer.of if isinstance(asked.answer, Await) else asked.answer)
        label = self.label(asked)
        if not asked.body:
            seen = f"{{ seen: {self.seen(asked.seen)} }}"
            return self.spread("await eventually", [label, f"() => {answer}", seen], ";")
        body = self.inner(asked.body)
        seen = f"{{ seen: {self.seen(asked.seen)} }}"
        return [f"await eventually({label}, async () => {{", *body, f"  return {answer};", f"}}, {seen});"]

    def _function(self, function: Function) -> list[str]:
        body = self.inner(function.body)
        if function.throws is not None:
            body.append(f"  throw {self.expression(function.throws)};")
        elif function.returns is not None:
            body.append(f"  return {self.expression(function.returns)};")
        label = _string(function.label)
        if not body:
            return [f"const {function.name} = called({label});"]
        return [f"const {function.name} = called({label}, ({', '.join(function.parameters)}) => {{", *body, "});"]

    def _meanwhile(self, meanwhile: Meanwhile) -> list[str]:
        return [f"const {meanwhile.name} = (async () => {{", *self.inner(meanwhile.body), "})();"]

    def _join(self, join: Join) -> list[str]:
        return [f"await {join.name};"]

    def _append(self, append: Append) -> list[str]:
        return [f"{append.to.text}.push({self.expression(append.value)});"]

    def _each(self, each: Each) -> list[str]:
        return [f"for (const {each.name} of {each.of.text}) {{", *self.inner(each.body), "}"]

    def _repeat(self, repeat: Repeat) -> list[str]:
        return [f"for (let round = 0; round < {repeat.times}; round++) {{", *self.inner(repeat.body), "}"]

    def _turn(self, _: Turn) -> list[str]:
        return ["await turn();"]

    def _wait(self, wait: Wait) -> list[str]:
        return [f"await pause({wait.milliseconds:g});"]

    # The whole.

    def whole(self, program: Program, body: list[str], parts: list[Part], source: str) -> list[str]:
        """Return imports, the test's part as a function, the helpers, and the call."""
        imports = _imports(line for part in parts for line in part.imports)
        names = sorted(self.used & self.exports)
        if names and source:
            imports.insert(0, f"import {{ {', '.join(names)} }} from {_string(source)};")
        if "*" in self.used:
            imports.insert(0, f"import * as implementation from {_string(source)};" if source else _BUILT_IN)
        lines = [*imports, "", "async function main() {", *body, "}", ""]
        lines += ["// ---- Helpers: what is seen is printed, and the peer is played. ----", ""]
        lines += [f"{self.seeded(part, program)}\n" for part in parts]
        return [*lines, "noteUnhandled();", "await main().catch((error) => console.log(error));", "process.exit();"]

    expressions: ClassVar[Mapping[type, Callable[[Any, Any], str]]] = {
        Name: _name,
        Global: _global,
        Get: _get,
        Call: _call,
        New: _new,
        Helper: _helper,
        Await: _await,
        Later: _later,
        Same: _same,
        Slice: _slice,
        Item: _item,
        Value: _value,
        List: _list,
        Members: _members,
        Key: _key,
        Exports: _exports,
        NewError: _error,
        SetMember: _set,
    }
    lines: ClassVar[Mapping[type, Callable[[Any, Any], list[str]]]] = {
        Comment: _comment,
        Step: _step,
        Let: _let,
        Unpack: _unpack,
        Declare: _declare,
        Assign: _assign,
        Do: _do,
        SetMember: _set_statement,
        Show: _show,
        Eventually: _eventually,
        Function: _function,
        Meanwhile: _meanwhile,
        Join: _join,
        Append: _append,
        Each: _each,
        Repeat: _repeat,
        Turn: _turn,
        Wait: _wait,
    }


def _imports(lines: Iterable[str]) -> list[str]:
    """Return import statements with one for each module."""
    modules: dict[str, set[str]] = {}
    for line in lines:
        names, module = re.findall(r"^import \{ (.*) \} from (.*);$", line)[0]
        modules.setdefault(module, set()).update(names.split(", "))
    return [f"import {{ {', '.join(sorted(modules[module]))} }} from {module};" for module in sorted(modules)]


def _string(text: str) -> str:
    """Return a string literal with the quotes that need the fewest escapes."""
    literal = quoted(text)
    if '"' in text and "'" not in text and "\\" not in text:
        return f"'{literal[1:-1].replace(chr(92) + chr(34), chr(34))}'"
    return literal
