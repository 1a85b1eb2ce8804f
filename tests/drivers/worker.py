"""workerd with one worker, for as long as it is needed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERD = Path(__file__).parents[2] / "node_modules" / ".bin" / "workerd"

CONFIG = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "loopback", network = (allow = ["local"], tlsOptions = (trustedCertificates = [{authority}]))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", service = "main", http = ())],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.mjs")],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["nodejs_compat"],
  globalOutbound = "loopback",
);
"""


@contextlib.contextmanager
def running(folder: Path, bundle: Path, authority: str) -> Iterator[str]:
    """Run the worker that is in `bundle`, which trusts `authority` (PEM); give the URL where it takes requests."""
    (folder / "worker.mjs").write_bytes(bundle.read_bytes())
    config = folder / "config.capnp"
    config.write_text(CONFIG.replace("{authority}", json.dumps(authority)), encoding="utf-8")
    read, write = os.pipe()
    command = [WORKERD, "serve", f"--control-fd={write}", config]
    with subprocess.Popen(command, pass_fds=[write]) as workerd, os.fdopen(read, encoding="utf-8") as control:
        os.close(write)
        try:
            # One line for each socket, which there is one of.
            port = json.loads(control.readline())["port"]
            yield f"http://127.0.0.1:{port}/"
        finally:
            workerd.terminate()
