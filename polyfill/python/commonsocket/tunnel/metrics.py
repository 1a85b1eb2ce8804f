"""What the tunnel counts, in the text format of Prometheus. No name, address or token is in it."""

from __future__ import annotations

from collections import Counter
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_PREFIX: Final = "commonsocket_tunnel_"


class Metrics:
    """The counters of one tunnel; plain attributes, since they are counted at every message."""

    __slots__ = ("active", "bytes_down", "bytes_up", "connections", "datagrams_dropped", "failures", "refusals")

    def __init__(self) -> None:
        #: WebSockets that are open now.
        self.active = 0
        #: WebSockets that were opened, by what they carry.
        self.connections: Counter[str] = Counter()
        #: Requests that were refused, by the reason.
        self.refusals: Counter[str] = Counter()
        #: Connections that failed, by where.
        self.failures: Counter[str] = Counter()
        self.bytes_up = 0
        self.bytes_down = 0
        self.datagrams_dropped = 0

    def text(self) -> str:
        """Return the exposition."""
        lines: list[str] = []
        _add(lines, "active_connections", "gauge", "WebSockets that are open.", {"": self.active})
        _add(
            lines,
            "connections_total",
            "counter",
            "WebSockets that were opened.",
            _labelled("carries", self.connections),
        )
        _add(lines, "refusals_total", "counter", "Requests that were refused.", _labelled("reason", self.refusals))
        _add(lines, "failures_total", "counter", "Connections that failed.", _labelled("where", self.failures))
        directions = {'{direction="up"}': self.bytes_up, '{direction="down"}': self.bytes_down}
        _add(
            lines, "payload_bytes_total", "counter", "Payload that was carried, up to the targets and down.", directions
        )
        dropped = {"": self.datagrams_dropped}
        _add(lines, "datagrams_dropped_total", "counter", "Datagrams for which a client was too slow.", dropped)
        return "\n".join(lines) + "\n"


def _labelled(label: str, counts: Counter[str]) -> dict[str, int]:
    return {f'{{{label}="{value}"}}': count for value, count in sorted(counts.items())}


def _add(lines: list[str], name: str, kind: str, about: str, samples: dict[str, int]) -> None:
    lines += [f"# HELP {_PREFIX}{name} {about}", f"# TYPE {_PREFIX}{name} {kind}"]
    lines += [f"{_PREFIX}{name}{labels} {value}" for labels, value in samples.items()]
