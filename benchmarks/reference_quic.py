"""How fast the Python reference moves bytes over QUIC, beside bare aioquic on asyncio.

    python benchmarks/reference_quic.py [--rounds 5] [--mebibytes 8] [--trips 500] [--check]

The peer is aioquic in another process. Every round runs both variants of a task once, in shuffled order and each in a
process of its own. Printed are the median rates, and the medians over the rounds of the rate and the CPU time of the
reference relative to aioquic's in the same round. `--check` exits with 1 if the rate of a task is below 0.9 of
aioquic's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import ssl
import statistics
import subprocess
import sys
import time
from typing import Any

import trustme
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from commonsocket import Socket
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ALPN = "bench"
CHUNK = 65536  # bytes
TARGET = 0.9  # of the rate of bare aioquic
TASKS = ("receive", "send", "ping")


# ---- the peer ----


class Peer(QuicConnectionProtocol):
    """Does what the first byte of stream 0 says: S sends as many bytes as follow in 8, R takes them, P echoes."""

    left = 0
    service = b""

    def quic_event_received(self, event: events.QuicEvent) -> None:
        """Serve."""
        if not isinstance(event, events.StreamDataReceived):
            return
        data = event.data
        if not self.service and data:
            self.service, self.left, data = data[:1], int.from_bytes(data[1:9]), data[9:]
            if self.service == b"S":
                self._quic.send_stream_data(0, bytes(self.left))
        if self.service == b"P" and data:
            self._quic.send_stream_data(0, data)
        elif self.service == b"R" and self.left > 0:
            self.left -= len(data)
            if self.left <= 0:
                self._quic.send_stream_data(0, b"!")


async def serve_for_ever() -> None:
    """Serve, and print the port and the authority's certificate."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    issued = authority.issue_cert("127.0.0.1")
    configuration = QuicConfiguration(is_client=False, alpn_protocols=[ALPN])
    configuration.certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    configuration.private_key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    listening = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Peer)
    assert listening._transport is not None  # noqa: SLF001 (nothing else tells the port)
    port = listening._transport.get_extra_info("sockname")[1]  # noqa: SLF001 (as above)
    print(json.dumps([port, authority.cert_pem.bytes().decode()]), flush=True)
    await asyncio.Event().wait()


# ---- bare aioquic ----


class Bare(QuicConnectionProtocol):
    """The least that can be done: count bytes, and wake whoever waits for them."""

    left = 0
    waiter: asyncio.Future[None] | None = None

    def quic_event_received(self, event: events.QuicEvent) -> None:
        """Count."""
        if isinstance(event, events.StreamDataReceived):
            self.left -= len(event.data)
            if self.left <= 0 and self.waiter is not None:
                waiter, self.waiter = self.waiter, None
                waiter.set_result(None)

    async def expect(self, size: int) -> None:
        """Wait until `size` bytes came."""
        self.left += size
        if self.left > 0:
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter

    def give(self, data: bytes) -> None:
        """Send bytes."""
        self._quic.send_stream_data(0, data)
        self.transmit()


async def bare(port: int, ca: str, task: str, amount: int) -> float:
    """Do a task with bare aioquic and return the seconds that it took."""
    configuration = QuicConfiguration(alpn_protocols=[ALPN], cadata=ca.encode(), verify_mode=ssl.CERT_REQUIRED)
    async with connect("127.0.0.1", port, configuration=configuration, create_protocol=Bare) as protocol:
        assert isinstance(protocol, Bare)
        begin = time.perf_counter()
        if task == "ping":
            protocol.give(b"P" + bytes(8))
            for _ in range(amount):
                protocol.give(b"x")
                await protocol.expect(1)
        elif task == "receive":
            protocol.give(b"S" + amount.to_bytes(8))
            await protocol.expect(amount)
        else:
            protocol.give(b"R" + amount.to_bytes(8))
            for _ in range(amount // CHUNK):
                protocol.give(bytes(CHUNK))
            await protocol.expect(1)
        return time.perf_counter() - begin


# ---- the reference ----


async def reference(port: int, ca: str, task: str, amount: int) -> float:
    """Do a task with a Socket and return the seconds that it took."""
    remote: Any = {"address": "127.0.0.1", "port": port}
    socket = Socket({"type": "quic", "remote": remote, "tls": {"alpn": [ALPN], "ca": [ca]}})
    await socket.ready
    reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
    begin = time.perf_counter()
    if task == "ping":
        await writer.write(b"P" + bytes(8))
        for _ in range(amount):
            await writer.write(b"x")
            await reader.read()
    elif task == "receive":
        await writer.write(b"S" + amount.to_bytes(8))
        left = amount
        while left > 0:
            left -= len((await reader.read()).value)
    else:
        await writer.write(b"R" + amount.to_bytes(8))
        for _ in range(amount // CHUNK):
            await writer.write(bytes(CHUNK))
        await reader.read()
    passed = time.perf_counter() - begin
    await socket.abort()
    return passed


# ---- measuring ----


def run_once(variant: str, port: int, ca: str, task: str, amount: int) -> tuple[float, float]:
    """Return wall and CPU seconds of one run in a process of its own."""
    command = [sys.executable, __file__, "--run", json.dumps([variant, port, ca, task, amount])]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    wall, cpu = json.loads(output)
    return wall, cpu


def child(variant: str, port: int, ca: str, task: str, amount: int) -> None:
    """Run once and print wall and CPU seconds; the imports and the handshake are not among them in the wall time."""
    before = time.process_time()
    wall = asyncio.run((bare if variant == "aioquic" else reference)(port, ca, task, amount))
    print(json.dumps([wall, time.process_time() - before]))


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mebibytes", type=int, default=8)
    parser.add_argument("--trips", type=int, default=500)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve_for_ever())
    if options.run:
        child(*json.loads(options.run))
        return 0
    failed = False
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as peer:
        try:
            assert peer.stdout is not None
            port, ca = json.loads(peer.stdout.readline())
            for task in TASKS:
                amount = options.trips if task == "ping" else options.mebibytes << 20
                rounds: list[dict[str, tuple[float, float]]] = []
                for _ in range(options.rounds):
                    variants = random.sample(["aioquic", "reference"], 2)
                    rounds.append({variant: run_once(variant, port, ca, task, amount) for variant in variants})
                ratio = statistics.median(each["aioquic"][0] / each["reference"][0] for each in rounds)
                cpu = statistics.median(each["reference"][1] / each["aioquic"][1] for each in rounds)
                unit, scale = ("trips/s", 1) if task == "ping" else ("MiB/s", 1 << 20)
                rates = [
                    f"{name} {amount / scale / statistics.median(each[name][0] for each in rounds):8.1f} {unit}"
                    for name in ("aioquic", "reference")
                ]
                missed = ratio < TARGET
                failed |= missed
                verdict = f"rate {ratio:.2f} (target {TARGET}){' MISSED' if missed else ''}, CPU {cpu:.2f}"
                print(f"{task:8} {'   '.join(rates)}   {verdict}")
        finally:
            peer.terminate()
    return int(failed and options.check)


if __name__ == "__main__":
    sys.exit(main())
