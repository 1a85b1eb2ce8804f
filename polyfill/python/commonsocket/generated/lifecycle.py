"""The state that follows: transport, then state, then event. What is not there cannot happen.

{banner}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATES: Final[Sequence[str]] = {states}

TRANSITIONS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {transitions}
