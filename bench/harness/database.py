"""A fresh database for each benchmark, copied from one migrated template."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from config import embedded, places
from config.servers import Postgres
from harness import ROOT

TEMPLATE = "sanhe"  # the database that the embedded server makes by itself


def kept(name: str, size: int, make: Callable[[], None]) -> None:
    """As `fresh`, and filled by `make`; used again until the size changes, or the program that fills it."""
    embedded.start()
    stamp, state = places.var() / f"bench.{name}", f"{size} {_state()}"
    if not stamp.exists() or stamp.read_text() != state:
        stamp.unlink(missing_ok=True)
        fresh(name)
        make()
        stamp.write_text(state)
    _use(f"bench_{name}")


def fresh(name: str) -> None:
    """Start the servers and connect Django to a new database `bench_<name>` with an empty company."""
    embedded.start()
    target = f"bench_{name}"
    stamp, state = places.var() / "bench.template", _state()
    if not stamp.exists() or stamp.read_text() != state:
        print("Preparing the database", flush=True)
        _recreate(TEMPLATE, "template0")
        call_command("migrate", interactive=False, verbosity=0)
        stamp.write_text(state)
    _recreate(target, TEMPLATE)
    _use(target)


def _use(name: str) -> None:
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    _require_durable()


def _recreate(name: str, template: str) -> None:
    connections.close_all()
    with Postgres().connect() as maintenance:
        maintenance.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        maintenance.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')


def _state() -> str:
    """A digest of everything that decides what a migrated database holds."""
    digest = hashlib.sha256((ROOT / "requirements/base.txt").read_bytes())
    for app in ("oa", "crm", "erp"):
        for path in sorted((ROOT / app).rglob("*")):
            first_rows = path.stem in {"setup", "roles"} or {"setup", "charts", "migrations"} & set(path.parts)
            if path.suffix in {".py", ".csv"} and first_rows:
                digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _require_durable() -> None:
    """Figures without fsync would be worthless."""
    with connection.cursor() as cursor:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            cursor.execute(f"SHOW {setting}")
            if cursor.fetchone()[0] != "on":
                raise SystemExit(f"{setting} is off: stop the server in {places.var()} and run again.")


def plain_connection() -> psycopg.Connection[Any]:
    """A psycopg connection as anybody would make it, to the same database."""
    given = connection.settings_dict
    return psycopg.connect(host=given["HOST"], dbname=given["NAME"], user=given["USER"])
