"""What is wrong with what the user asked for."""

from __future__ import annotations


class MistakeError(Exception):
    """A fault of the command line or of a file that it names; the message says what to do."""
