"""The drill's own servers and its company; nothing else is on them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from config import servers
from config.places import ROOT

BASE = servers.DATABASE


def make_company(dump: str, orders: int) -> None:
    """The demo company in the database that each run copies; a `dump` of a migrated one saves the migrations."""
    if dump:
        command = [servers.programs() / "pg_restore", "--no-owner", "--dbname", BASE, "--host", servers.Postgres().sockets,
                   "--username", BASE, "--exit-on-error", dump]  # fmt: skip
        subprocess.run([str(part) for part in command], check=True)
    else:
        call_command("migrate", interactive=False, verbosity=0)
    call_command("demo", orders=orders, if_empty=True)
    connection.close()


def copy_company(name: str) -> None:
    """A database of this run alone, which the connection of this process uses from here on.

    As a copy of files, after which PostgreSQL makes a checkpoint: the other way of copying writes pages of sequences
    to its log as they are, and a crash soon afterwards lets them give numbers a second time.
    """
    with servers.Postgres().connect() as server:
        earlier = server.execute("SELECT datname FROM pg_database WHERE datname LIKE 'chaos%'").fetchall()
        for [old] in earlier:
            server.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{BASE}" STRATEGY file_copy')
    connection.close()
    connection.settings_dict["NAME"] = name


def empty(name: str) -> None:
    """A new database of this name, which this process works with from here on."""
    connection.close()
    with servers.Postgres().connect() as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
    connection.settings_dict["NAME"] = name


def restart() -> None:
    """PostgreSQL ends at once, as if its machine had lost power, and starts again with what is in its log."""
    postgres = servers.Postgres()
    stop: list[str | Path] = [postgres._binaries() / "pg_ctl", "stop", "-m", "immediate", "-D", postgres.data]
    result = servers.run(stop)
    assert result.returncode == 0, result.stdout
    postgres.start()


def figures(name: str) -> tuple[int, int]:
    """(deadlocks, sessions left open in a transaction) of a database since the server started."""
    with servers.Postgres().connect() as server:
        [deadlocks] = server.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", [name]).fetchone()  # type: ignore[misc]
        idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state LIKE 'idle in transaction%%'"
        [open_] = server.execute(idle, [name]).fetchone()  # type: ignore[misc]
    return int(deadlocks), int(open_)


def elsewhere(folder: Path, *arguments: str, root: Path = ROOT) -> str:
    """What a command of the program in `root` says in an installation of its own in `folder`."""
    environment = {**os.environ, "SANHE_VAR": str(folder)}
    for variable in ("SANHE_MEDIA", "SANHE_STATIC", "SANHE_STATEMENT_TIMEOUT"):
        environment.pop(variable, None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root, env=environment, text=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ).stdout  # fmt: skip
