"""Why mutants cannot be tried."""

from __future__ import annotations

from conformance.errors import ConformanceError


class NeedsCheckoutError(ConformanceError):
    """An installed package carries no mutants."""

    code = "needs-checkout"

    def __init__(self) -> None:
        super().__init__(
            "mutants are tried in a checkout of the project only",
            remedy="clone the repository and run the command there: an installed package has neither the mutants nor "
            "a use for them",
        )


class NoMutantError(ConformanceError):
    """The filters leave no mutant."""

    code = "no-mutant"

    def __init__(self, words: str) -> None:
        super().__init__(
            f"no mutant is selected by {words}",
            remedy="-k takes a part of a mutant's id or of its requirement's, "
            "--requirement a whole id or a glob; `conformance mutants --missing` lists those that have no mutant",
        )
