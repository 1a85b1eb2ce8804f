"""Long lines are broken at brackets, and only there."""

from __future__ import annotations

import pytest

from conformance.repro.folding import folded

LINES = [
    ("short(a, b)", ["short(a, b)"]),
    (
        "call(first_argument, second_argument, third)",
        ["call(", "  first_argument,", "  second_argument,", "  third,", ")"],
    ),
    # The last argument is broken rather than the call.
    (
        'watch("", { first: 1, second: 2, third: 3 })',
        ['watch("", {', "  first: 1,", "  second: 2,", "  third: 3,", "})"],
    ),
    # What is alone in its brackets cannot be broken there.
    ("one(two(three(first_argument, second_one)))", ["one(two(three(", "  first_argument,", "  second_one,", ")))"]),
    # Commas and brackets in strings are no commas and brackets.
    ('print("a long text, with (a bracket and no end")', ['print("a long text, with (a bracket and no end")']),
    (
        'show("label, with comma", `and ${a template}, too`)',
        ["show(", '  "label, with comma",', "  `and ${a template}, too`,", ")"],
    ),
    ("data[0:1000000000000000000000000000000000]", ["data[0:1000000000000000000000000000000000]"]),
    (
        "  indented(first_argument, second_argument)",
        ["  indented(", "    first_argument,", "    second_argument,", "  )"],
    ),
]


@pytest.mark.parametrize(("line", "lines"), LINES)
def test_lines(line, lines):
    assert folded(line, "  ", 30) == lines


def test_an_item_that_is_still_too_long_is_broken_itself():
    line = "outer([first_item_of_a_list, second_item_of_it], [third_item, a_fourth_item])"
    assert folded(line, "  ", 30) == [
        "outer(",
        "  [",
        "    first_item_of_a_list,",
        "    second_item_of_it,",
        "  ],",
        "  [third_item, a_fourth_item],",
        ")",
    ]
