"""`conformance new-target`: writes the folder of a target, which runs at once and claims nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from conformance.errors import ConformanceError

if TYPE_CHECKING:
    import argparse

SKELETONS: Final = Path(__file__).resolve().parents[1] / "skeletons"
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

KINDS: Final = {
    "stdio": "an agent on standard input and output, in JavaScript",
    "websocket": "a launcher, and an agent that has nothing but a WebSocket: browsers, servers, edge runtimes",
    "python": "an agent in Python",
}


class BadTargetNameError(ConformanceError):
    """The name of a new target is not one."""

    code = "target-name"


class TargetUnwritableError(ConformanceError):
    """The folder of a new target is taken, or cannot be written."""

    code = "target-unwritable"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `conformance new-target`."""
    parser.add_argument("name", metavar="NAME", help="small letters, digits and hyphens; the folder is called so")
    kinds = "; ".join(f"{kind}: {what}" for kind, what in KINDS.items())
    parser.add_argument("--kind", choices=list(KINDS), required=True, help=kinds)
    parser.add_argument(
        "--in", dest="parent", type=Path, default=Path(), metavar="DIR", help="where the folder is made (default: here)"
    )


def execute(args: argparse.Namespace) -> int:
    """Write the folder and say what comes next.

    Raises BadTargetNameError or TargetUnwritableError; nothing that exists is changed then.
    """
    if not _NAME.fullmatch(args.name):
        raise BadTargetNameError(
            f"{args.name!r} is no name of a target",
            remedy="take small letters, digits, and single hyphens between them",
        )
    folder = args.parent / args.name
    written = write(folder, args.name, args.kind)
    shown = str(folder) if folder.is_absolute() else f"./{folder}"
    print("\n".join(f"wrote {shown}/{name}" for name in written))
    print(f"\nIt runs already, and claims nothing:\n  conformance doctor {shown}")
    print(f"  conformance run --target {shown} -k ready/\n\ndocs/adding-a-runner.md says how to go on.")
    return 0


def write(folder: Path, name: str, kind: str) -> list[str]:
    """Write the skeleton of a kind to a folder that does not exist yet, and return the names of its files.

    Raises TargetUnwritableError.
    """
    files = sorted(file for file in (SKELETONS / kind).iterdir() if file.is_file())
    try:
        folder.mkdir(parents=True)
        for file in files:
            (folder / file.name).write_text(file.read_text(encoding="utf-8").replace("@name@", name), encoding="utf-8")
    except FileExistsError:
        raise TargetUnwritableError(
            f"there is a {str(folder)!r} already", remedy="take another name, or another folder with --in DIR"
        ) from None
    except OSError as error:
        raise TargetUnwritableError(
            f"{str(folder)!r} cannot be written: {error.strerror}",
            remedy="name a folder that you may write to: --in DIR",
        ) from None
    return [file.name for file in files]
