#!/usr/bin/env python3
"""Sets up a checkout and runs it: needs nothing but Python 3.11+, and Node 20+ with npm for the JavaScript parts."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

USAGE = """\
usage: python3 dev.py COMMAND [ARGUMENT ...]

  run [ARGUMENTS OF conformance run]   set up, run the suite, write the report
  test [ARGUMENTS OF pytest]           set up everything, run all tests
  check                                set up everything, run every static check
  lock                                 write the locked requirements anew

Example: python3 dev.py run --target all
"""

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PROGRAMS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
NODE_MODULES = ROOT / "node_modules"

# name of the locked set -> the dependency groups of pyproject.toml that it holds beside the run-time dependencies
LOCKED = {"run": ["run"], "dev": ["dev"], "bench": ["bench"]}

TESTS_FAILED = 1  # pytest's exit code

CHECKS: list[list[str]] = [
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy"],
    ["lint-imports"],
    ["conformance", "spec", "check"],
    ["conformance", "spec", "generate", "--check"],
    ["conformance", "mutants", "--stale"],
    ["npx", "--no-install", "biome", "ci", "--error-on-warnings", "."],
    ["npx", "--no-install", "tsc", "--project", "tsconfig.json"],
]


def main(argv: list[str]) -> int:
    """Run the sub-command `argv[0]` and return its exit code."""
    commands = {"run": run, "test": test, "check": check, "lock": lock}
    if not argv or argv[0] not in commands:
        print(USAGE)
        return 0 if argv[:1] in (["-h"], ["--help"]) else 2
    if sys.version_info < (3, 11):  # noqa: UP036 (an older interpreter is what this line is for)
        print(f"dev.py: Python 3.11 or newer is needed, this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    return commands[argv[0]](argv[1:])


def run(arguments: list[str]) -> int:
    """Set up what the suite needs and run it."""
    install_python("run")
    return call([program("conformance"), "run", *arguments])


def test(arguments: list[str]) -> int:
    """Set up everything and run the Python and the JavaScript tests."""
    install_python("dev")
    install_javascript()
    python = test_python(arguments)
    javascript = call(["node", "--test", "polyfill/javascript/tests/"]) if not arguments else 0
    return python or javascript


def test_python(arguments: list[str]) -> int:
    """Run the Python tests; all of them in several processes, and those that failed there once more, alone."""
    pytest = [program("python"), "-m", "pytest"]
    if arguments:
        return call([*pytest, *arguments])
    # The longest tests wait for processes, not for a core: a few workers more than cores keep both busy.
    code = call([*pytest, "-n", "4", "--dist", "worksteal"])
    if code != TESTS_FAILED:
        return code
    print("dev.py: once more, alone: what failed beside others may have run out of time on a busy machine", flush=True)
    return call([*pytest, "--last-failed", "--last-failed-no-failures", "none"])


def check(arguments: list[str]) -> int:
    """Run every static check, all of them even where one fails, and name the failing ones."""
    install_python("dev")
    install_javascript()
    failed = [" ".join(command) for command in CHECKS if call([program(command[0]), *command[1:], *arguments]) != 0]
    for command in failed:
        print(f"dev.py: failed: {command}", file=sys.stderr)
    return 1 if failed else 0


def lock(_arguments: list[str]) -> int:
    """Resolve the dependencies anew and write them, with hashes, to requirements/."""
    install_python("dev")
    for name, groups in LOCKED.items():
        options = ["--universal", "--upgrade", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--quiet"]
        named = [word for group in groups for word in ("--group", group)]
        told = ["--custom-compile-command", "python3 dev.py lock", "--python-version", "3.11"]
        target = ["--output-file", f"requirements/{name}.txt"]
        if call([program("uv"), "pip", "compile", "pyproject.toml", *options, *named, *told, *target]) != 0:
            return 1
    return 0


def install_python(name: str) -> None:
    """Install the locked set `name` and the project itself into .venv, unless that has been done."""
    locked = ROOT / "requirements" / f"{name}.txt"
    wanted = hashlib.sha256(locked.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = ENVIRONMENT / f"installed-{name}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not PROGRAMS.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pip = [program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    need([*pip, "--require-hashes", "--requirement", str(locked)])
    need([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    stamp.write_text(wanted)


def install_javascript() -> None:
    """Install the locked npm packages into node_modules, unless that has been done."""
    if shutil.which("npm") is None:
        sys.exit("dev.py: npm was not found. Install Node.js 20 or newer, which brings it.")
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    stamp = NODE_MODULES / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    need(["npm", "ci", "--loglevel=error", "--no-audit", "--no-fund"])
    stamp.write_text(wanted)


def program(name: str) -> str:
    """Return the path of a program of .venv, or `name` itself for one of the system."""
    inside = shutil.which(name, path=str(PROGRAMS))
    return inside if inside is not None else name


def need(command: list[str]) -> None:
    """Run a command that the rest depends on; end with its exit code if it fails."""
    code = call(command)
    if code != 0:
        sys.exit(code)


def call(command: list[str]) -> int:
    """Run a command in the checkout, with the programs of .venv first on the PATH, and return its exit code."""
    environment = os.environ | {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', '')}"}
    executable = shutil.which(command[0], path=environment["PATH"])
    if executable is None:
        print(f"dev.py: {command[0]} was not found on the PATH.", file=sys.stderr)
        return 2
    return subprocess.run([executable, *command[1:]], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
