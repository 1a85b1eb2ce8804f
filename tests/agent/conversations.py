"""What the tests of this room share: conversations with agents whose every line is checked against the schema."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema

from conformance import resources
from conformance.agent.manifest import Manifest, find_target
from conformance.agent.process import start_agent
from conformance.agent.target import Target
from conformance.agent.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = Path(__file__).parent
FAKES = HERE.parent / "fakes"
TINY = HERE / "tiny_socket.js"


@cache
def validator(part: str) -> jsonschema.Draft202012Validator:
    """The validator of one definition of the agent schema."""
    schema = json.loads((resources.spec() / "schema" / "agent.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]})


# What the value of an operation has to look like where it is no value of the API.
VALUES = {"settle": "standing", "state": "standing", "log": "entries", "sequence": "step-answers"}


def check_traffic(lines: list[tuple[str, str]]) -> None:
    """Check every line (direction, text) of a conversation against the schema."""
    operations: dict[int, str] = {}
    for direction, text in lines:
        message = json.loads(text)
        if direction == "to-agent":
            validator("request").validate(message)
            operations[message["id"]] = message["op"]
        elif "type" in message:
            validator("hello").validate(message)
        else:
            validator("answer").validate(message)
            operation = operations[message["id"]]
            if "value" in message and operation != "idl":
                validator(VALUES.get(operation, "value")).validate(message["value"])


@asynccontextmanager
async def conversation(target: str, implementation: Path | None = None) -> AsyncIterator[Target]:
    """A target with a scope in a fresh agent; all traffic is checked against the schema at the end."""
    transcript = Transcript()
    launch = find_target(target).launch(None if implementation is None else str(implementation))
    client = await start_agent(launch, transcript=transcript)
    try:
        yield Target(client, "test")
        assert client.failure is None
    finally:
        await client.close()
    check_traffic([(line.direction, line.text) for line in transcript.lines])


def fake(name: str) -> Manifest:
    """The manifest of a target that misbehaves."""
    return find_target(str(FAKES / name))
