"""The invariants are checked after every test of a real target: one that breaks just one of them fails every test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from toys import case, run_against

from conformance import resources

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.testing.context import Context

POLYFILL = resources.polyfill() / "javascript" / "src" / "index.js"


async def exchanges(t: Context) -> None:
    """Say nothing of the invariants: connect, read, write, close."""
    peer = await t.tcp_peer()
    socket = await t.socket(remote=peer.remote)
    connection = await peer.accept()
    await connection.send(b"hello")
    reader = await socket.readable.get_reader()
    t.equal(await reader.read_exactly(5), b"hello", "what was read")
    writer = await socket.writable.get_writer()
    await writer.write(b"world!")
    await writer.close()
    t.equal(await connection.receive_until_fin(), b"world!", "what was written")
    await connection.send_fin()
    t.equal(await reader.read_to_end(), b"", "the rest")
    await socket.closed.fulfils()


async def is_refused(t: Context) -> None:
    peer = await t.tcp_peer()
    await peer.close()
    socket = await t.socket(remote=peer.remote)
    await socket.ready.rejects()


async def takes_a_port_again(t: Context) -> None:
    """Connect twice from the same port, to two peers, of which only the second one sends anything."""
    first, second = await t.tcp_peer(), await t.tcp_peer()
    early = await t.socket(remote=first.remote)
    connection = await first.accept()
    await early.ready.fulfils()
    port = connection.remote["port"]
    # A reset leaves nothing behind that would keep the port.
    await early.abort()
    await connection.expect_reset()
    late = await t.socket(remote=second.remote, local={"port": port})
    connection = await second.accept()
    t.equal(connection.remote["port"], port, "the port of the second connection")
    await connection.send(b"hello")
    t.equal(await (await late.readable.get_reader()).read_exactly(5), b"hello", "what was read")


GOOD = {"exchanges": exchanges, "is-refused": is_refused, "takes-a-port-again": takes_a_port_again}

BREAKS = {
    "invariant/same-objects": "get signal() { return AbortSignal.any([super.signal]); }",
    "invariant/bytes-sent-equals-written": """
        get stats() {
          const stats = super.stats;
          Object.defineProperty(stats, "bytesSent", { get: () => 3, configurable: true });
          return stats;
        }""",
    "invariant/bytes-received-covers-delivered": """
        get stats() {
          const stats = super.stats;
          Object.defineProperty(stats, "bytesReceived", { get: () => 0, configurable: true });
          return stats;
        }""",
    "invariant/close-fires-once": """
        constructor(init) {
          super(init);
          this.closed.then(() => setImmediate(() => this.dispatchEvent(new Event("close"))), () => {});
        }""",
    "invariant/no-event-after-close": """
        constructor(init) {
          super(init);
          this.addEventListener("close", () => setImmediate(() => this.dispatchEvent(new Event("end"))));
        }""",
    "invariant/no-unhandled-rejection": """
        constructor(init) {
          super(init);
          Promise.reject(new Error("left lying about"));
        }""",
}


def implementation(folder: Path, body: str) -> Path:
    file = folder / "broken.mjs"
    file.write_text(
        f'import {{ Socket as Real }} from "{POLYFILL.as_uri()}";\nexport * from "{POLYFILL.as_uri()}";\n'
        f"export class Socket extends Real {{ {body} }}\n"
    )
    return file


async def test_a_target_that_breaks_nothing_passes(tmp_path: Path) -> None:
    cases = [case(word, run) for word, run in GOOD.items()]
    ran = await run_against("node", cases, implementation=implementation(tmp_path, ""))
    assert ran.verdicts == dict.fromkeys(GOOD, "pass"), [ran[word].message for word in GOOD]


@pytest.mark.parametrize("requirement", BREAKS)
async def test_a_broken_invariant_fails_a_test_that_does_not_speak_of_it(tmp_path: Path, requirement: str) -> None:
    broken = implementation(tmp_path, BREAKS[requirement])
    ran = await run_against("node", [case("exchanges", exchanges)], implementation=broken)
    assert ran.verdicts == {"exchanges": "fail"}
    assert requirement in ran["exchanges"].message


async def test_a_signal_that_is_not_aborted_by_a_failure(tmp_path: Path) -> None:
    broken = implementation(tmp_path, "#own = new AbortController().signal; get signal() { return this.#own; }")
    ran = await run_against("node", [case("is-refused", is_refused)], implementation=broken)
    assert "invariant/closed-rejects-with-signal-reason" in ran["is-refused"].message


async def test_what_a_test_leaves_open_is_aborted(tmp_path: Path) -> None:
    seen = []

    async def leaves_open(t: Context) -> None:
        peer = await t.tcp_peer()
        socket = await t.socket(remote=peer.remote)
        await socket.ready.fulfils()
        connection = await peer.accept()

        async def look() -> None:
            await connection.expect_reset()
            seen.append("reset")

        t.defer(look)

    ran = await run_against("node", [case("leaves-open", leaves_open)], implementation=implementation(tmp_path, ""))
    assert ran.verdicts == {"leaves-open": "pass"}
    assert seen == ["reset"]
