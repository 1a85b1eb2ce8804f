""" "Policy blocks reject ready with NotAllowedError": what Deno's permissions do not allow fails in that one way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from denoland import Deno

HERE = {"address": "127.0.0.1", "port": 9}
NAMED = {"address": "example.com", "port": 9}
BOUND = {"address": "127.0.0.1", "port": 0}

ATTEMPTS: dict[str, tuple[str, dict[str, Any]]] = {
    "tcp to an address": ("Socket", {"type": "tcp", "remote": HERE}),
    "tcp to a name": ("Socket", {"type": "tcp", "remote": NAMED}),
    "tcp from an address": ("Socket", {"type": "tcp", "remote": HERE, "local": BOUND}),
    "tls": ("Socket", {"type": "tls", "remote": HERE}),
    "udp to an address": ("Socket", {"type": "udp", "remote": HERE}),
    "udp to a name": ("Socket", {"type": "udp", "remote": NAMED}),
    "bound udp": ("Socket", {"type": "udp", "local": BOUND}),
    "listening at an address": ("SocketListener", {"type": "tcp", "local": BOUND}),
    "listening at every address": ("SocketListener", {"type": "tcp", "local": {"port": 0}}),
    "quic to an address": ("Socket", {"type": "quic", "remote": HERE, "tls": {"alpn": ["x"]}}),
    "quic to a name": ("Socket", {"type": "quic", "remote": NAMED, "tls": {"alpn": ["x"]}}),
    "listening for udp": ("SocketListener", {"type": "udp", "local": BOUND}),
}

PROGRAM = """
import * as api from "npm:commonsocket";
const outcome = async (name, init) => {
  const made = new api[name](init);
  const why = (promise) => promise.then(() => "fulfilled", (error) => error);
  const [ready, closed] = await Promise.all([why(made.ready), why(made.closed)]);
  return { name: ready.name, exception: ready instanceof DOMException, same: ready === closed, message: ready.message };
};
const attempts = JSON.parse(Deno.args[0]);
const outcomes = {};
for (const [title, [name, init]] of Object.entries(attempts)) outcomes[title] = await outcome(name, init);
console.log(JSON.stringify(outcomes));
"""


@pytest.mark.parametrize("granted", [[], ["--allow-net=localhost"]], ids=["nothing", "another host"])
def test_what_is_not_allowed_rejects_ready(deno: Deno, granted: list[str]) -> None:
    (deno.folder / "main.js").write_text(PROGRAM)
    outcomes = json.loads(deno.run("run", "--no-prompt", "--unstable-net", *granted, "main.js", json.dumps(ATTEMPTS)))
    assert outcomes.keys() == ATTEMPTS.keys()
    for title, outcome in outcomes.items():
        assert outcome["name"] == "NotAllowedError", title
        assert outcome["exception"], title
        assert outcome["same"], title


def test_what_is_denied_only_later_is_told_softly(deno: Deno) -> None:
    program = """
    import { Socket } from "npm:commonsocket";
    const socket = new Socket({ type: "udp", local: { address: "127.0.0.1", port: 0 } });
    await socket.ready;
    const failed = new Promise((resolve) => socket.addEventListener("error", resolve));
    await socket.writable.getWriter().write({ data: new Uint8Array(1), remote: { address: "127.0.0.2", port: 9 } });
    const { fatal } = await failed;
    console.log(fatal, socket.stats.packetsDropped);
    await socket.abort();
    """
    (deno.folder / "main.js").write_text(program)
    assert deno.run("run", "--no-prompt", "--allow-net=127.0.0.1", "main.js") == "false 1\n"
