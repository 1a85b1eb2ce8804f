"""Where the project's data lies: in a checkout beside the package, in a wheel inside it. Only this module knows."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent
_CARRIED = _PACKAGE / "_data"


def _room(name: str) -> Path:
    carried = _CARRIED / name
    return carried if carried.is_dir() else _CHECKOUT / name


def spec() -> Path:
    """Return the folder of the machine-readable specification."""
    return _room("spec")


def runners() -> Path:
    """Return the folder that holds one folder per target."""
    return _room("runners")


def reports() -> Path:
    """Return the folder of the templates and assets of the HTML report."""
    return _room("reports")


def polyfill() -> Path:
    """Return the folder of the implementations; a wheel carries the JavaScript one."""
    return _room("polyfill")


def modules() -> Path:
    """Return the folder of the npm packages: the checkout's, or for a wheel that of the folder it is used in."""
    return (checkout() or Path.cwd()) / "node_modules"


def checkout() -> Path | None:
    """Return the root of the checkout that this package runs from, or None for an installed wheel."""
    return None if _CARRIED.is_dir() else _CHECKOUT
