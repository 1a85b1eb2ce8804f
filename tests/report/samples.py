"""Small runs to report on: every verdict, a wire log, an expectation, text that would break a careless page."""

from __future__ import annotations

import base64

from conformance.results.model import Absence, Footer, Header, Run, Step, TestResult, Wire, totals

HOSTILE = '</script><script>document.title = "broken"</script> & <b>bold</b> {{ 7 * 7 }}'

ABSENT = Absence("deno", "runtime-not-found", f"it is not there {HOSTILE}", "npm ci")

READY = "socket/ready/fulfils-with-undefined"


def result(test: str, target: str, verdict: str = "pass", **members: object) -> TestResult:
    values: dict[str, object] = {
        "expected": verdict in {"pass", "unsupported"},
        "duration_ms": 12.34,
        "message": "" if verdict == "pass" else f"the {verdict} of {test}",
        "requirements": ["ready/fulfils-with-undefined"],
        "features": ["tcp"],
        "title": f"title of {test}",
        "source": "behaviour",
        "rerun": f"conformance run --target {target} {test}",
        "origin": "conformance/suite/ready.py:12",
        "waiting_ms": 3.0,
    }
    return TestResult(test=test, target=target, verdict=verdict, **(values | members))  # type: ignore[arg-type]


def run(target: str, tests: list[TestResult], *, cut: bool = False, spec_hash: str = "0" * 64) -> Run:
    header = Header(
        target=target,
        language="javascript" if target == "node" else "python",
        spec={"version": "0.1.0", "hash": spec_hash},
        runtime={"name": target, "version": "20.1.0"},
        implementation={"name": "commonsocket", "version": "0.1.0"},
        features=["tcp", "byob"],
        seed="7",
        platform="linux-x64",
        started="2026-11-23T02:00:00Z",
        selection={},
    )
    footer = Footer(
        target=target,
        totals=totals(tests),
        unexpected=sum(not test.expected for test in tests),
        stale_expectations=[],
        wall_ms=1500.0,
        waiting_ms=4000.0,
        cpu_ms=900.0,
        interrupted=False,
    )
    return Run(header, tests, None if cut else footer)


def samples(spec_hash: str = "0" * 64) -> list[Run]:
    wire = [
        Wire(at_ms=1.0, peer=1, connection=1, direction="from-target", kind="connect", size=0, data=""),
        Wire(
            at_ms=2.5,
            peer=1,
            connection=1,
            direction="from-target",
            kind="data",
            size=5,
            data=base64.b64encode(b"hello").decode(),
        ),
    ]
    steps = [Step(0.1, "step", "connect to the peer"), Step(0.2, "call", f"construct Socket {HOSTILE}")]
    known = {"test": "socket/abort/*", "verdict": "fail", "reason": "no RST here", "link": "https://example.test/7"}
    node = [
        result(READY, "node"),
        result("socket/ready/hostile", "node", "fail", message=HOSTILE, title=HOSTILE, steps=steps, wire=wire),
        result("socket/abort/sends-rst", "node", "fail", expected=True, expectation=known),
        result("socket/readable-bytes/fills-view", "node", "timeout", features=["tcp", "byob"]),
        result("socket/tls/handshake", "node", "unsupported", features=["tls"]),
        result("socket/idl/shape/Socket/length", "node", "crash", features=[], source="idl"),
    ]
    reference = [
        result(READY, "reference", steps=steps, wire=wire),
        result("socket/ready/hostile", "reference"),
        result("socket/abort/sends-rst", "reference"),
        result("socket/readable-bytes/fills-view", "reference", features=["tcp", "byob"]),
        result("socket/tls/handshake", "reference", "blocked", features=["tls"]),
    ]
    return [run("reference", reference, spec_hash=spec_hash), run("node", node, spec_hash=spec_hash)]
