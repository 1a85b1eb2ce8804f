"""Deno as its users have it, and an npm registry on loopback that has this package."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import subprocess
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "node_modules" / ".bin" / "deno"
PACKAGE = ROOT / "polyfill" / "javascript"


@dataclass(frozen=True, slots=True)
class Deno:
    """Deno with an empty cache, for which the npm registry is one that has this package only."""

    folder: Path
    registry: str

    @property
    def environment(self) -> dict[str, str]:
        ours = {"DENO_DIR": str(self.folder / "cache"), "NPM_CONFIG_REGISTRY": self.registry, "NO_COLOR": "1"}
        return os.environ | ours

    def run(self, *words: str | Path) -> str:
        """Run it to its end and return what it prints; it has to succeed."""
        done = subprocess.run(
            [RUNTIME, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def publish(folder: Path, address: str) -> dict[str, bytes]:
    """Return the pages of a registry at `address` that has the packed package, as `npm publish` would put it there."""
    pack: list[str | Path] = ["npm", "pack", "--json", "--pack-destination", folder]
    packed = subprocess.run(pack, capture_output=True, text=True, check=True, timeout=60, cwd=PACKAGE)
    (facts,) = json.loads(packed.stdout)
    tarball = (folder / facts["filename"]).read_bytes()
    manifest = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    version, integrity = manifest["version"], base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    published = {**manifest, "dist": {"tarball": f"{address}/package.tgz", "integrity": f"sha512-{integrity}"}}
    document = {"name": "commonsocket", "dist-tags": {"latest": version}, "versions": {version: published}}
    return {"/package.tgz": tarball, "/commonsocket": json.dumps(document).encode()}


@contextlib.contextmanager
def serving(pages: dict[str, bytes]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Serve pages by their paths, on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", pages
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
