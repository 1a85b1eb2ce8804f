"""Engine: QuickJS, compiled to WebAssembly, in wasmtime.

The module is `quickjs.wasm` of the npm package quickjs-wasi. It keeps JavaScript values on its heap and names them by
pointers; whoever gets one has to free it. Strings and bytes are copied through its memory.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import wasmtime
from wasmtime import Config, Func, FuncType, Instance, Linker, Module, Store, ValType, WasiConfig

from .calls import Export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: The stack of the guest's own calls. Beyond what the module was linked for it traps, and the machine is lost.
_GUEST_STACK: Final = 512 * 1024  # bytes
#: The stack of the machine code. More than this makes wasmtime abort the process.
_NATIVE_STACK: Final = 2 * 1024 * 1024  # bytes
_STRICT: Final = 1 << 3  # JS_EVAL_FLAG_STRICT

#: What `JS_ExecutePendingJob` returns: nothing to do, done, or a negative number for an exception.
_NO_JOB: Final = 0
_RAN: Final = 1
#: The place on the guest's heap for what goes in and out one piece at a time.
_SCRATCH_SIZE: Final = 64 * 1024  # bytes

#: How the names of the functions begin that are of use here.
_USED: Final = ("_initialize", "qjs_", "wasm_")

Value = int
"""A pointer to a JavaScript value on the guest's heap."""


class GuestError(Exception):
    """The guest threw where nobody catches it: its message and its stack."""


class Engine:
    """One virtual machine with its own memory; everything in it happens on one thread.

    `rejected` is told of promises that were rejected without a handler, and of those that got one later.
    """

    def __init__(self, wasm: Path, cache: Path | None = None) -> None:
        config = Config()
        config.max_wasm_stack = _NATIVE_STACK
        engine = wasmtime.Engine(config)
        self._store = Store(engine)
        wasi = WasiConfig()
        wasi.inherit_stderr()
        self._store.set_wasi(wasi)
        linker = Linker(engine)
        linker.define_wasi()
        for name, (kind, function) in self._imports().items():
            linker.define(self._store, "env", name, Func(self._store, kind, function))
        self._instance: Instance = linker.instantiate(self._store, _compiled(engine, wasm, cache))
        exports = self._instance.exports(self._store)
        self._exports = {
            name: Export(self._store, export)
            for name, export in exports.items()
            if isinstance(export, Func) and name.startswith(_USED)
        }
        memory = exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._memory = memory
        self._functions: dict[str, Callable[..., Value | None]] = {}
        self._rejections: list[tuple[Value, Value, bool]] = []
        #: How many calls into the guest are under way.
        self._depth = 0
        self._call("_initialize")
        if self._call("qjs_init") != 0:
            raise GuestError("the engine cannot be initialised")
        self._call("qjs_set_max_stack_size", _GUEST_STACK)
        self._call("qjs_set_promise_rejection_handler", 1)
        self._scratch = self._call("wasm_malloc", _SCRATCH_SIZE)
        self.undefined: Value = self._call("qjs_get_undefined")
        self.null: Value = self._call("qjs_get_null")
        self.true: Value = self._call("qjs_get_true")
        self.false: Value = self._call("qjs_get_false")

    # ---- the guest's program ----

    def evaluate(self, source: str, name: str) -> None:
        """Run a script; raises GuestError for what it throws."""
        code = source.encode()
        # JS_Eval wants a zero byte behind the source, which its length does not count.
        with self._placed(code + b"\0" + name.encode() + b"\0") as start:
            result = self._enter("qjs_eval", start, len(code), start + len(code) + 1, _STRICT)
        self.free(self._checked(result))

    def run_jobs(self) -> list[tuple[Value, Value, bool]]:
        """Run every pending job; return the rejections that came up: promise, reason, whether it is handled now.

        Each value is the caller's, to be freed.
        """
        while (ran := self._enter("qjs_execute_pending_job")) != _NO_JOB:
            if ran != _RAN:
                raise GuestError(self._exception())
        rejections, self._rejections = self._rejections, []
        return rejections

    @property
    def inside(self) -> bool:
        """Whether the guest is running, so that it is its function that is being called now."""
        return self._depth > 0

    # ---- values ----

    def free(self, value: Value) -> None:
        """Give a value up."""
        self._call("qjs_free_value", value)

    def keep(self, value: Value) -> Value:
        """Return the value once more, to be freed by itself."""
        kept: Value = self._call("qjs_dup_value", value)
        return kept

    def is_undefined(self, value: Value) -> bool:
        """Whether it is `undefined`."""
        return bool(self._call("qjs_is_undefined", value))

    def new_string(self, text: str) -> Value:
        """Return a new string."""
        # As QuickJS does: lone surrogates travel as they are.
        data = text.encode("utf-8", "surrogatepass")
        with self._placed(data) as start:
            value: Value = self._call("qjs_new_string", start, len(data))
        return value

    def new_number(self, number: float) -> Value:
        """Return a new number."""
        value: Value = self._call("qjs_new_number", number)
        return value

    def new_bytes(self, data: bytes) -> Value:
        """Return a new Uint8Array with a copy of `data`."""
        with self._placed(data) as start:
            value: Value = self._call("qjs_new_uint8_array", start, len(data))
        return value

    def text_of(self, value: Value) -> str:
        """Return the text of a string."""
        start = self._call("qjs_get_string_len", value, self._scratch)
        length = self._word(self._scratch)
        data = self._read(start, length)
        self._call("qjs_free_cstring", start)
        return data.decode("utf-8", "surrogatepass")

    def number_of(self, value: Value) -> float:
        """Return a number."""
        number: float = self._call("qjs_get_float64", value)
        return number

    def bytes_of(self, value: Value) -> bytes:
        """Return a copy of what a Uint8Array shows."""
        offset, length, size = self._scratch, self._scratch + 4, self._scratch + 8
        buffer = self._checked(self._call("qjs_get_typed_array_buffer", value, offset, length, size))
        skipped, count = self._word(offset), self._word(length)
        start = self._call("qjs_get_array_buffer", buffer, self._scratch)
        data = self._read(start + skipped, count)
        self.free(buffer)
        return data

    def truth_of(self, value: Value) -> bool:
        """Return a boolean."""
        return bool(self._call("qjs_get_bool", value))

    # ---- objects ----

    def get(self, on: Value, name: str) -> Value:
        """Return a member, which is the caller's to free."""
        with self._placed(name.encode() + b"\0") as text:
            value = self._call("qjs_get_prop_string", on, text)
        return self._checked(value)

    def set(self, on: Value, name: str, value: Value) -> None:
        """Set a member; `value` stays the caller's."""
        with self._placed(name.encode() + b"\0") as text:
            self._call("qjs_set_prop_string", on, text, value)

    def set_global(self, name: str, value: Value) -> None:
        """Set a global and give the value up."""
        target = self._call("qjs_get_global")
        self.set(target, name, value)
        self.free(target)
        self.free(value)

    def global_value(self, name: str) -> Value:
        """Return a global, which is the caller's to free."""
        target = self._call("qjs_get_global")
        try:
            return self.get(target, name)
        finally:
            self.free(target)

    def function(self, name: str, implementation: Callable[..., Value | None]) -> Value:
        """Return a new function, which calls `implementation` with its arguments.

        They are valid within the call. It returns a new value, which it gives up, or None for undefined.
        """
        self._functions[name] = implementation
        with self._placed(name.encode()) as text:
            value: Value = self._call("qjs_new_host_function", text, len(name.encode()), 0)
        return self._checked(value)

    def call(self, function: Value, *arguments: Value) -> Value:
        """Call a function of the guest and return what it returns, which is the caller's to free.

        Raises GuestError for what it throws.
        """
        # The engine copies what the pointers name before it runs anything.
        with self._placed(b"".join(argument.to_bytes(4, "little") for argument in arguments)) as start:
            result = self._enter("qjs_call", function, self.undefined, len(arguments), start)
        return self._checked(result)

    # ---- inside ----

    def _imports(self) -> dict[str, tuple[FuncType, Callable[..., Any]]]:
        word = ValType.i32
        return {
            "host_call": (FuncType([word()] * 5, [word()]), self._host_call),
            "host_promise_rejection": (FuncType([word()] * 3, []), self._host_promise_rejection),
            "host_interrupt": (FuncType([], [word()]), lambda: 0),
            # There are no modules besides the script, and the time is that of Greenwich.
            "host_module_normalize": (FuncType([word()] * 2, [word()]), lambda _base, _name: 0),
            "host_module_load": (FuncType([word()] * 2, [word()]), lambda _name, _length: 0),
            "host_get_timezone_offset": (FuncType([word()] * 2, [word()]), lambda _high, _low: 0),
        }

    def _host_call(self, name: int, length: int, _this: int, count: int, arguments: int) -> Value:
        function = self._functions[self._read(name, length).decode()]
        words: Sequence[Value] = memoryview(self._read(arguments, 4 * count)).cast("I")
        result = function(*words)
        # What a host function returns is one value more, also where it is one of the constants.
        return self._call("qjs_dup_value", self.undefined) if result is None else result

    def _host_promise_rejection(self, promise: Value, reason: Value, handled: int) -> None:
        self._rejections.append((promise, reason, bool(handled)))

    def _enter(self, name: str, *arguments: Any) -> Any:
        self._depth += 1
        try:
            return self._call(name, *arguments)
        finally:
            self._depth -= 1

    def _call(self, name: str, *arguments: Any) -> Any:
        return self._exports[name](*arguments)

    def _checked(self, value: Value) -> Value:
        if self._call("qjs_is_exception", value):
            raise GuestError(self._exception())
        return value

    def _exception(self) -> str:
        error = self._call("qjs_get_exception")
        try:
            text = self.text_of(error)
            stack = self.get(error, "stack")
            lines = self.text_of(stack)
            self.free(stack)
        finally:
            self.free(error)
        return f"{text}\n{lines}"

    @contextmanager
    def _placed(self, data: bytes) -> Iterator[int]:
        """Put `data` on the guest's heap for as long as a call takes that copies it; give the place."""
        small = len(data) <= _SCRATCH_SIZE
        start: int = self._scratch if small else self._call("wasm_malloc", len(data))
        if data:
            self._memory.write(self._store, data, start)
        yield start
        if not small:
            self._call("wasm_free", start)

    def _read(self, start: int, length: int) -> bytes:
        return bytes(self._memory.read(self._store, start, start + length)) if length else b""

    def _word(self, start: int) -> int:
        return int.from_bytes(self._read(start, 4), "little")


def _compiled(engine: wasmtime.Engine, wasm: Path, cache: Path | None) -> Module:
    """Return the compiled module, from the cache if this version of wasmtime has compiled it before."""
    code = wasm.read_bytes()
    if cache is None:
        return Module(engine, code)
    key = hashlib.sha256(code + version("wasmtime").encode()).hexdigest()[:32]
    file = cache / f"quickjs-{key}.cwasm"
    if file.exists():
        try:
            return Module.deserialize_file(engine, str(file))
        except wasmtime.WasmtimeError:
            # Another build of wasmtime, or a file that was cut off.
            file.unlink(missing_ok=True)
    module = Module(engine, code)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=cache, delete=False) as written:
        written.write(module.serialize())
    Path(written.name).replace(file)
    return module
