"""How fast the tunnel carries TCP over WebSockets, beside websockify.

    python benchmarks/tunnel.py [--rounds 7] [--mebibytes 256] [--trips 5000] [--only up] [--check]

The client is this process with a blocking socket: its frames are made before the clock starts, and of what comes it
only counts the bytes, so that it costs next to nothing. The target is another process (`tcp_peer.py`). Every round runs
all variants of a task once, in shuffled order, each with a daemon of its own. Printed are the median rates, and the
medians over the rounds of rate and of the daemon's CPU time relative to websockify in the same round: wall time depends
on what else the machine does, CPU time less so. So where the machine is busy before the start, the targets are held
against the CPU time. `--check` exits with 1 if a target is missed.

websockify is installed by `pip install --requirement requirements/bench.txt`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

PEER = Path(__file__).with_name("tcp_peer.py")
MEBIBYTE = 1 << 20
FRAME = 65536  # bytes: what a client writes at once
MASK = b"\x12\x34\x56\x78"
WITHOUT_UVLOOP = "import sys; sys.modules['uvloop'] = None; from commonsocket.__main__ import main; sys.exit(main())"


# ---- daemons ----


def websockify(target: int) -> tuple[list[str], int | None]:
    """Return the command, and the port if it does not print it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return [sys.executable, "-m", "websockify", f"127.0.0.1:{port}", f"127.0.0.1:{target}"], port


def tunnel(target: int) -> tuple[list[str], int | None]:
    return [sys.executable, "-m", "commonsocket", *tunnel_arguments(target)], None


def tunnel_on_asyncio(target: int) -> tuple[list[str], int | None]:
    return [sys.executable, "-c", WITHOUT_UVLOOP, *tunnel_arguments(target)], None


def tunnel_arguments(target: int) -> list[str]:
    return ["tunnel", "--listen", "ws://127.0.0.1:0", "--allow", f"127.0.0.1:{target}"]


class Daemon:
    """A daemon that runs as long as it is needed."""

    def __init__(self, command: tuple[list[str], int | None]) -> None:
        arguments, port = command
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(arguments, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet)
        if port is None:
            assert self.process.stdout is not None
            port = int(self.process.stdout.readline().rpartition(b":")[2])
        self.port = port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def connect(self) -> socket.socket:
        """Return a connection; a daemon that has printed nothing may need some time to listen."""
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port))
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    raise SystemExit(
                        "websockify does not run: pip install --requirement requirements/bench.txt"
                    ) from None
                time.sleep(0.02)

    def cpu(self) -> dict[int, float]:
        """Return the seconds of CPU time of the daemon and its children: websockify has one for each connection."""
        found = {self.process.pid: cpu_of(self.process.pid)}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            # Others come and go meanwhile.
            with contextlib.suppress(OSError):
                pid, _, rest = stat.read_text(encoding="utf-8").partition(" ")
                if int(rest.rpartition(")")[2].split()[1]) == self.process.pid:
                    found[int(pid)] = cpu_of(int(pid))
        return found


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU time that a process has had; what its `stat` tells are hundredths."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text(encoding="ascii").split()[0]) for each in threads) / 1e9


# ---- the client ----


def frame(payload: bytes, opcode: int = 2) -> bytes:
    """Return a client's frame."""
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | opcode, 0x80 | length))
    elif length < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + length.to_bytes(8, "big")
    masked = int.from_bytes(payload, "big") ^ int.from_bytes((MASK * (length // 4 + 1))[:length], "big")
    return head + MASK + masked.to_bytes(length, "big")


class Client:
    """A WebSocket whose frames are made by hand, for plain bytes or for `commonsocket.v1`."""

    def __init__(self, daemon: Daemon, target: int, *, messages: bool) -> None:
        self.socket = daemon.connect()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = "commonsocket.v1" if messages else "binary"
        self.socket.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: %s\r\n\r\n" % protocol.encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(1)
        assert b" 101 " in answer, answer
        self.room = threading.Semaphore(1 << 30)
        if messages:
            remote = {"address": "127.0.0.1", "port": target}
            # More than will be needed: this client is never too slow.
            connect = {"type": "connect", "init": {"remote": remote, "noDelay": True}, "credit": 1 << 40}
            self.socket.sendall(frame(json.dumps(connect).encode(), opcode=1))
            window = int(re.findall(rb'"credit":(\d+)', self.socket.recv(4096))[0])
            # One less, for what `start` sends.
            self.room = threading.Semaphore(window // FRAME - 1)
            self.granted = 0

    def start(self, service: str) -> None:
        """Say what the connection is for."""
        self.socket.sendall(frame(service.encode() + b"\n"))

    def receive(self, size: int) -> None:
        """Take so many bytes and whatever they come in."""
        buffer = memoryview(bytearray(MEBIBYTE))
        while size > 0:
            size -= self.socket.recv_into(buffer)

    def look_at_credit(self) -> None:
        """Take what comes up to the end; let the sender send what it is granted."""
        while answer := self.socket.recv(4096):
            for bytes_ in re.findall(rb'"credit","bytes":(\d+)', answer):
                self.granted += int(bytes_)
                self.room.release(self.granted // FRAME)
                self.granted %= FRAME
            if b"\x82\x01." in answer:
                return


def down(client: Client, size: int) -> None:
    client.start(f"pour {size}")
    client.receive(size)


def up(client: Client, size: int) -> None:
    whole = frame(bytes(FRAME))
    reader = threading.Thread(target=client.look_at_credit)
    client.start(f"count {size}")
    reader.start()
    for _ in range(size // FRAME):
        client.room.acquire()
        client.socket.sendall(whole)
    reader.join()


def ping(client: Client, trips: int) -> None:
    client.start("echo")
    one = frame(b"x")
    # The header of the answer and the byte, for the first of which the peer may still be starting.
    for _ in range(trips):
        client.socket.sendall(one)
        client.receive(3)


# ---- measuring ----


@dataclass(frozen=True)
class Variant:
    """A daemon, and what the client speaks to it."""

    command: Callable[[int], tuple[list[str], int | None]]
    messages: bool = False


@dataclass(frozen=True)
class Task:
    """Something to do, what it is counted in, and how many times websockify's rate the tunnel is to reach."""

    run: Callable[[Client, int], None]
    unit: str
    target: float


@dataclass(frozen=True)
class Sample:
    """One run: units per second, and seconds of the daemon's CPU per unit."""

    rate: float
    cpu: float


BASE = "websockify"
JUDGED = "tunnel on uvloop"
VARIANTS = {
    BASE: Variant(websockify),
    JUDGED: Variant(tunnel),
    "tunnel on asyncio": Variant(tunnel_on_asyncio),
    "commonsocket.v1, uvloop": Variant(tunnel, messages=True),
}
TASKS = {"down": Task(down, "MiB/s", 1.8), "up": Task(up, "MiB/s", 4.0), "ping": Task(ping, "trips/s", 1.4)}


def measure(target: int, variant: Variant, task: Task, amount: int, units: float) -> Sample:
    with Daemon(variant.command(target)) as daemon:
        for warm_up in (amount // 16 // FRAME * FRAME or 100, amount):
            client = Client(daemon, target, messages=variant.messages)
            start, before = time.perf_counter(), daemon.cpu()
            task.run(client, warm_up)
            wall, after = time.perf_counter() - start, daemon.cpu()
            used = sum(after[pid] - before[pid] for pid in after.keys() & before.keys())
            client.socket.close()
    return Sample(units / wall, used / units)


def paired(samples: dict[str, list[Sample]], name: str, figure: str) -> float:
    """Return the median over the rounds of the ratio to the base."""
    pairs = zip(samples[name], samples[BASE], strict=True)
    return statistics.median(getattr(one, figure) / max(getattr(other, figure), 1e-9) for one, other in pairs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mebibytes", type=int, default=256, help="how much each run sends or receives")
    parser.add_argument("--trips", type=int, default=5000, help="round trips of each run of ping")
    parser.add_argument("--only", choices=list(TASKS), help="one task instead of all")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    arguments = parser.parse_args()
    loaded = os.getloadavg()[0] > (os.cpu_count() or 1)
    with subprocess.Popen([sys.executable, PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as peer:
        assert peer.stdout is not None
        target = json.loads(peer.stdout.readline())[0]
        missed = 0
        for name in [arguments.only] if arguments.only else TASKS:
            task = TASKS[name]
            amount, units = (
                (arguments.trips,) * 2 if name == "ping" else (arguments.mebibytes << 20, arguments.mebibytes)
            )
            samples: dict[str, list[Sample]] = {variant: [] for variant in VARIANTS}
            for _ in range(arguments.rounds):
                for variant in random.sample(list(VARIANTS), len(VARIANTS)):
                    samples[variant].append(measure(target, VARIANTS[variant], task, amount, units))
            print(f"\n{name:<26}{task.unit:>12}  {'x ' + BASE + ' (rate; CPU)':>28}")
            for variant in VARIANTS:
                rate = statistics.median(sample.rate for sample in samples[variant])
                ratios = [paired(samples, variant, figure) for figure in ("rate", "cpu")]
                print(f"  {variant:<24}{rate:>12,.0f}  {ratios[0]:>20.2f}; {ratios[1]:6.2f}")
            ratio = 1 / paired(samples, JUDGED, "cpu") if loaded else paired(samples, JUDGED, "rate")
            missed += ratio < task.target
            verdict = "reached" if ratio >= task.target else "MISSED"
            what = "work per CPU second, as the machine has other work" if loaded else "rate"
            print(f"  target: {JUDGED} >= {task.target} x {BASE}: {ratio:.2f} ({what}), {verdict}")
        assert peer.stdin is not None
        peer.stdin.close()
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
