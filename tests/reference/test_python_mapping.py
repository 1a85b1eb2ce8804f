"""What `docs/python-mapping.md` promises, its example included."""

import asyncio
import re
import runpy
import typing
from pathlib import Path
from typing import Any

import commonsocket
import pytest
from commonsocket.core.conversion import snake_case
from commonsocket.generated import types
from commonsocket.generated.idl import DICTIONARIES
from raw_peer import RawPeer

PAGE = Path(__file__).parents[2] / "docs" / "python-mapping.md"


@pytest.fixture
def example(tmp_path: Path) -> dict[str, Any]:
    """The names that the page's example defines."""
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(code) == 1
    file = tmp_path / "example.py"
    file.write_text(code[0], encoding="utf-8")
    return runpy.run_path(str(file))


async def test_example_gets_its_answer(example: dict[str, Any], peer: RawPeer) -> None:
    asking = asyncio.ensure_future(example["ask"]("127.0.0.1", peer.port, b"hello"))
    connection = await peer.accept()
    assert await connection.receive_all() == b"hello"
    await connection.send(b"HELLO")
    connection.send_fin()
    assert await asking == b"HELLO"


async def test_example_says_what_failed(example: dict[str, Any], peer: RawPeer) -> None:
    port = peer.port
    peer.close()
    with pytest.raises(ConnectionError, match=r"connection-refused \(ECONNREFUSED\)"):
        await example["ask"]("127.0.0.1", port, b"hello")


def test_everything_public_is_exported_and_described() -> None:
    for name in commonsocket.__all__:
        assert getattr(commonsocket, name).__doc__, name
    assert sorted(commonsocket.__all__) == sorted(set(commonsocket.__all__))


@pytest.mark.parametrize("name", list(DICTIONARIES))
def test_typed_dictionaries_have_the_members_of_the_idl(name: str) -> None:
    members = {snake_case(member["name"]) for member in DICTIONARIES[name]["members"]}
    inherited = {"bubbles", "cancelable", "composed"} if DICTIONARIES[name]["inherits"] == "EventInit" else set()
    assert set(getattr(types, name).__annotations__) - inherited == members - inherited


@pytest.mark.parametrize(
    "name", ["Socket", "SocketStats", "SocketInfo", "SocketEndpoint", "SocketTLSInfo", "SocketError"]
)
def test_classes_have_the_members_of_the_idl(name: str) -> None:
    protocol, class_ = getattr(types, name), getattr(commonsocket, name)
    members = [member for member in vars(protocol) if not member.startswith("_")] + list(
        getattr(protocol, "__annotations__", {})
    )
    assert members
    for member in members:
        assert hasattr(class_, member), member


@pytest.mark.parametrize("class_", [commonsocket.SocketStats, commonsocket.SocketInfo, commonsocket.SocketEndpoint])
def test_interfaces_without_constructor(class_: Any) -> None:
    with pytest.raises(TypeError):
        class_()


def test_tls_info_has_no_constructor_either() -> None:
    with pytest.raises(TypeError):
        commonsocket.SocketTLSInfo()


def test_wrong_arguments_of_what_accepts() -> None:
    for wrong in (lambda: commonsocket.ConnectEvent("connect", {}), lambda: commonsocket.ConnectEvent("connect", None)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(RuntimeError, match="event loop"):
        commonsocket.SocketListener()


def test_package_is_typed() -> None:
    assert (Path(commonsocket.__file__).parent / "py.typed").exists()
    assert typing.get_type_hints(commonsocket.DOMException.__init__)["return"] is type(None)
