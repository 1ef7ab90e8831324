"""A temporary PostgreSQL server, from the programs that the system has installed."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "only for this test's server"  # noqa: S105


def find_programs() -> Path | None:
    """The folder of initdb and pg_ctl: Debian keeps them off the PATH, one folder a version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    return versions[-1].parent if versions else None


@contextmanager
def running_server() -> Iterator[str]:
    """Yield the SQLAlchemy URL of an empty database; the server ends with the block."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server programs (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="leadlight-postgres-"))
    try:
        prefix = _as_ordinary_user(folder)
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        data = folder / "data"
        port = _free_port()

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [*prefix, str(programs / program), *arguments],
                check=True,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                timeout=120,
            )

        run("initdb", "-D", str(data), "-U", "tester", "-A", "scram-sha-256", "--no-sync",
            f"--pwfile={secret}")  # fmt: skip
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            password = PASSWORD.replace(" ", "%20").replace("'", "%27")
            yield f"postgresql://tester:{password}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_ordinary_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL will not run as root, and there is no user postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
