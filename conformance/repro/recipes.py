"""Values that tell how they are converted: the recipes of IDL probes, as expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from conformance.repro.model import Await, Call, Expression, Global, Helper, List, Members, New, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.repro.operations import Wire

WATCHED: Final = frozenset({"dictionary", "coercible", "iterable"})
"""Recipes of values that note what is read of them, and which of their hooks are called."""


class Recipes:
    """Turns recipes into expressions; `usual` does so for values of the agent protocol."""

    def __init__(self, usual: Callable[[Wire], Expression], token: Callable[[], Expression]) -> None:
        self._usual = usual
        self.token = token
        """Gives the object whose identity an implementation has to hand through."""

    def expression(self, recipe: Wire) -> Expression:
        """Return the expression of a recipe."""
        if isinstance(recipe, list):
            return List(tuple(self.expression(each) for each in recipe))
        if not isinstance(recipe, dict):
            return self._usual(recipe)
        builder = self._BUILDERS.get(recipe.get("$", ""))
        if builder is not None:
            return builder(self, recipe)
        plain = self._usual(recipe)
        # An address of a peer is an expression of its own; of other objects the members are recipes.
        if "$" in recipe or not isinstance(plain, Members):
            return plain
        return self.members(recipe)

    def members(self, recipes: Mapping[str, Wire]) -> Members:
        """Return a plain object."""
        return Members(tuple((name, self.expression(each)) for name, each in recipes.items()))

    def arguments(self, recipes: list[Wire]) -> tuple[Expression, ...]:
        """Return the arguments of a call."""
        return tuple(self.expression(each) for each in recipes)

    def _dictionary(self, recipe: Mapping[str, Any]) -> Expression:
        options: list[tuple[str, Expression]] = []
        if recipe.get("raises"):
            options.append(("raises", self.members(recipe["raises"])))
        options += [(name, Value(wire=True)) for name in ("callable", "heir") if recipe.get(name)]
        members = self.members(recipe.get("members", {}))
        return Helper("watched", (Value(recipe.get("path", "")), members), tuple(options))

    def _coercible(self, recipe: Mapping[str, Any]) -> Expression:
        options = (("raises", Value(recipe["raises"])),) if "raises" in recipe else ()
        value = self.expression(recipe["value"])
        return Helper("coercible", (Value(recipe["label"]), Value(recipe["hook"]), value), options)

    def _iterable(self, recipe: Mapping[str, Any]) -> Expression:
        items = List(self.arguments(recipe.get("items", [])))
        options = tuple((name, Value(recipe[name])) for name in ("style", "raises") if name in recipe)
        return Helper("iterable", (Value(recipe.get("label", "")), items), options)

    def _buffer(self, recipe: Mapping[str, Any]) -> Expression:
        named = (("memory", "memory"), ("content", "bytes"))
        options = tuple((name, self._usual(recipe[key])) for name, key in named if key in recipe)
        usual = tuple(each for each in options if each != ("memory", Value("ordinary")))
        return Helper("buffer", (Value(recipe["kind"]),), usual)

    def _instance(self, recipe: Mapping[str, Any]) -> Expression:
        args = self.arguments(recipe.get("args", []))
        if "call" in recipe:
            return Call(Global(recipe["construct"]), recipe["call"], args)
        return New(recipe["construct"], args)

    _BUILDERS: ClassVar[Mapping[str, Callable[[Recipes, Mapping[str, Any]], Expression]]] = {
        "dictionary": _dictionary,
        "coercible": _coercible,
        "iterable": _iterable,
        "buffer": _buffer,
        "instance": _instance,
        "forged": lambda _, recipe: Helper("forged", (Global(recipe["of"]),)),
        "boxed": lambda recipes, recipe: Helper("boxed", (recipes.expression(recipe["value"]),)),
        "token": lambda recipes, _: recipes.token(),
        "crypto-key": lambda _, __: Await(Helper("cryptoKey")),
        "promise": lambda recipes, recipe: Call(Global("Promise"), "resolve", (recipes.expression(recipe["value"]),)),
    }


def watches(recipe: Wire) -> bool:
    """Return whether there is a value in a recipe that notes what becomes of it."""
    if isinstance(recipe, list):
        return any(watches(each) for each in recipe)
    if isinstance(recipe, dict):
        return recipe.get("$") in WATCHED or any(watches(each) for each in recipe.values())
    return False
