"""Spells a program in Python, on the reference."""

from __future__ import annotations

import keyword
import re
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
    value_seen,
)
from conformance.repro.words import PYTHON, quoted
from conformance.repro.writer import Writer
from conformance.spec.emit.python_types import snake_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from conformance.repro.library import Part
    from conformance.repro.model import Program, Statement

# Classes of JavaScript's own that a test constructs or throws, in Python; a Uint8Array is a helper.
_BUILT_IN: Final = {
    "Error": "Exception",
    "TypeError": "TypeError",
    "RangeError": "ValueError",
    "Uint8Array": "Uint8Array",
}

_MEMBERS: Final = {"@@asyncDispose": "aclose", "@@asyncIterator": "__aiter__"}
_ITERATION: Final = {"next": "next_result", "return": "close_iterator"}
_NOTHING: Final = value_seen({"$": "undefined"})
_WATCHED: Final = ("ready", "closed", "signal")


class Python(Writer):
    """Writes one Python script."""

    language = "python"
    suffix = "py"
    command = "python"
    dialect = PYTHON
    comment = "#"
    indent = "    "
    always = ("note_unhandled",)

    @staticmethod
    def source(implementation: str | None) -> str:
        """Return the module that the program imports from."""
        del implementation  # an implementation in Python is a package
        return "commonsocket"

    def member(self, name: str) -> str:
        """Return `.name` in Python's spelling."""
        return f".{_MEMBERS.get(name, snake_case(name))}"

    def literal(self, text: str) -> str:
        """Return a string literal."""
        return _string(text)

    def filled(self, text: str, ports: Mapping[int, str], pattern: re.Pattern[str]) -> str:
        """Return an f-string."""
        literal = _string(text.replace("{", "{{").replace("}", "}}"))
        # An expression in an f-string must do with the other kind of quotes.
        other = "'" if literal[0] == '"' else '"'
        fill = {port: f"{{{expression.replace(chr(39), other)}}}" for port, expression in ports.items()}
        return "f" + pattern.sub(lambda found: fill[int(found[0])], literal)

    def remote_port(self, name: str) -> str:
        """Return the port of the `remote` of a variable."""
        return f"{_variable(name)}.remote['port']"

    # Expressions.

    def _name(self, name: Name) -> str:
        return _variable(name.text)

    def _global(self, name: Global) -> str:
        if name.text in _BUILT_IN:
            return _BUILT_IN[name.text]
        self.used.add(name.text)
        return "commonsocket" if name.text == "globalThis" else name.text

    def _get(self, get: Get) -> str:
        if isinstance(get.on, Get) and get.on.name == "remote" and isinstance(get.on.on, Name):
            return f'{self.expression(get.on)}["{get.name}"]'
        if get.name == "prototype" and isinstance(get.on, Global):
            return self.expression(get.on)
        return self.subject(get.on) + self.member(get.name)

    def _call(self, call: Call) -> str:
        if call.name in _ITERATION:
            return f"{_ITERATION[call.name]}({self.expression(call.on)})"
        text = f"{self.subject(call.on)}{self.member(call.name)}({self._arguments(call.args, call.options)})"
        # Coroutines do nothing before somebody waits for them.
        return f"asyncio.ensure_future({text})" if call.name in {"__aenter__", "__aexit__"} else text

    def _new(self, new: New) -> str:
        return f"{self._global(Global(new.name))}({self._arguments(new.args)})"

    def _helper(self, helper: Helper) -> str:
        return f"{snake_case(helper.name)}({self._arguments(helper.args, helper.options)})"

    def _await(self, awaited: Await) -> str:
        return f"await {self.expression(awaited.of)}"

    def _later(self, later: Later) -> str:
        return f"lambda: {self.expression(later.of)}"

    def _same(self, same: Same) -> str:
        return f"{self.expression(same.one)} is {self.expression(same.other)}"

    def _slice(self, part: Slice) -> str:
        stop = "" if part.stop is None else self.expression(part.stop)
        return f"{self.expression(part.of)}[{self.expression(part.start)}:{stop}]"

    def _item(self, item: Item) -> str:
        return f"{_variable(item.of.text)}[{item.place}]"

    def _value(self, value: Value) -> str:
        wire = value.wire
        if not isinstance(wire, dict):
            return _string(wire) if isinstance(wire, str) else repr(wire)
        match wire["$"]:
            case "number":
                return f'float("{wire["value"]}")'
            case "bigint":
                return str(wire["value"])
            case "symbol":
                return f"Symbol({_string(wire['name'])})"
        return "None"

    def _list(self, items: List) -> str:
        return f"[{', '.join(self.expression(item) for item in items.items)}]"

    def _members(self, members: Members) -> str:
        entries = [(_string(snake_case(name)), self.expression(value), name) for name, value in members.entries]
        plain = ", ".join(f"{key}: {text}" for key, text, name in entries if name not in members.getters)
        if not members.getters:
            return f"{{{plain}}}"
        getters = ", ".join(f"{key}: {text}" for key, text, name in entries if name in members.getters)
        return f"Reading({{{plain}}}, {{{getters}}})"

    def _key(self, key: Key) -> str:
        return _string(self.member(key.name)[1:])

    def _exports(self, _: Exports) -> str:
        self.used.add("globalThis")
        return "commonsocket"

    def _error(self, error: NewError) -> str:
        kind, _, name = error.kind.partition(":")
        texts = [error.message, name] if name else [error.message]
        return f"{self._global(Global(kind))}({', '.join(map(_string, texts))})"

    def _set(self, member: SetMember) -> str:
        name = self.member(member.name)[1:]
        return f"setattr({self.expression(member.on)}, {_string(name)}, {self.expression(member.value)})"

    def _arguments(self, args: Sequence[Expression], options: Sequence[tuple[str, Expression]] = ()) -> str:
        texts = [self.expression(arg) for arg in args]
        texts += [f"{snake_case(name)}={self.expression(value)}" for name, value in options]
        return ", ".join(texts)

    # Statements.

    def _comment(self, comment: Comment) -> list[str]:
        return [f"# {line}" for line in comment.words.splitlines()]

    def _step(self, step: Step) -> list[str]:
        return ["", *self._comment(step)]

    def _let(self, let: Let | Assign) -> list[str]:
        return [f"{_variable(let.name)} = {self.expression(let.value)}"]

    def _unpack(self, unpack: Unpack) -> list[str]:
        if len(unpack.names) == 1:
            [(member, name)] = unpack.names.items()
            return [f"{_variable(name)} = {self.expression(unpack.value)}{self.member(member)}"]
        names = [_variable(unpack.names[member]) if member in unpack.names else "_" for member in _WATCHED]
        return [f"{', '.join(names)} = {self.expression(unpack.value)}"]

    def _declare(self, declare: Declare) -> list[str]:
        return [f"{' = '.join(_variable(name) for name in declare.names)} = None"]

    def _do(self, do: Do) -> list[str]:
        return [self.expression(do.what)]

    def _set_statement(self, member: SetMember) -> list[str]:
        return [f"{self.subject(member.on)}{self.member(member.name)} = {self.expression(member.value)}"]

    def _show(self, show: Show) -> list[str]:
        what = self.expression(show.what)
        if isinstance(show.what, Get) and show.seen == _NOTHING:
            # Where JavaScript reads undefined, Python may have no such attribute.
            what = f"getattr({self.subject(show.what.on)}, {_string(self.member(show.what.name)[1:])}, None)"
        return self.spread("show", [self.label(show), what, f"seen={self.seen(show.seen)}"])

    def _eventually(self, asked: Eventually) -> list[str]:
        answer = self.expression(asked.answer.of if isinstance(asked.answer, Await) else asked.answer)
        label = self.label(asked)
        if not asked.body:
            return self.spread("await eventually", [label, f"lambda: {answer}", f"seen={self.seen(asked.seen)}"])
        body = self._body(asked.body)
        awaited = "await " if isinstance(asked.answer, Await) else ""
        seen = f"seen={self.seen(asked.seen)}"
        return [
            "async def ask():",
            *body,
            f"    return {awaited}{answer}",
            *self.spread("await eventually", [label, "ask", seen]),
        ]

    def _function(self, function: Function) -> list[str]:
        body = self._body(function.body)
        if function.throws is not None:
            body.append(f"    raise {self.expression(function.throws)}")
        elif function.returns is not None:
            body.append(f"    return {self.expression(function.returns)}")
        name, parameters = _variable(function.name), ", ".join(map(_variable, function.parameters))
        head = [f"@called({_string(function.label)})", f"def {name}({parameters}):"]
        return ["", *head, *(body or ["    pass"]), ""]

    def _meanwhile(self, meanwhile: Meanwhile) -> list[str]:
        name = _variable(meanwhile.name)
        return [
            "",
            f"async def do_{name}():",
            *self._body(meanwhile.body),
            "",
            f"{name} = asyncio.create_task(do_{name}())",
        ]

    def _join(self, join: Join) -> list[str]:
        return [f"await {_variable(join.name)}"]

    def _append(self, append: Append) -> list[str]:
        return [f"{_variable(append.to.text)}.append({self.expression(append.value)})"]

    def _each(self, each: Each) -> list[str]:
        return [f"for {_variable(each.name)} in {_variable(each.of.text)}:", *self.inner(each.body)]

    def _repeat(self, repeat: Repeat) -> list[str]:
        return [f"for _ in range({repeat.times}):", *self.inner(repeat.body)]

    def _turn(self, _: Turn) -> list[str]:
        return ["await turn()"]

    def _wait(self, wait: Wait) -> list[str]:
        return [f"await pause({wait.milliseconds:g})"]

    def _body(self, statements: Sequence[Statement]) -> list[str]:
        """Return the body of a function, which says first what variables of others it fills."""
        outer = sorted({_variable(name) for name in _assigned(statements)})
        return [*([f"    nonlocal {', '.join(outer)}"] if outer else []), *self.inner(statements)]

    # The whole.

    def whole(self, program: Program, body: list[str], parts: list[Part], source: str) -> list[str]:
        """Return imports, the test's part as a coroutine function, the helpers, and the call."""
        lines = ["from __future__ import annotations", ""]
        lines += [*_imports(["import asyncio", *(line for part in parts for line in part.imports)]), ""]
        own = {part.name for part in parts}
        names = sorted(self.used - {"globalThis"} - own)
        if "globalThis" in self.used:
            lines.append(f"import {source} as commonsocket" if source != "commonsocket" else "import commonsocket")
        if names:
            lines.append(f"from {source} import {', '.join(names)}")
        lines += ["", "", "async def main():", "    note_unhandled()", *body, "", ""]
        lines += ["# ---- Helpers: what is seen is printed, and the peer is played. ----", "", ""]
        lines += [f"{self.seeded(part, program)}\n\n" for part in parts]
        return [*lines, "asyncio.run(main())"]

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
        Assign: _let,
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


def _variable(name: str) -> str:
    spelt = snake_case(name)
    return f"{spelt}_" if keyword.iskeyword(spelt) else spelt


def _assigned(statements: Iterable[Statement]) -> Iterator[str]:
    """Yield the variables of functions further out that these statements fill themselves."""
    for statement in statements:
        if isinstance(statement, Assign):
            yield statement.name
        elif isinstance(statement, Repeat):
            yield from _assigned(statement.body)


def _imports(lines: Iterable[str]) -> list[str]:
    """Return import statements with one for each module."""
    modules: dict[str, set[str]] = {}
    for line in lines:
        found = re.fullmatch(r"from (\S+) import (.*)", line)
        module, names = (found[1], found[2].split(", ")) if found else (line, [])
        modules.setdefault(module, set()).update(names)
    plain = sorted(module for module, names in modules.items() if not names)
    return [
        *plain,
        *(f"from {each} import {', '.join(sorted(modules[each]))}" for each in sorted(modules.keys() - plain)),
    ]


def _string(text: str) -> str:
    """Return a string literal, in double quotes where they need no escapes."""
    return repr(text) if '"' in text and "'" not in text else quoted(text)
