"""Mutants: implementations with one small violation each, which the suite has to notice."""

from conformance.mutants.model import Mutant, load, stale, without
from conformance.mutants.trial import Fate, Trial

__all__ = ["Fate", "Mutant", "Trial", "load", "stale", "without"]
