"""How long the command line takes to start, beside a Python that does nothing.

Prints the median wall time of interleaved rounds and the ratio to the empty Python of the same rounds. The target is
at most 80 ms for `--help` where the empty Python takes 15 ms: a ratio of 5.3.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

COMMANDS: dict[str, list[str]] = {
    "python -c pass": ["-c", "pass"],
    "conformance --help": ["-m", "conformance", "--help"],
    "conformance run --help": ["-m", "conformance", "run", "--help"],
    "conformance list": ["-m", "conformance", "list"],
}
EMPTY = "python -c pass"
LIMIT_RATIO = 80 / 15


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, args in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *args], stdout=subprocess.DEVNULL, check=True)
            times[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(each) * 1000 for name, each in times.items()}
    for name, median in medians.items():
        print(f"{name:24} {median:8.1f} ms   {median / medians[EMPTY]:6.2f} x empty Python")
    ratio = medians["conformance --help"] / medians[EMPTY]
    print(f"--help: {ratio:.2f} x (at most {LIMIT_RATIO:.2f} x) {'ok' if ratio <= LIMIT_RATIO else 'TOO SLOW'}")
    return 0 if ratio <= LIMIT_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
