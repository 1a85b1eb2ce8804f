"""Starts the command line: ``python -m conformance`` and the script ``conformance``."""

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    from conformance.cli.main import run  # noqa: PLC0415 (starting stays fast: nothing is imported before it is used)

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
