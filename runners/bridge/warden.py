"""Runs a command that must not outlive whoever started this: a program of its own, which needs nothing but Python.

    python -I -S warden.py [--remove FOLDER ...] [--place FILE=NUMBER ...] -- COMMAND [ARGUMENT ...]

Whoever starts it keeps the other end of its stdin open. When that end is closed, which the system does for a process
that is killed, too, the command's process group and all that descends from it is killed, and the folders are removed.
The command gets the open FILE of this process as NUMBER.
That takes no more than POSIX. Where the system has them, two more things help: the command is killed with the warden
itself (PR_SET_PDEATHSIG), and processes that left the group are found (PR_SET_CHILD_SUBREAPER).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import sys
from contextlib import suppress

STDIN = 0

# A number that nobody asks for in particular.
ABOVE_ALL = 64

# <sys/prctl.h> of Linux
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main(arguments: list[str]) -> int:
    """Run the command until it ends or stdin does, and return its exit code, 128 and more for a signal."""
    separator = arguments.index("--")
    folders = values(arguments[:separator], "--remove")
    pairs = (word.split("=") for word in values(arguments[:separator], "--place"))
    places = [(int(file), int(number)) for file, number in pairs]
    command = arguments[separator + 1 :]
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    # A child that ends makes this pipe readable, as the end of stdin makes stdin.
    ended, notice = os.pipe()
    os.set_blocking(notice, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(notice, warn_on_full_buffer=False)
    # An interrupt is for the launcher to handle: its end is this one's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warden = os.getpid()
    child = os.fork()
    if child == 0:
        become(command, places, warden)
    # Both do it, so that the group is there whoever comes first.
    with suppress(OSError):
        os.setpgid(child, child)
    code, watched = None, [STDIN, ended]
    while code is None:
        ready, _, _ = select.select(watched, [], [])
        if STDIN in ready:
            kill_group(child)
            watched = [ended]
        if ended in ready:
            os.read(ended, 4096)
            code = reap(child)
    kill_group(child)
    kill_orphans()
    import shutil  # noqa: PLC0415 (nobody waits for it any more)

    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def values(options: list[str], name: str) -> list[str]:
    """Return the values of one option."""
    return [value for option, value in zip(options[::2], options[1::2], strict=True) if option == name]


def become(command: list[str], places: list[tuple[int, int]], warden: int) -> None:
    """Turn this process into the command, in a group of its own that dies with the warden."""
    try:
        os.setpgid(0, 0)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != warden:
            os._exit(1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        # What is to get the number of another one must not close that.
        copies = [(fcntl.fcntl(file, fcntl.F_DUPFD, ABOVE_ALL), number) for file, number in places]
        for file, number in copies:
            os.dup2(file, number)
            os.close(file)
        os.execvp(command[0], command)  # noqa: S606 (there is no shell to be had)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
    finally:
        os._exit(127)


def reap(child: int) -> int | None:
    """Take notice of everything that has ended, and return the exit code of `child` if it was among that."""
    found = None
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0] != 0:
            if ended[0] == child:
                code = os.waitstatus_to_exitcode(ended[1])
                found = code if code >= 0 else 128 - code
    return found


def kill_group(child: int) -> None:
    """Kill the process group of the command."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def kill_orphans() -> None:
    """Kill what left the group. Whose parent has died is the child of the warden now, where the system does that."""
    while True:
        try:
            with open(f"/proc/self/task/{os.getpid()}/children") as file:  # noqa: PTH123 (pathlib takes longer to import)
                orphans = [int(word) for word in file.read().split()]
        except OSError:
            return
        if not orphans:
            return
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
            os.waitpid(orphan, 0)


def prctl(option: int, value: int) -> None:
    """Ask the kernel for something that only Linux has."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
