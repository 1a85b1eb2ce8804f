"""The harness and the helpers of programs put a value in the same words."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from conformance.repro import library
from conformance.repro.words import JAVASCRIPT, PYTHON, Words

ERROR = {"$": "error", "id": 1, "class": "TypeError", "name": "TypeError", "message": "words"}
EXCEPTION = {"$": "error", "id": 2, "class": "DOMException", "name": "AbortError", "message": "away"}
BYTES = {"$": "bytes", "view": "Uint8Array", "fill": 7, "length": 3}
LONG = {**BYTES, "length": 300}

# The value as the agent protocol has it, in JavaScript, and in Python (None: Python has nothing like it).
VALUES = [
    ({"$": "undefined"}, "undefined", "None"),
    (None, "null", "None"),
    (True, "true", "True"),
    (0, "0", "0"),
    (-1.5, "-1.5", "-1.5"),
    (3.0, "3", "3.0"),
    ({"$": "number", "value": "NaN"}, "NaN", 'float("nan")'),
    ({"$": "number", "value": "-Infinity"}, "-Infinity", 'float("-inf")'),
    ({"$": "number", "value": "-0"}, "-0", "-0.0"),
    ({"$": "bigint", "value": "12"}, "12n", "12"),
    ({"$": "symbol", "name": "x"}, 'Symbol("x")', None),
    ({"$": "symbol", "name": "@@iterator"}, "Symbol.iterator", None),
    ('é"\\\n', r'"é\"\\\n"', r'"é\"\\\n"'),
    ("\ud800", r'"\ud800"', r'"\ud800"'),
    ([1, ["a"]], '[1, ["a"]]', '(1, ["a"])'),
    ({"readyTimeout": 1, "done": False}, "{ readyTimeout: 1, done: false }", '{"ready_timeout": 1, "done": False}'),
    ({"$": "object", "entries": [["$", 1]]}, "{ $: 1 }", '{"$": 1}'),
    (BYTES, "new Uint8Array(3).fill(7)", "bytearray(b'\\x07' * 3)"),
    (LONG, "new Uint8Array(300).fill(7)", "memoryview(b'\\x07' * 300)"),
    ({**BYTES, "view": "ArrayBuffer"}, "new Uint8Array(3).fill(7).buffer", "b'\\x07' * 3"),
    ({**BYTES, "length": 0}, "new Uint8Array()", "b''"),
    ({"$": "handle", "id": 5, "class": "AbortController"}, "new AbortController()", None),
    ({"$": "handle", "id": 5, "class": "Function"}, "() => 1", "lambda: 1"),
    (ERROR, 'new TypeError("words")', 'TypeError("words")'),
    ({**ERROR, "class": "Error", "name": "Error"}, 'new Error("words")', 'Exception("words")'),
    (EXCEPTION, 'new DOMException("away", "AbortError")', 'DOMException("away", "AbortError")'),
    (
        {**ERROR, "errorCode": "timeout", "systemCode": "ETIMEDOUT"},
        'Object.assign(new TypeError("words"), { errorCode: "timeout", systemCode: "ETIMEDOUT" })',
        None,
    ),
]


@pytest.fixture(scope="module")
def in_javascript() -> list[str]:
    text = "\n".join(part.text for part in library.needed("javascript", "words"))
    imports = {line for part in library.needed("javascript", "words") for line in part.imports}
    lines = [f"console.log(JSON.stringify(words({javascript})));" for _, javascript, _ in VALUES]
    return run(["node", "--input-type=module", "-"], "\n".join([*imports, text, *lines]))


@pytest.fixture(scope="module")
def in_python() -> list[str]:
    text = "\n\n".join(part.text for part in library.needed("python", "words"))
    imports = {line for part in library.needed("python", "words") for line in part.imports}
    lines = [f"print(json.dumps(words({python})))" for _, _, python in VALUES if python is not None]
    head = ["from __future__ import annotations", *imports, "from commonsocket import DOMException"]
    return run([sys.executable, "-"], "\n".join([*head, text, *lines]))


def run(command: list[str], program: str) -> list[str]:
    data = program.encode("utf-8", "surrogatepass")
    done = subprocess.run(command, input=data, capture_output=True, timeout=30, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


@pytest.mark.parametrize("place", range(len(VALUES)), ids=[javascript for _, javascript, _ in VALUES])
def test_javascript(in_javascript, place):
    assert unnumbered(in_javascript[place]) == Words(JAVASCRIPT).of(VALUES[place][0], numbered=False)


@pytest.mark.parametrize("place", range(sum(python is not None for _, _, python in VALUES)))
def test_python(in_python, place):
    wire = [wire for wire, _, python in VALUES if python is not None][place]
    assert unnumbered(in_python[place]) == Words(PYTHON).of(wire, numbered=False)


def unnumbered(words: str) -> str:
    return words.partition(" (#")[0]


def test_the_same_error_has_the_same_number():
    words = Words(JAVASCRIPT)
    assert words.of([ERROR, EXCEPTION, ERROR]) == (
        "[TypeError: words (#1), DOMException AbortError: away (#2), TypeError: words (#1)]"
    )
