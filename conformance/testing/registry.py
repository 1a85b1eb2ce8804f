# ruff: noqa: PT028 (the decorator is called `test`; it is no pytest test)
"""Declares tests and gathers all of them: the generated ones and those of `conformance.suite`, in one stable order.

A suite module declares its tests with `@test`; the declaration stays an attribute of its module, so that nothing
here remembers anything. The id is made of the API, the module and the function: ``half_open.fin_is_seen`` becomes
``socket/half-open/fin-is-seen``.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance import resources
from conformance.errors import ConformanceError
from conformance.testing.case import DEFAULT_LIMIT, LANGUAGES, TestCase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    from conformance.spec import Spec
    from conformance.testing.context import Context

SUITE = "conformance.suite"


class RegistryError(ConformanceError):
    """The tests contradict themselves or the specification: a duplicate id, an unknown requirement or feature."""

    code = "test-registry"
    fault = "harness"
    exit_code = 3


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@test` leaves in its module: the coroutine function and everything said about it."""

    __test__ = False

    function: Callable[..., Awaitable[None]]
    title: str
    requirements: tuple[str, ...]
    features: frozenset[str]
    languages: frozenset[str]
    limit: float
    depends_on: tuple[str, ...]
    waits: bool
    alone: bool
    variants: Mapping[str, Any] | None


def test(
    title: str,
    *,
    requirements: Iterable[str],
    features: Iterable[str] = (),
    languages: Iterable[str] = LANGUAGES,
    limit: float = DEFAULT_LIMIT,
    depends_on: Iterable[str] = (),
    waits: bool = False,
    alone: bool = False,
    variants: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Awaitable[None]]], Declaration]:
    """Declare the decorated coroutine function as a test with this title.

    `depends_on` takes whole ids, or the last part of the id of a test in the same module.
    With `variants`, one test is made of each entry: the key (words in kebab-case) ends the id and replaces
    ``{variant}`` in the title, the value is handed to the function after the context.
    """

    def declare(function: Callable[..., Awaitable[None]]) -> Declaration:
        return Declaration(
            function,
            title,
            tuple(requirements),
            frozenset(features),
            frozenset(languages),
            limit,
            tuple(depends_on),
            waits,
            alone,
            variants,
        )

    return declare


test.__test__ = False  # type: ignore[attr-defined]  # pytest would collect the imported decorator as a test


def load(spec: Spec, modules: Iterable[ModuleType] | None = None) -> Sequence[TestCase]:
    """Return every test: IDL cases, lifecycle cases, then the behavioural tests by module and place in it.

    `modules` replaces all of them, for the harness's own tests.

    Raises RegistryError for a duplicate id, an unknown requirement, feature, language or dependency.
    """
    cases = list(_all(spec) if modules is None else (case for module in modules for case in declared(module)))
    _verify(cases, requirements=spec.requirements, features=spec.features)
    return cases


def _all(spec: Spec) -> Iterator[TestCase]:
    for name in ("idl", "lifecycle"):
        yield from importlib.import_module(f"conformance.generate.{name}").cases(spec)
    for module in suite_modules():
        yield from declared(module)


def suite_modules() -> Iterator[ModuleType]:
    """Import and yield the modules of behavioural tests by name; a leading underscore marks a module of helpers."""
    package = importlib.import_module(SUITE)
    for name in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        if not name.startswith("_"):
            yield importlib.import_module(f"{SUITE}.{name}")


def declared(module: ModuleType, api: str = "socket") -> Iterator[TestCase]:
    """Yield the tests that `module` declares, in the order in which they are written."""
    stem = f"{api}/{_kebab(module.__name__.rpartition('.')[2])}"
    for name, value in vars(module).items():
        if not isinstance(value, Declaration):
            continue
        identifier = f"{stem}/{_kebab(name)}"
        if value.variants is None:
            yield _case(value, stem, identifier, value.title, value.function)
            continue
        for variant, argument in value.variants.items():
            run = _bound(value.function, argument)
            yield _case(value, stem, f"{identifier}/{variant}", value.title.replace("{variant}", variant), run)


def _bound(function: Callable[..., Awaitable[None]], argument: Any) -> Callable[[Context], Awaitable[None]]:
    def run(context: Context) -> Awaitable[None]:
        return function(context, argument)

    return run


def _case(
    declaration: Declaration, stem: str, identifier: str, title: str, run: Callable[[Context], Awaitable[None]]
) -> TestCase:
    return TestCase(
        id=identifier,
        title=title,
        requirements=declaration.requirements,
        features=declaration.features,
        run=run,
        source="behaviour",
        languages=declaration.languages,
        limit=declaration.limit,
        depends_on=tuple(name if "/" in name else f"{stem}/{name}" for name in declaration.depends_on),
        waits=declaration.waits,
        alone=declaration.alone,
        origin=_origin(declaration.function),
    )


def _origin(function: Callable[..., Awaitable[None]]) -> str:
    code = function.__code__
    path = Path(code.co_filename)
    house = resources.checkout()
    if house is not None and path.is_relative_to(house):
        path = path.relative_to(house)
    return f"{path.as_posix()}:{code.co_firstlineno}"


def _kebab(name: str) -> str:
    return name.strip("_").replace("_", "-")


def _verify(cases: Sequence[TestCase], *, requirements: Collection[str], features: Collection[str]) -> None:
    seen: dict[str, TestCase] = {}
    faults: list[str] = []
    for case in cases:
        first = seen.setdefault(case.id, case)
        if first is not case:
            faults.append(f"{case.id} is declared twice ({_place(first)} and {_place(case)})")
        for kind, named, known in (
            ("requirement", case.requirements, requirements),
            ("feature", sorted(case.features), features),
            ("language", sorted(case.languages), LANGUAGES),
        ):
            faults += [
                f"{case.id} names the unknown {kind} {word} ({_place(case)})" for word in named if word not in known
            ]
        if not case.requirements:
            faults.append(f"{case.id} names no requirement ({_place(case)})")
    for case in cases:
        faults += [
            f"{case.id} depends on {other}, which is no test ({_place(case)})"
            for other in case.depends_on
            if other not in seen
        ]
    if faults:
        raise RegistryError(
            "; ".join(faults[:5]) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else ""),
            remedy="mend the declaration of the test, or spec/socket/requirements.yaml where the id or feature is new",
        )


def _place(case: TestCase) -> str:
    return case.origin or case.source
