"""What a launcher says when it cannot do its work."""

from __future__ import annotations


class LaunchFailed(Exception):  # noqa: N818 (named after its cause, as those of the harness are)
    """Something that the target needs is missing or does not work.

    `remedy` says what to do about it. The harness shows both with the target that could not start.
    """

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(f"{what}\n{remedy}")
        self.what = what
        self.remedy = remedy


class NotInstalled(LaunchFailed):
    """Something that the target needs is not on this machine; `remedy` is how one gets it."""
