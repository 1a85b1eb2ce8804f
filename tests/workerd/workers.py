"""Workers as users write and deploy them: bundled as wrangler does, and run by workerd with the defaults of a date."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import textwrap
from typing import TYPE_CHECKING

from conformance import resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MODULES = resources.modules()
PACKAGE = resources.polyfill() / "javascript"

CONDITIONS = "workerd,worker,browser"
"""Those of wrangler."""

NEWEST = "2026-11-17"

CONFIG = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker), (name = "loopback", network = (allow = ["local"]))],
  sockets = [
    (name = "http", address = "127.0.0.1:0", service = "worker", http = ()),
    (name = "first", address = "127.0.0.1:0", service = "worker", tcp = ()),
    (name = "second", address = "127.0.0.1:0", service = "worker", tcp = ()),
    MORE
  ],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "bundle.js")],
  compatibilityDate = "DATE",
  compatibilityFlags = FLAGS,
  globalOutbound = "loopback",
);
"""


def bundle(folder: Path, code: str, conditions: str = CONDITIONS) -> tuple[Path, set[str]]:
    """Bundle a module that imports the installed package; return the file and which files of the package are in it."""
    modules = folder / "node_modules"
    modules.mkdir(exist_ok=True)
    installed = modules / "commonsocket"
    if not installed.exists():
        shutil.copytree(PACKAGE, installed, ignore=shutil.ignore_patterns("node_modules", "tests"))
    (folder / "index.js").write_text(textwrap.dedent(code))
    script, metafile = folder / "bundle.js", folder / "meta.json"
    subprocess.run(
        [
            str(MODULES / ".bin/esbuild"),
            "index.js",
            "--bundle",
            "--format=esm",
            "--platform=neutral",
            f"--conditions={conditions}",
            "--external:cloudflare:*",
            "--external:node:*",
            f"--outfile={script}",
            f"--metafile={metafile}",
            "--log-level=warning",
        ],
        cwd=folder,
        check=True,
    )
    prefix = "node_modules/commonsocket/"
    inputs = json.loads(metafile.read_text())["inputs"]
    return script, {name.removeprefix(prefix) for name in inputs if name.startswith(prefix)}


@contextlib.contextmanager
def serving(
    folder: Path, code: str, *, date: str = NEWEST, flags: Sequence[str] = (), more: str = ""
) -> Iterator[dict[str, int]]:
    """Run a worker, and give the ports of its sockets; `more` are sockets besides."""
    bundle(folder, code)
    written = "[" + ", ".join(f'"{flag}"' for flag in flags) + "]"
    config = CONFIG.replace("DATE", date).replace("FLAGS", written).replace("MORE", more)
    (folder / "config.capnp").write_text(config)
    control, notice = os.pipe()
    command = [str(MODULES / ".bin/workerd"), "serve", "--experimental", f"--control-fd={notice}", "config.capnp"]
    with subprocess.Popen(command, cwd=folder, pass_fds=[notice]) as process:
        os.close(notice)
        try:
            with os.fdopen(control) as said:
                lines = [json.loads(next(said)) for _ in range(config.count("address ="))]
                yield {line["socket"]: line["port"] for line in lines}
        finally:
            process.kill()
