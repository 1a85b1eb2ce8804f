"""The engine by itself: what goes into a guest and comes out of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from wasm.engine import Engine, GuestError

if TYPE_CHECKING:
    from wasm.engine import Value

WASM = Path(__file__).parents[2] / "node_modules" / "quickjs-wasi" / "quickjs.wasm"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def engine(cache: Path) -> Engine:
    return Engine(WASM, cache)


def called(engine: Engine, source: str, *arguments: Value) -> Value:
    engine.evaluate(f"globalThis.made = {source};", "made.js")
    return engine.call(engine.global_value("made"), *arguments)


@pytest.mark.parametrize("text", ["", "plain", "zero \0 within", "ä 漢 🙂", "lone \ud800 surrogate", "long " * 50_000])
def test_strings_go_in_and_come_out(engine: Engine, text: str) -> None:
    given = engine.new_string(text)
    assert engine.text_of(called(engine, "(text) => text", given)) == text
    # JavaScript counts code units.
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert engine.number_of(called(engine, "(text) => text.length", given)) == units


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 1_000_000])
def test_bytes_go_in_and_come_out(engine: Engine, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    assert engine.bytes_of(called(engine, "(bytes) => bytes", engine.new_bytes(data))) == data


def test_a_view_shows_its_part_of_the_buffer(engine: Engine) -> None:
    view = called(engine, "() => new Uint8Array([1, 2, 3, 4]).subarray(1, 3)")
    assert engine.bytes_of(view) == b"\2\3"


def test_the_guest_calls_the_host_within_a_call(engine: Engine) -> None:
    def double(number: Value) -> Value:
        assert engine.inside
        return engine.new_number(2 * engine.number_of(number))

    engine.set_global("double", engine.function("double", double))
    assert engine.number_of(called(engine, "(number) => double(number) + 1", engine.new_number(20))) == 41
    assert not engine.inside


def test_what_the_guest_throws_is_told_with_its_place(engine: Engine) -> None:
    with pytest.raises(GuestError, match=r"TypeError: not today(.|\n)*thrower.js:1"):
        engine.evaluate("throw new TypeError('not today')", "thrower.js")
    with pytest.raises(GuestError, match="SyntaxError"):
        engine.evaluate("let let", "broken.js")
    with pytest.raises(GuestError, match="stack"):
        called(engine, "function deeper() { return 1 + deeper(); }")
    # It goes on working.
    assert engine.number_of(called(engine, "() => 1")) == 1


def test_what_a_host_function_raises_comes_back(engine: Engine) -> None:
    def fail() -> None:
        raise LookupError("the host's own")

    engine.set_global("fail", engine.function("fail", fail))
    with pytest.raises(LookupError, match="the host's own"):
        called(engine, "() => fail()")


def test_jobs_run_in_their_order_and_rejections_are_told(engine: Engine) -> None:
    engine.evaluate(
        """
        globalThis.order = [];
        Promise.resolve().then(() => order.push(1)).then(() => order.push(3));
        Promise.resolve().then(() => order.push(2));
        globalThis.rejected = Promise.reject(new Error("early"));
        """,
        "jobs.js",
    )
    ((promise, reason, handled),) = engine.run_jobs()
    assert engine.text_of(reason) == "Error: early"
    assert not handled
    assert engine.text_of(called(engine, "() => order.join()")) == "1,2,3"
    engine.evaluate("rejected.catch(() => {})", "late.js")
    ((same, _, handled),) = engine.run_jobs()
    assert handled
    assert engine.truth_of(called(engine, "(one, other) => one === other", promise, same))


def test_a_compiled_module_is_used_again_and_a_broken_one_made_anew(tmp_path: Path) -> None:
    Engine(WASM, tmp_path)
    (compiled,) = tmp_path.iterdir()
    first = compiled.stat().st_mtime_ns
    Engine(WASM, tmp_path)
    assert compiled.stat().st_mtime_ns == first
    compiled.write_bytes(b"cut off")
    Engine(WASM, tmp_path)
    assert compiled.stat().st_size > 100_000
