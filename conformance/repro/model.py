"""The program that a recording becomes, before it is spelt in a language. Names of members are the IDL's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

# Expressions.


@dataclass(frozen=True, slots=True)
class Expression:
    """Anything that has a value."""


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A variable of the program."""

    text: str


@dataclass(frozen=True, slots=True)
class Global(Expression):
    """A class or object of the implementation or of the language, by its name in the agent protocol."""

    text: str


@dataclass(frozen=True, slots=True)
class Get(Expression):
    """A member is read."""

    on: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A member is called."""

    on: Expression
    name: str
    args: tuple[Expression, ...] = ()
    options: tuple[tuple[str, Expression], ...] = ()
    """Named arguments: only what peers are asked has them."""


@dataclass(frozen=True, slots=True)
class New(Expression):
    """A constructor is called."""

    name: str
    args: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Helper(Expression):
    """A function of the library is called; `options` are named arguments."""

    name: str
    args: tuple[Expression, ...] = ()
    options: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class Await(Expression):
    """The value of a promise is waited for."""

    of: Expression


@dataclass(frozen=True, slots=True)
class Later(Expression):
    """A function without arguments that evaluates an expression, or writes a member."""

    of: Expression | SetMember
    asynchronous: bool = False


@dataclass(frozen=True, slots=True)
class Same(Expression):
    """Whether two objects are one and the same."""

    one: Expression
    other: Expression


@dataclass(frozen=True, slots=True)
class Slice(Expression):
    """The bytes from `start` on, up to `stop` where that is given."""

    of: Expression
    start: Expression
    stop: Expression | None = None


@dataclass(frozen=True, slots=True)
class Item(Expression):
    """An item of a list that the program made."""

    of: Name
    place: int


@dataclass(frozen=True, slots=True)
class Value(Expression):
    """A value of the agent protocol that has no parts: a JSON primitive, or a tagged one."""

    wire: Any


@dataclass(frozen=True, slots=True)
class List(Expression):
    """An array."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Members(Expression):
    """A plain object; a member that is a function's name may be a getter."""

    entries: tuple[tuple[str, Expression], ...]
    getters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Key(Expression):
    """The name of a member as a value: a string or a symbol."""

    name: str


@dataclass(frozen=True, slots=True)
class Exports(Expression):
    """All that the implementation exports."""


@dataclass(frozen=True, slots=True)
class NewError(Expression):
    """An error is made; `kind` is a class, or DOMException and a name behind a colon."""

    kind: str
    message: str


# What was seen.


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of something when it was recorded: how, and the values that came with it, as the protocol has them."""

    how: str = ""
    values: tuple[Any, ...] = ()


def value_seen(wire: Any) -> Seen:
    """Return that a value was seen."""
    return Seen("", (wire,))


# Statements.


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of the program, or a few."""


@dataclass(frozen=True, slots=True)
class Comment(Statement):
    """Words for the reader."""

    words: str


@dataclass(frozen=True, slots=True)
class Step(Comment):
    """Words of the test that begin a part of the program."""


@dataclass(frozen=True, slots=True)
class Let(Statement):
    """A variable is made."""

    name: str
    value: Expression
    port: int = 0
    """For a peer and for the target's end of a connection: the port that its `remote` had when it was recorded."""


@dataclass(frozen=True, slots=True)
class Declare(Statement):
    """Variables are made that a function below fills."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    """A variable that was declared further out gets its value."""

    name: str
    value: Expression
    port: int = 0
    """As in `Let`."""


@dataclass(frozen=True, slots=True)
class Unpack(Statement):
    """Variables are made of members of a value: member to name."""

    names: dict[str, str]
    value: Expression


@dataclass(frozen=True, slots=True)
class Do(Statement):
    """Something is done whose value does not matter."""

    what: Expression


@dataclass(frozen=True, slots=True)
class SetMember(Statement):
    """A member is written: as most programs do it, as strict code does it, or by reflection."""

    on: Expression
    name: str
    value: Expression
    manner: Literal["usual", "strict", "reflect"] = "usual"


@dataclass(frozen=True, slots=True)
class Show(Statement):
    """A value is printed beside what was seen. Without a label, the expression is its own."""

    what: Expression | SetMember
    seen: Seen
    label: str | Expression = ""
    port: int = 0
    """The value, where it is a port that the target chose."""


@dataclass(frozen=True, slots=True)
class Eventually(Statement):
    """A question is asked until the answer is what was seen."""

    body: tuple[Statement, ...]
    answer: Expression
    seen: Seen
    label: str | Expression = ""


@dataclass(frozen=True, slots=True)
class Function(Statement):
    """A function that notes its calls under a label, does something, and throws or returns a value."""

    name: str
    label: str
    parameters: tuple[str, ...] = ()
    body: tuple[Statement, ...] = ()
    returns: Expression | None = None
    throws: Expression | None = None


@dataclass(frozen=True, slots=True)
class Meanwhile(Statement):
    """Something begins that goes on beside what follows, until it is joined."""

    name: str
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Join(Statement):
    """Waits for what went on meanwhile."""

    name: str


@dataclass(frozen=True, slots=True)
class Repeat(Statement):
    """Does the same several times."""

    times: int
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Append(Statement):
    """A value is put behind the others of a list."""

    to: Name
    value: Expression


@dataclass(frozen=True, slots=True)
class Each(Statement):
    """Does the same with every item of a list."""

    name: str
    of: Name
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Turn(Statement):
    """What follows is a task of its own."""


@dataclass(frozen=True, slots=True)
class Wait(Statement):
    """Waits some milliseconds."""

    milliseconds: float


@dataclass(slots=True)
class Program:
    """A whole program, but for its head."""

    body: list[Statement] = field(default_factory=list)
    seed: str = ""
    """Where the payloads come from."""
