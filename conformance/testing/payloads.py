"""Seeded randomness for tests. Its bytes have names, from which a program in any language makes them again."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Payload(NamedTuple):
    """Bytes that a test drew: the seed, the how many-th draw it was (from 1), and the size."""

    seed: str
    number: int
    size: int

    def data(self) -> bytes:
        """Return the bytes: SHAKE128 (FIPS 202) of the seed and the number."""
        return hashlib.shake_128(f"{self.seed}#{self.number}".encode()).digest(self.size)


class Randomness(random.Random):
    """The usual seeded generator, but for `randbytes`: `drawn` is told of every payload."""

    def __init__(self, seed: str, drawn: Callable[[Payload], object]) -> None:
        super().__init__(seed)
        self._seed = seed
        self._drawn = drawn
        self._count = 0

    def randbytes(self, n: int) -> bytes:
        """Return `n` bytes that no other call returns."""
        self._count += 1
        payload = Payload(self._seed, self._count, n)
        self._drawn(payload)
        return payload.data()
