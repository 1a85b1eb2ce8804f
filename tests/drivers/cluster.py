"""A real PostgreSQL on loopback, in a folder of its own, for as long as it is needed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USER = "postgres"
PASSWORD = "correct horse battery staple"
TABLES = "CREATE TABLE users (uuid int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace')"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where it listens, and the certificate of who vouches for it."""

    port: int
    ca: str
    log: Path

    def settings(self, *, encrypted: bool) -> dict[str, Any]:
        """Return what `programs/work.js` calls Settings."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "password": PASSWORD,
            "database": "postgres",
            "ca": self.ca if encrypted else None,
        }


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs: on the PATH, or where Debian keeps them."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


@contextlib.contextmanager
def running(bin_folder: Path) -> Iterator[Cluster]:
    """Start a server that demands a password (SCRAM) and offers TLS; stop it and forget its data at the end."""
    with tempfile.TemporaryDirectory(prefix="commonsocket-postgres-") as name:
        folder = Path(name)
        authority = trustme.CA()
        _write_credentials(folder, authority)
        owner = _owner(folder)
        data = folder / "data"
        words = ["--pgdata", data, "--username", USER, "--pwfile", folder / "password", "--auth", "scram-sha-256"]
        _call([bin_folder / "initdb", *words, "--no-sync", "--encoding", "UTF8", "--no-locale"], owner)
        port = _free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": folder,
            "ssl": "on",
            "ssl_cert_file": folder / "server.crt",
            "ssl_key_file": folder / "server.key",
            "fsync": "off",
        }
        options = " ".join(f"-c {key}={value}" for key, value in settings.items())
        control = [bin_folder / "pg_ctl", "--pgdata", data, "--wait", "--silent"]
        _call([*control, "start", "--options", options, "--log", folder / "log"], owner)
        try:
            psql = ["psql", "--host", folder, "--port", str(port), "--username", USER, "--quiet", "--command", TABLES]
            _call([bin_folder / psql[0], *psql[1:]], owner)
            ca = authority.cert_pem.bytes().decode()
            yield Cluster(port, ca, folder / "log")
        finally:
            _call([*control, "stop", "--mode", "immediate"], owner)


def _write_credentials(folder: Path, authority: trustme.CA) -> None:
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    (folder / "server.crt").write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    (folder / "server.key").write_bytes(certificate.private_key_pem.bytes())
    (folder / "password").write_text(PASSWORD)
    (folder / "server.key").chmod(0o600)


def _owner(folder: Path) -> dict[str, Any]:
    """Return as whom to run: PostgreSQL refuses to be run by root, so that its package has made a user for it."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    for path in (folder, *folder.iterdir()):
        os.chown(path, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _call(command: Sequence[str | Path], owner: dict[str, Any]) -> None:
    environment = os.environ | {"PGPASSWORD": PASSWORD, "LC_ALL": "C"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd="/", env=environment, **owner
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"


def _free_port() -> int:
    # PostgreSQL does not tell which port it was given, so that it has to be told one.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
