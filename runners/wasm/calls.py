"""Calls of exported functions whose types are known.

`wasmtime.Func.__call__` asks the library for the function's type and converts each argument, which takes ten times as
long as the call itself. What is below it in the package has no stable interface, so that all of it is used here alone.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from wasmtime import FuncType, _bindings
from wasmtime._func import enter_wasm

if TYPE_CHECKING:
    from wasmtime import Func, Store


class Export:
    """A function of an instance, called with Python's numbers; integers come back unsigned."""

    __slots__ = ("_arguments", "_array", "_context", "_function", "_result", "_store", "_trap")

    def __init__(self, store: Store, function: Func) -> None:
        type_: FuncType = function.type(store)
        self._store = store
        self._context: Any = store._context()  # noqa: SLF001 (see above)
        self._function = ctypes.byref(function._func)  # noqa: SLF001 (see above)
        # The fields of a raw value have the names of the types.
        self._arguments = [str(value) for value in type_.params]
        results = [str(value) for value in type_.results]
        self._result = results[0] if results else None
        self._array = _bindings.wasmtime_val_raw_t * max(len(self._arguments), len(results), 1)
        self._trap = ctypes.POINTER(_bindings.wasm_trap_t)

    def __call__(self, *arguments: float) -> Any:
        """Call it; raises what a host function has raised within, or wasmtime's errors."""
        values = self._array()
        for index, field in enumerate(self._arguments):
            setattr(values[index], field, arguments[index])
        trap = self._trap()
        error = _bindings.wasmtime_func_call_unchecked(
            self._context, self._function, values, len(values), ctypes.byref(trap)
        )
        if error or trap:
            self._raise(error, trap)
        if self._result is None:
            return None
        result = getattr(values[0], self._result)
        return result & 0xFFFFFFFF if self._result == "i32" else result

    def _raise(self, error: Any, trap: Any) -> None:
        from wasmtime import WasmtimeError  # noqa: PLC0415 (never on the way of a good call)

        with enter_wasm(self._store) as place:
            ctypes.memmove(place, ctypes.byref(trap), ctypes.sizeof(trap))
            if error:
                raise WasmtimeError._from_ptr(error)  # noqa: SLF001 (see above)
