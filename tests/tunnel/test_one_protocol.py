"""The daemon, the transport of the polyfill and the document have the same messages."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from commonsocket.tunnel import messages, settings, tokens
from commonsocket.tunnel.allow_list import ACCESS_DENIED
from commonsocket.tunnel.command import _LIMITS

HOUSE = Path(__file__).parents[2]
TRANSPORT = HOUSE / "polyfill/javascript/src/transports/websocket"
DOCUMENT = (HOUSE / "docs/tunnel.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def polyfill() -> dict[str, object]:
    """What the JavaScript modules export."""
    program = "const all = await Promise.all(process.argv.slice(1).map((file) => import(file)));"
    program += "console.log(JSON.stringify(Object.assign({}, ...all)))"
    node = shutil.which("node")
    assert node is not None
    files = [str(TRANSPORT / name) for name in ("messages.js", "access-denied.js")]
    command = [node, "--input-type=module", "--eval", program, *files]
    exports: dict[str, object] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return exports


def documented(heading: str) -> dict[str, list[str]]:
    """Return the types and their members of the table below a heading."""
    section = DOCUMENT.partition(f"### {heading}\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", section, re.MULTILINE)
    return {type_: re.findall(r"`(\w+)`", members) for type_, members in rows}


@pytest.mark.parametrize(
    ("table", "name", "heading"),
    [
        (messages.FROM_CLIENT, "fromClient", "Messages of the client"),
        (messages.FROM_DAEMON, "fromDaemon", "Messages of the daemon"),
    ],
)
def test_the_messages(table: dict[str, dict[str, type]], name: str, heading: str, polyfill: dict[str, object]) -> None:
    mine = {type_: list(members) for type_, members in table.items()}
    assert polyfill[name] == mine
    assert documented(heading) == mine


def test_the_names(polyfill: dict[str, object]) -> None:
    assert polyfill["subprotocol"] == messages.SUBPROTOCOL
    assert polyfill["plainSubprotocol"] == messages.PLAIN_SUBPROTOCOL
    assert polyfill["tokenPrefix"] == tokens.SUBPROTOCOL_PREFIX
    assert polyfill["accessDenied"] == ACCESS_DENIED
    for name in (messages.SUBPROTOCOL, messages.PLAIN_SUBPROTOCOL, tokens.SUBPROTOCOL_PREFIX, ACCESS_DENIED):
        assert name in DOCUMENT


def test_the_address_in_front_of_a_datagram(polyfill: dict[str, object]) -> None:
    assert polyfill["portSize"] == messages.PORT_SIZE
    assert polyfill["addressLengthSize"] == messages.ADDRESS_LENGTH_SIZE
    message = messages.encode_datagram(b"data", ("::1", 0x1234))
    assert message == b"\x12\x34\x03::1data"
    assert messages.decode_datagram(message) == ("::1", 0x1234, b"data")


def test_the_limits() -> None:
    section = DOCUMENT.partition("### Limits\n")[2].partition("\n#")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]*) \|", section, re.MULTILINE))
    units = {"KiB": 1024, "MiB": 1 << 20, "s": 1, "h": 3600, "": 1}
    defaults = settings.Limits()
    assert list(rows) == [name.replace("_", "-") for name in _LIMITS]
    for name, text in rows.items():
        number, _, unit = text.strip().partition(" ")
        assert float(number) * units[unit] == getattr(defaults, name.replace("-", "_")), name
