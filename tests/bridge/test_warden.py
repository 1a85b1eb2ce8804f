"""Processes of a launcher end with it, however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from conformance import resources

TOY = Path(__file__).parent / "toy"
LAUNCH = [sys.executable, str(resources.runners() / "launch.py"), str(TOY)]
WARDEN = resources.runners() / "bridge" / "warden.py"

LIMIT = 30.0  # seconds, which only a failure takes


def processes(line: bytes) -> list[int]:
    """Return files that become readable when the processes that the line names end."""
    return [os.pidfd_open(int(word)) for word in line.split()]


def all_end(files: list[int]) -> bool:
    """Wait for the end of all, and say whether it came."""
    waiting = list(files)
    while waiting:
        ended, _, _ = select.select(waiting, [], [], LIMIT)
        if not ended:
            break
        waiting = [file for file in waiting if file not in ended]
    for file in files:
        os.close(file)
    return not waiting


@pytest.fixture
def launcher(tmp_path):
    profile = tmp_path / "profile"
    (profile / "inside").mkdir(parents=True)
    command = [*LAUNCH, str(profile)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        yield process
        process.kill()


def killed(process):
    process.kill()


def killed_with_its_group(process):
    os.killpg(process.pid, signal.SIGKILL)


def told_to_end(process):
    process.terminate()


def interrupted(process):
    os.killpg(process.pid, signal.SIGINT)


def without_a_harness(process):
    process.stdin.close()


@pytest.mark.parametrize("ends", [killed, killed_with_its_group, told_to_end, interrupted, without_a_harness])
def test_everything_that_a_launcher_started_ends_with_it(launcher, ends):
    started = processes(launcher.stdout.readline())
    assert len(started) == 3
    ends(launcher)
    assert all_end(started)
    launcher.wait(LIMIT)


def test_a_launcher_notices_that_the_harness_was_killed():
    harness = textwrap.dedent(f"""
        import subprocess, sys, time
        launcher = subprocess.Popen({LAUNCH}, stdin=subprocess.PIPE, stdout=sys.stdout, start_new_session=True)
        time.sleep(600)
    """)
    with subprocess.Popen([sys.executable, "-c", harness], stdout=subprocess.PIPE) as process:
        started = processes(process.stdout.readline())
        process.kill()
        assert all_end(started)
        # The launcher held the other end of this.
        assert process.stdout.read() == b""


def test_the_folders_of_a_launcher_are_removed(launcher, tmp_path):
    started = processes(launcher.stdout.readline())
    (warden,) = wardens_of(launcher.pid)
    gone = [os.pidfd_open(warden)]
    assert (tmp_path / "profile").exists()
    launcher.kill()
    assert all_end([*started, *gone])
    assert not (tmp_path / "profile").exists()


def test_the_agent_ends_with_its_warden(launcher):
    agent, *children = processes(launcher.stdout.readline())
    (warden,) = wardens_of(launcher.pid)
    os.kill(warden, signal.SIGKILL)
    assert all_end([agent])
    for file in children:
        signal.pidfd_send_signal(file, signal.SIGKILL)
    assert all_end(children)
    assert launcher.wait(LIMIT) == 5


def test_the_end_of_stdin_is_enough_where_there_is_no_prctl():
    program = f"""
        import runpy, sys
        sys.platform = "another"
        sys.argv = [{str(WARDEN)!r}, "--", *sys.argv[1:]]
        runpy.run_path({str(WARDEN)!r}, run_name="__main__")
    """
    command = [sys.executable, "-c", textwrap.dedent(program), sys.executable, str(TOY / "lives.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as warden:
        agent, same_group, other_session = processes(warden.stdout.readline())
        warden.stdin.close()
        assert all_end([agent, same_group])
        signal.pidfd_send_signal(other_session, signal.SIGKILL)
        os.close(other_session)


@pytest.mark.parametrize(
    ("program", "code"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 15)", 143)]
)
def test_the_exit_code_of_a_command_is_that_of_its_warden(program, code):
    command = [sys.executable, str(WARDEN), "--", sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as warden:
        assert warden.wait(LIMIT) == code


def test_a_command_that_is_not_there_is_named():
    command = [sys.executable, str(WARDEN), "--", "no-such-command"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as warden:
        assert warden.stderr.read() == b"no-such-command: No such file or directory\n"
        assert warden.wait(LIMIT) == 127


def test_files_get_the_numbers_that_a_command_expects():
    ours, first = os.pipe()
    others, second = os.pipe()
    # Each takes the number of the other.
    program = f"import os; os.write({second}, b'first'); os.write({first}, b'second')"
    places = ["--place", f"{first}={second}", "--place", f"{second}={first}"]
    command = [sys.executable, str(WARDEN), *places, "--", sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[first, second]) as warden:
        assert warden.wait(LIMIT) == 0
    assert (os.read(ours, 100), os.read(others, 100)) == (b"first", b"second")
    for file in (ours, first, others, second):
        os.close(file)


def wardens_of(launcher: int) -> list[int]:
    """Return the children of a process."""
    return [int(word) for word in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()]
