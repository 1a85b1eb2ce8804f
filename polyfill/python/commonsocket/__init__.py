"""The Python reference of Common Socket: the executable meaning of the specification."""

from __future__ import annotations

from .socket import Socket

__all__ = ["Socket"]
