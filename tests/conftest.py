"""What all tests share: settings of their own, and a real PostgreSQL server."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest

from careline.settings import settings
from tests.house import free_ports

# The same examples in every run, so that a red run means a change; HYPOTHESIS_PROFILE=search looks for new ones.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Settings that touch nothing of the developer's: secrets and files in a temporary folder."""
    var = tmp_path_factory.mktemp("var")
    known = {k: v for k, v in os.environ.items() if k.startswith("CARELINE_") or k == "DATABASE_URL"}
    for name in known:
        del os.environ[name]
    os.environ["CARELINE_VAR"] = str(var)
    settings.cache_clear()
    yield var
    os.environ.pop("CARELINE_VAR", None)
    os.environ.update(known)
    settings.cache_clear()


def _binary(name: str) -> str | None:
    return shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)


def _as_somebody() -> list[str]:
    """PostgreSQL refuses to run as root: the command prefix that makes it run as somebody else."""
    if os.geteuid() != 0:
        return []
    user = next((u for u in ("postgres", "nobody") if u in {p.pw_name for p in pwd.getpwall()}), None)
    return ["setpriv", f"--reuid={user}", "--regid=" + str(pwd.getpwnam(user or "nobody").pw_gid), "--clear-groups"]


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL (without database) of a server of our own, on a free port, gone afterwards."""
    initdb, server = _binary("initdb"), _binary("postgres")
    if initdb is None or server is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed: scripts/test.py installs it")
        pytest.skip("PostgreSQL is not installed (Debian's package 'postgresql')")
    folder = Path("/tmp") / f"careline-pg-{uuid.uuid4().hex[:12]}"
    folder.mkdir(mode=0o700)
    prefix = _as_somebody()
    if prefix:
        shutil.chown(folder, prefix[1].partition("=")[2])
    port = free_ports(1)[0]
    env = {**os.environ, "LC_ALL": "C"}
    data = str(folder / "data")
    subprocess.run([*prefix, initdb, "-D", data, "-U", "careline", "-A", "trust", "-E", "UTF8", "--no-sync"],
                   check=True, stdout=subprocess.DEVNULL, env=env, cwd="/")
    process = subprocess.Popen(
        [*prefix, server, "-D", data, "-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1",
         "-c", "fsync=off", "-c", "max_connections=200"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd="/")
    url = f"postgresql://careline@127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
                break
            except psycopg.OperationalError:
                if process.poll() is not None:
                    raise
                import time

                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database of its own."""
    name = f"t{uuid.uuid4().hex[:16]}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    yield f"{postgres_server}/{name}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


