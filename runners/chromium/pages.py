"""What is served to the browser: a page that loads the agent, and what makes an app of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.websocket import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

_APP: Final = Path(__file__).parent / "app"
_FILES: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/.well-known/manifest.webmanifest": ("manifest.webmanifest", "application/manifest+json"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}


def pages(headers: Mapping[str, str]) -> dict[str, Page]:
    """Return all but the script, by their paths."""
    return {path: Page(kind, (_APP / name).read_bytes(), headers) for path, (name, kind) in _FILES.items()}


def script(content: bytes, headers: Mapping[str, str]) -> dict[str, Page]:
    """Return the script that the page loads."""
    return {"/agent.js": Page("text/javascript; charset=utf-8", content, headers)}
