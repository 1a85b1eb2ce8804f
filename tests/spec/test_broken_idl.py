"""Each way to break the Web IDL is reported with its line and what to do, and everything wrong is reported at once."""

import pytest

from conformance.spec.parse import parse
from conformance.spec.problems import BrokenIdlError

HEAD = "[Exposed=*]\ninterface Thing {\n"


def faults(source: str) -> list[tuple[int, str, str]]:
    with pytest.raises(BrokenIdlError) as caught:
        parse(source, file="thing.webidl", api="thing", digest="")
    assert all(problem.file == "thing.webidl" for problem in caught.value.problems)
    return [(problem.line, problem.message, problem.remedy) for problem in caught.value.problems]


SYNTAX = {
    "a brace that is not closed": ('enum A { "x" };\ndictionary B {\n  long c;\n', 2, "`{` is not closed"),
    "a brace too many": ('enum A { "x" };\n};\n', 2, "`}` closes nothing"),
    "an argument list that is not closed": (HEAD + "  undefined a(long b;\n};\n", 3, "`(` is not closed"),
    "a bracket that closes another": (HEAD + "  Promise<long a();\n};\n", 3, "`<` is not closed"),
    "a parenthesis too many": (HEAD + "  undefined a();\n  undefined b);\n};\n", 4, "`)` closes nothing"),
    "a string without end": ('enum A { "x };\n', 1, "the string does not end on its line"),
    "a semicolon that is missing": (
        HEAD + "  readonly attribute long a\n  readonly attribute long b;\n};\n",
        4,
        "cannot make sense of",
    ),
    "no Web IDL": ("hello world\n", 1, "cannot make sense of `hello world`"),
    "a brace in an attribute list": ("[Exposed=* interface Thing {\n};\n", 1, "`[` is not closed"),
}


@pytest.mark.parametrize("name", SYNTAX)
def test_a_syntax_error_is_reported_where_it_is(name):
    source, line, message = SYNTAX[name]
    found = faults(source)
    assert found[0][0] == line
    assert f"syntax error: {message}" in found[0][1]
    assert all(remedy for _, _, remedy in found)


def test_brackets_in_comments_strings_and_defaults_do_not_count():
    source = '// ( { [\n/* < */ dictionary A {\n  DOMString b = "(";\n  sequence<long> c = [];\n};\n' + (
        HEAD + "  constructor(optional A a = {});\n};\n"
    )
    assert parse(source, file="f", api="thing", digest="").interfaces["Thing"].members


RULES = {
    "an unknown type": (HEAD + "  attribute Nothing a;\n};\n", 3, "type `Nothing` is not defined"),
    "two definitions of one name": ('enum A { "x" };\n\ndictionary A {};\n', 3, "`A` is defined twice"),
    "two members of one name": ("dictionary A {\n  long b;\n  long b;\n};\n", 3, "`A.b` is defined twice"),
    "one enum value twice": ('enum A { "x", "x" };\n', 1, '"x" stands twice in enum A'),
    "no exposure": ("interface Thing {\n};\n", 1, "interface Thing does not say where it is exposed"),
    "an exposure that names nothing": ("[Exposed=* Serializable]\ninterface Thing {\n};\n", 1, "names no globals"),
    "an unknown extended attribute": ("[Exposed=*, Sealed]\ninterface Thing {\n};\n", 1, "[Sealed]"),
    "an unknown parent": ("dictionary A : B {\n};\n", 1, "A inherits from `B`, which is no dictionary"),
    "a parent of the wrong kind": ("[Exposed=*]\ninterface A : EventInit {\n};\n", 1, "which is no interface"),
    "a circle of inheritance": ("dictionary A : B {};\ndictionary B : A {};\n", 1, "A inherits from itself"),
    "a required member with a default": (
        "dictionary A {\n  required long b = 1;\n};\n",
        2,
        "is required and has a default",
    ),
    "a default of another type": (
        'dictionary A {\n  long b = "1";\n};\n',
        2,
        "the default of `b` ('1') is no value of its type",
    ),
    "a default that no enum value is": (
        'enum E { "x" };\ndictionary A {\n  E b = "y";\n};\n',
        3,
        "is no value of its type",
    ),
    "a sequence as attribute": (HEAD + "  attribute sequence<long> a;\n};\n", 3, "Thing.a is a sequence"),
    "a dictionary as attribute": ("dictionary D {};\n" + HEAD + "  attribute D a;\n};\n", 4, "Thing.a is a dictionary"),
    "one object that can be replaced": (HEAD + "  [SameObject] attribute object a;\n};\n", 3, "but can be written"),
    "a required argument after an optional one": (
        HEAD + "  undefined a(optional long b, long c);\n};\n",
        3,
        "argument `c` of Thing.a is required after an optional one",
    ),
    "an optional dictionary without default": (
        "dictionary D {};\n" + HEAD + "  undefined a(optional D d);\n};\n",
        4,
        "is an optional dictionary without default",
    ),
    "a dictionary that could be left out": (
        "dictionary D {};\n" + HEAD + "  undefined a(D d);\n};\n",
        4,
        "is a dictionary without required members",
    ),
    "a kind of member without tests": (
        HEAD + "  iterable<long>;\n};\n",
        3,
        "a kind of member that the harness has no tests for",
    ),
    "a kind of definition without tests": (
        "typedef long Number;\n",
        1,
        "a kind of definition that the harness has no tests for",
    ),
    "a generic type without tests": (
        HEAD + "  attribute ObservableArray<long> a;\n};\n",
        3,
        "type ObservableArray<…> has no tests",
    ),
    "a variadic argument": (HEAD + "  undefined a(long... b);\n};\n", 3, "argument `b` is variadic"),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_of_web_idl_that_is_broken_is_reported_where_it_is(name):
    source, line, message = RULES[name]
    found = faults(source)
    matching = [(at, remedy) for at, text, remedy in found if message in text]
    assert matching, found
    assert matching[0][0] == line
    assert matching[0][1]


def test_all_faults_of_a_file_are_reported_at_once_and_in_order():
    source = "interface A {\n  attribute One a;\n};\ninterface B {\n  attribute Two b;\n};\n"
    assert [line for line, _, _ in faults(source)] == [1, 2, 4, 5]


def test_the_error_says_all_of_it_to_the_user():
    with pytest.raises(BrokenIdlError) as caught:
        parse("interface A {\n  attribute One a;\n};\n", file="thing.webidl", api="thing", digest="")
    text = caught.value.render()
    assert "error [broken-idl]: interface A does not say where it is exposed" in text
    assert "at: thing.webidl:1" in text
    assert "also: thing.webidl:2: type `One` is not defined; define it, or correct its name" in text


def test_types_of_every_shape_are_read():
    source = (
        HEAD
        + "  attribute (long or (DOMString? or sequence<unsigned   long long>))? a;\n"
        + "  undefined b(optional [EnforceRange] unsigned short c = 7, optional DOMString? d = null);\n};\n"
    )
    idl = parse(source, file="f", api="thing", digest="")
    first, second = idl.interfaces["Thing"].members
    assert first.type.nullable
    inner = first.type.members[1]
    assert [inner.members[0].nullable, inner.members[1].of.name] == [True, "unsigned long long"]
    c, d = second.arguments
    assert (c.type.enforce_range, c.default, d.default) == (True, 7, None)
