"""One scope in an agent (one run of one test): carries out steps, keeps the record, and makes remote objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance.agent import steps
from conformance.agent.checks import AgentFault, CheckFailed, Threw
from conformance.agent.listener import RemoteHost, RemoteListener, accepted_label, connect_label
from conformance.agent.objects import ABSENT, present
from conformance.agent.remote import RemoteObject, RemoteSocket, wrap
from conformance.agent.values import UNDEFINED, Argument, Function, Handle, Json, RemoteError, Result, decode, encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from conformance.agent.client import AgentClient
    from conformance.agent.recording import Recorder

SETTLE_LIMIT: Final = 3.0
"""Seconds that a promise or an event is waited for when the test does not say."""

SOCKET_EVENTS: Final = ("ready", "end", "error", "close")

WATCHING: Final = 8
"""How many steps it takes to make a socket and to observe it."""

CALL: Final = "{call}"
"""In the label of a step of a function: the number of the function's call, from 1."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one step: a value, what the API threw, or the agent's fault."""

    what: str
    value: Any = UNDEFINED
    threw: Any = UNDEFINED
    did_throw: bool = False
    fault: AgentFault | None = None

    def get(self) -> Any:
        """Return the value; raise Threw if the API threw, AgentFault if the agent could not carry the step out."""
        if self.fault is not None:
            raise self.fault
        if self.did_throw:
            raise Threw(self.what, self.threw)
        return self.value


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One thing that happened in the agent: an event, a settlement, a call of a function, an unhandled rejection.

    `kind` is `event`, `fulfilled`, `rejected`, `called` or `unhandled`; `label` is what `observe` or the function was
    given; `event` holds the members of an event object; `args` and `results` those of a call; `at` is in milliseconds
    on a clock of the agent.
    """

    seq: int
    label: str
    kind: str
    type: str | None = None
    value: Any = UNDEFINED
    event: dict[str, Any] | None = None
    args: tuple[Any, ...] = ()
    results: tuple[Answer, ...] = ()
    at: float = 0.0

    @property
    def error(self) -> Any:
        """The `error` member of an error event."""
        return UNDEFINED if self.event is None else self.event.get("error", UNDEFINED)


class Target:
    """The implementation under test, as one test sees it."""

    def __init__(
        self, client: AgentClient, scope: str, *, recorder: Recorder | None = None, settle_limit: float = SETTLE_LIMIT
    ) -> None:
        self.client = client
        self.scope = scope
        self.recorder = recorder
        self.settle_limit = settle_limit
        self.sockets: list[RemoteSocket] = []
        self._labels: dict[str, int] = {}

    @property
    def features(self) -> frozenset[str]:
        """What the agent claims to support."""
        return frozenset() if self.client.hello is None else self.client.hello.features

    # Single operations.

    async def perform(self, step: steps.Step) -> Answer:
        """Carry out one step."""
        return self._answer(str(step), await self._exchange(step.to_wire()))

    async def construct(self, name: str, *args: Any) -> Any:
        """Call a constructor and return the new object."""
        await _resolve(args)
        return (await self.perform(steps.construct(name, *args))).get()

    async def get(self, on: steps.On, name: str) -> Any:
        """Read a member of an object or of a global."""
        await _resolve((on,))
        return (await self.perform(steps.get(on, name))).get()

    async def set(self, on: steps.On, name: str, value: Any) -> None:
        """Write a member of an object or of a global."""
        await _resolve((on, value))
        (await self.perform(steps.set_(on, name, value))).get()

    async def call(self, on: steps.On, name: str, *args: Any, handled: bool = True) -> Any:
        """Call a member; a promise that it returns comes back as a RemotePromise, unsettled."""
        await _resolve((on, *args))
        return (await self.perform(steps.call(on, name, *args, handled=handled))).get()

    async def observe(self, on: steps.On, label: str, *events: str) -> None:
        """Log events of an event target, or without `events` the settlement of a promise, under `label`."""
        await _resolve((on,))
        (await self.perform(steps.observe(on, label, *events))).get()

    async def settle(self, promise: steps.On, limit: float | None = None) -> tuple[str, Any]:
        """Wait for a promise, at most `limit` seconds; return its state and its value or reason."""
        seconds = self.settle_limit if limit is None else limit
        return await self._state(steps.Step("settle", {"on": steps.place(promise), "limit": round(seconds * 1000)}))

    async def state(self, promise: steps.On) -> tuple[str, Any]:
        """Return the present state of a promise (`pending`, `fulfilled`, `rejected`) and its value or reason."""
        return await self._state(steps.Step("state", {"on": steps.place(promise)}))

    async def sequence(self, *sequence: steps.Step) -> list[Answer]:
        """Carry out steps in one turn of the target, nothing in between; one answer each."""
        message = {"op": "sequence", "steps": [step.to_wire() for step in sequence]}
        answers = (await self._raw("sequence", message)).get()
        return [self._answer(str(step), answer) for step, answer in zip(sequence, answers, strict=True)]

    async def log(
        self, since: int = 0, *, until: dict[str, str] | None = None, limit: float | None = None
    ) -> list[LogEntry]:
        """Return the log of this scope from entry `since` on.

        With `until` (fields that an entry has to have, such as {"as": "socket", "type": "end"}) the answer comes when
        such an entry is there, or after `limit` seconds.
        """
        message: dict[str, Json] = {"op": "log", "since": since}
        if until is not None:
            message |= {"until": until, "limit": round((self.settle_limit if limit is None else limit) * 1000)}
        return [self._entry(entry) for entry in (await self._raw("log", message)).get()]

    async def unhandled(self) -> list[Any]:
        """Return the rejections and errors that nobody handled since this scope began."""
        return [entry.value for entry in await self.log() if entry.kind == "unhandled"]

    async def idl(self, probe: str, **fields: Json) -> Json:
        """Run an IDL probe in the target and return what it observed, as JSON."""
        return (await self._raw(f"idl {probe}", {"op": "idl", "probe": probe, **fields})).get()

    async def leave(self) -> Any:
        """Send the last request: the agent then does not keep its process alive any more. Return what it answers."""
        return self._answer("leave", await self._exchange({"op": "leave"})).get()

    async def release(self) -> None:
        """Drop the handles and the log of this scope."""
        (await self._raw("release", {"op": "release"})).get()

    # Sockets.

    async def socket(self, init: Any = UNDEFINED, *, label: str = "socket") -> RemoteSocket:
        """Construct a Socket and, in the same turn, observe all its events, `ready`, `closed` and `signal`."""
        return await self.watch(steps.construct("Socket", init), label=label)

    async def watch(self, making: steps.Step, *, label: str = "socket") -> RemoteSocket:
        """Carry out a step that gives a socket, and observe it in the same turn. Raises Threw if the step threw."""
        return (await self.watch_and(making, label=label))[0]

    async def watch_and(
        self, making: steps.Step, *also: steps.Step, label: str = "socket"
    ) -> tuple[RemoteSocket, list[Answer]]:
        """Do as `watch`, and carry out the steps `also` in that very turn; return their answers beside the socket.

        In those steps `Result(0)` is the socket, and the first of them is step `WATCHING`.
        """
        name = self._name(label)
        answers = await self.sequence(making, *_watching(name), *also)
        return self.adopt(name, answers)

    def adopt(self, label: str, answers: Sequence[Answer]) -> tuple[RemoteSocket, list[Answer]]:
        """Return the socket that the first step gave, those behind it having observed it, and what is left of them."""
        made, _, ready, _, closed, _, signal, _ = [answer.get() for answer in answers[:WATCHING]]
        if not isinstance(made, RemoteSocket):
            raise CheckFailed(f"{answers[0].what} gave {made}, which is no Socket")
        made.watched(label, ready=ready, closed=closed, signal=signal)
        self.sockets.append(made)
        return made, list(answers[WATCHING:])

    # What brings sockets.

    async def listener(
        self,
        init: Any = ABSENT,
        *,
        label: str = "listener",
        listening: bool = True,
        also: Sequence[steps.Step] = (),
        throws: Any = UNDEFINED,
    ) -> RemoteListener:
        """Construct a SocketListener, observe its promises and, in the same turn, listen to its connect events.

        The listener of the test observes the socket of each event, carries out the steps `also`, in which
        `Argument(0)` is the event and `Result(0)` its socket, and throws `throws`. Without `listening` there is none.
        """
        name = self._name(label)
        function = _connect_listener(name, also, throws)
        listen = steps.call(Result(0), "addEventListener", "connect", function)
        answers = await self.sequence(
            steps.construct("SocketListener", *present(init)),
            steps.get(Result(0), "ready"),
            steps.observe(Result(1), f"{name}.ready"),
            steps.get(Result(0), "closed"),
            steps.observe(Result(3), f"{name}.closed"),
            *([listen] if listening else []),
        )
        made, ready, _, closed, *_ = [answer.get() for answer in answers]
        if not isinstance(made, RemoteListener):
            raise CheckFailed(f"{answers[0].what} gave {made}, which is no SocketListener")
        made.watched(name, ready=ready, closed=closed)
        return made

    async def host(
        self, init: Any, *, label: str = "worker", also: Sequence[steps.Step] = (), throws: Any = UNDEFINED
    ) -> RemoteHost:
        """Have the agent host a socket worker that listens as `init` says, and listen to its global connect events.

        The rest is as for `listener`. There is one global scope: tests that do this run alone.
        """
        name = self._name(label)
        await self.set("globalThis", "onconnect", _connect_listener(name, also, throws))
        answer = await self._exchange({"op": "listen", "init": encode(init)})
        host = self._answer("listen", answer).get()
        if not isinstance(host, RemoteObject):
            raise CheckFailed(f"listen gave {host}, which is no object")
        made = RemoteHost(self, host.handle)
        made.label = name
        return made

    def _name(self, label: str) -> str:
        """Return a label that nothing else in this scope has."""
        count = self._labels[label] = self._labels.get(label, 0) + 1
        return label if count == 1 else f"{label}-{count}"

    # Inside.

    def decode(self, wire: Json) -> Any:
        """Decode a value, with remote objects for handles."""
        return decode(wire, self._wrap)

    def _wrap(self, handle: Handle) -> RemoteObject:
        return wrap(self, handle)

    async def _exchange(self, message: dict[str, Json]) -> Json:
        message["scope"] = self.scope
        recorder = self.recorder
        if recorder is None:
            return await self.client.request(message)
        recorder.add("request", message)
        answer = await self.client.request(message)
        recorder.add("answer", answer)
        return answer

    async def _raw(self, what: str, message: dict[str, Json]) -> Answer:
        """Exchange a message whose value is the protocol's own JSON, not a value of the API."""
        answer = await self._exchange(message)
        return Answer(what, answer["value"]) if "value" in answer else self._answer(what, answer)

    def _answer(self, what: str, answer: Json) -> Answer:
        if "value" in answer:
            return Answer(what, self.decode(answer["value"]))
        if "threw" in answer:
            return Answer(what, threw=self.decode(answer["threw"]), did_throw=True)
        fault = answer["fault"]
        return Answer(what, fault=AgentFault(what, fault["code"], fault["message"]))

    async def _state(self, step: steps.Step) -> tuple[str, Any]:
        state = (await self._raw(str(step), step.to_wire())).get()
        key = {"fulfilled": "value", "rejected": "reason"}.get(state["state"])
        return state["state"], UNDEFINED if key is None else self.decode(state[key])

    def _entry(self, entry: Json) -> LogEntry:
        event = entry.get("event")
        label = entry["as"]
        return LogEntry(
            entry["seq"],
            label,
            entry["kind"],
            entry.get("type"),
            self.decode(entry["value"]) if "value" in entry else UNDEFINED,
            None if event is None else {name: self.decode(value) for name, value in event.items()},
            tuple(self.decode(value) for value in entry.get("args", ())),
            tuple(self._answer(f"{label} step {n}", result) for n, result in enumerate(entry.get("results", ()))),
            entry.get("at", 0.0),
        )


def _watching(name: str) -> list[steps.Step]:
    """Return the steps that observe the socket that the step in front of them gave, as step 0."""
    socket, ready, closed, signal = Result(0), Result(2), Result(4), Result(6)
    return [
        steps.observe(socket, name, *SOCKET_EVENTS),
        steps.get(socket, "ready"),
        steps.observe(ready, f"{name}.ready"),
        steps.get(socket, "closed"),
        steps.observe(closed, f"{name}.closed"),
        steps.get(socket, "signal"),
        steps.observe(signal, f"{name}.signal", "abort"),
    ]


def _connect_listener(name: str, also: Sequence[steps.Step], throws: Any) -> Function:
    """Return a listener to connect events that observes the socket of each."""
    watching = _watching(accepted_label(name, CALL))
    return Function(connect_label(name), throws=throws, does=[steps.get(Argument(0), "socket"), *watching, *also])


async def _resolve(values: Sequence[Any]) -> None:
    for value in values:
        if isinstance(value, RemoteObject):
            await value.resolve()


async def throws(operation: Awaitable[Any]) -> RemoteError:
    """Await an operation of a remote object that has to throw, and return the error. Raises CheckFailed otherwise."""
    try:
        value = await operation
    except Threw as thrown:
        if isinstance(thrown.error, RemoteError):
            return thrown.error
        raise CheckFailed(f"it threw {thrown.error!r}, which is no error object") from None
    raise CheckFailed(f"it was to throw but gave {value}")
