"""No IDL case believes an agent: whatever is answered to everything, nothing passes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from idl_verdicts import chosen, every_case, verdict

from conformance.agent.recording import Recorder
from conformance.generate.idl.script import witness

REFUSED = {"outcome": "threw", "error": {"is": ["TypeError", "Error"]}}


class Liar:
    """A target whose agent answers every probe with the same, or with what a function makes of the request."""

    def __init__(self, language: str, answer: Any) -> None:
        self.client = SimpleNamespace(hello=SimpleNamespace(language=language))
        self.recorder = Recorder()
        self._answer = answer

    async def idl(self, _probe: str, **fields: Any) -> Any:
        return self._answer(fields) if callable(self._answer) else self._answer


ANSWERS = {
    "true": True,
    "false": False,
    "null": None,
    "nothing": {},
    "no elements": [],
    "zero": 0,
    "text": "function",
    "the request": lambda fields: fields,
    "witness only": lambda fields: {"witness": witness(fields["token"])},
    "success": lambda _: {"outcome": "returned", "log": [], "late": [], "reported": {}, "witness": True},
    "logs of anything": lambda _: {"outcome": "returned", "log": [{}, [], None, 1], "late": {}, "reported": []},
    "refusal without a witness": REFUSED,
    "refusal of everything": lambda fields: {**REFUSED, "log": [], "witness": witness(fields["token"])},
    "a witness of another time": lambda _: {**REFUSED, "witness": witness("0" * 16)},
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("language", ["javascript", "python"])
async def test_an_agent_that_answers_everything_alike_passes_nothing(language: str, name: str) -> None:
    liar = Liar(language, ANSWERS[name])
    passed = [case.id for case in chosen(language) if await verdict(liar, case) is None]
    assert passed == []


def test_there_are_cases_for_both_languages() -> None:
    assert {language for case in every_case() for language in case.languages} == {"javascript", "python"}
