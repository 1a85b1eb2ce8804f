"""The operations of the protocol: steps work on the API and can be part of a sequence; services are the agent's own."""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import commonsocket

from . import naming, tree
from .faults import Fault, Threw
from .observers import observe_events, observe_promise, settled, standing
from .values import BUILT_IN, Context, constructor, decode, encode, encode_handle

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .scope import Wire

Request = dict[str, Any]
Answer = dict[str, Any]


class IteratorResult(NamedTuple):
    """What `next` and `return` of an async iterator give in the IDL's terms."""

    value: Any
    done: bool


# Steps: each returns a Python value and its type in the IDL.


def _construct(request: Request, context: Context) -> tuple[Any, tree.Type]:
    class_ = constructor(request["name"])
    args = _decode_all(request["args"], context)
    return _attempt(class_, *args), tree.UNDEFINED


def _get(request: Request, context: Context) -> tuple[Any, tree.Type]:
    subject, name = _subject(request["on"], context), request["name"]
    # Reading a member that is not there gives undefined.
    return _attempt(getattr, subject, naming.member(name), None), tree.type_of(subject, name)


def _set(request: Request, context: Context) -> tuple[Any, tree.Type]:
    subject, name = _subject(request["on"], context), request["name"]
    _attempt(setattr, subject, naming.member(name), decode(request["value"], context))
    return None, tree.UNDEFINED


def _call(request: Request, context: Context) -> tuple[Any, tree.Type]:
    subject, name = _subject(request["on"], context), request["name"]
    args = _decode_all(request["args"], context)
    iterate = _ITERATION.get(name) if hasattr(subject, "__anext__") else None
    result: Any
    if iterate is not None:
        result = iterate(subject)
    else:
        method = _attempt(getattr, subject, naming.member(name), None)
        if not callable(method):
            raise Fault("unknown-name", f"the object has no method {name}")
        result = _attempt(method, *args)
    if inspect.isawaitable(result):
        # A coroutine runs to its first wait at once, as the method that it stands for does.
        result = commonsocket.Promise.resolve(result)
        if request.get("handled", True):
            result.handled = True
    return result, tree.type_of(subject, name)


def _observe(request: Request, context: Context) -> tuple[Any, tree.Type]:
    subject = _subject(request["on"], context)
    label = request["as"] if context.call is None else request["as"].replace("{call}", str(context.call))
    if "events" in request:
        observe_events(subject, request["events"], label, context.scope)
    else:
        observe_promise(subject, label, context.scope)
    return None, tree.UNDEFINED


async def _next(iterator: Any) -> IteratorResult:
    try:
        return IteratorResult(await iterator.__anext__(), done=False)
    except StopAsyncIteration:
        return IteratorResult(None, done=True)


async def _return(iterator: Any) -> IteratorResult:
    await iterator.aclose()
    return IteratorResult(None, done=True)


_ITERATION: Final[dict[str, Callable[[Any], Coroutine[Any, Any, IteratorResult]]]] = {"next": _next, "return": _return}

_STEPS: Final[dict[str, Callable[[Request, Context], tuple[Any, tree.Type]]]] = {
    "construct": _construct,
    "get": _get,
    "set": _set,
    "call": _call,
    "observe": _observe,
}


def run_step(request: Request, context: Context) -> tuple[Answer, Any]:
    """Carry out one step; return its answer, and its value for later steps."""
    if request["op"] not in _STEPS:
        return failure(Fault("invalid-request", f"{request['op']} is no step"), context), None
    try:
        value, type_ = _STEPS[request["op"]](request, context)
        if request["op"] == "construct" and isinstance(value, bytearray):
            # What was constructed is wanted as an object to work with, even a buffer.
            return {"value": encode_handle(value, context.scope)}, value
        return {"value": encode(value, context.scope, type_)}, value
    except Exception as error:  # noqa: BLE001 (whatever goes wrong has to be answered)
        return failure(error, context), None


def run_steps(requests: list[Request], context: Context) -> list[Answer]:
    """Carry out steps in one turn of the event loop. Each may refer to the values of earlier ones."""
    answers = []
    for index, request in enumerate(requests):
        answer, value = run_step(request, context)
        if "value" in answer:
            context.results[index] = value
        answers.append(answer)
    return answers


# Services: each returns JSON.


async def _settle(request: Request, context: Context) -> Wire:
    promise = _subject(request["on"], context)
    await settled(promise, request["limit"] / 1000)
    return standing(promise, context.scope)


async def _state(request: Request, context: Context) -> Wire:
    promise = _subject(request["on"], context)
    # Two turns: reactions run in the next one, and those that they cause in the same or the one after.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return standing(promise, context.scope)


async def _log(request: Request, context: Context) -> Wire:
    since = request.get("since", 0)
    if "until" in request:
        await context.scope.entry(request["until"], since, request["limit"] / 1000)
    return context.scope.log[since:]


async def _idl(request: Request, context: Context) -> Wire:
    from .idl_probes import probes  # noqa: PLC0415 (many, and needed by few requests)

    probe = probes.get(request["probe"])
    if probe is None:
        raise Fault("unknown-name", f"there is no probe {request['probe']!r}")
    values = SimpleNamespace(
        encode=lambda value: encode(value, context.scope), decode=lambda wire: decode(wire, context)
    )
    env = SimpleNamespace(globals=vars(commonsocket), values=values, tree=tree.read())
    return await probe(request, env)


async def _listen(request: Request, context: Context) -> Wire:
    from commonsocket.worker import listen  # noqa: PLC0415 (few tests host a worker)

    init = decode(request["init"], context)
    try:
        return encode(await listen(init), context.scope)
    except Exception as error:  # noqa: BLE001 (the API may raise anything)
        raise Threw(error) from None


SERVICES: Final[dict[str, Callable[[Request, Context], Coroutine[Any, Any, Wire]]]] = {
    "settle": _settle,
    "state": _state,
    "log": _log,
    "idl": _idl,
    "listen": _listen,
}


def carry_out(request: Request, context: Context) -> Answer | Coroutine[Any, Any, Answer]:
    """Carry out a request, at once wherever nothing has to be waited for."""
    operation = request["op"]
    if operation in _STEPS:
        return run_step(request, context)[0]
    if operation == "sequence":
        return {"value": run_steps(request["steps"], context)}
    service = SERVICES.get(operation)
    if service is None:
        return failure(Fault("unsupported-operation", f"unknown: {operation}"), context)
    return _serve(service, request, context)


async def _serve(
    service: Callable[[Request, Context], Coroutine[Any, Any, Wire]], request: Request, context: Context
) -> Answer:
    try:
        return {"value": await service(request, context)}
    except Exception as error:  # noqa: BLE001 (whatever goes wrong has to be answered)
        return failure(error, context)


def failure(error: Exception, context: Context) -> Answer:
    """Return the answer that an exception makes."""
    if isinstance(error, Threw):
        return {"threw": encode(error.error, context.scope)}
    if isinstance(error, Fault):
        return {"fault": {"code": error.code, "message": error.message}}
    # A request that does not keep to the protocol makes the agent itself stumble.
    return {"fault": {"code": "invalid-request", "message": f"{type(error).__name__}: {error}"}}


def _attempt(action: Callable[..., Any], *args: Any) -> Any:
    try:
        return action(*args)
    except Exception as error:  # noqa: BLE001 (the API may raise anything)
        raise Threw(error) from None


def _subject(on: Any, context: Context) -> Any:
    if isinstance(on, int):
        return context.scope.handles.get(on)
    if isinstance(on, dict):
        value = decode(on, context)
        # Without this, an error of the agent's own would look like one that the API raised.
        if value is None or isinstance(value, (bool, int, float, str)):
            raise Fault("invalid-request", f"{value!r} is no object to act on")
        return value
    if on == "globalThis":
        return commonsocket
    if on in BUILT_IN or on in commonsocket.__all__:
        return constructor(on)
    raise Fault("unknown-name", f"there is no global {on}")


def _decode_all(args: list[Wire], context: Context) -> list[Any]:
    return [decode(wire, context) for wire in args]
