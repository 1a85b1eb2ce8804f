"""What a system's failure is called in `SocketError.error_code`: phase, then system code.

A key that ends in `*` stands for every name that begins like it; `*` alone is the phase's answer to the rest.

{banner}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_CODES: Final[Mapping[str, Mapping[str, str]]] = {codes}
