"""One file with everything an installation knows: database, attachments, and a manifest of checksums."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connections, transaction

from erp.setup.demo import BOOKS

FORMAT = 1
DUMP = "database.dump"
MANIFEST = "manifest.json"
MEDIA = "media/"
CHUNK = 1 << 20
REPLACED = "replaced"  # the schema of what a backup takes the place of, until it is dropped
AT_ONCE = 40  # tables in one transaction: with all that hangs on them they take a lock each
PUT_ASIDE = f"""
ALTER SCHEMA public RENAME TO {REPLACED};
CREATE SCHEMA public;
DO $$ DECLARE name text; BEGIN
FOR name IN SELECT extname FROM pg_extension WHERE extnamespace = '{REPLACED}'::regnamespace
LOOP EXECUTE format('ALTER EXTENSION %I SET SCHEMA public', name); END LOOP; END $$;
"""


class ArchiveError(RuntimeError):
    """The file cannot be written or is not a sound backup; the text says why."""


def program(name: str) -> str:
    """`pg_dump` and its like: those of a server of one's own from the PATH, else from the wheel (version 18)."""
    from config.servers import ServerError, programs

    found = shutil.which(name) if os.environ.get("DATABASE_URL") else None
    try:
        return found or str(programs() / name)
    except ServerError:
        raise ArchiveError(
            f"{name} was not found: install PostgreSQL's client programs, not older than the server."
        ) from None


def connection_environment() -> dict[str, str]:
    """The database's address as libpq's variables, so that no password appears among the processes."""
    database = connections["default"].settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    values = {variable: str(database[key]) for variable, key in names.items() if database.get(key)}
    modes = {"PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert"}
    values |= {variable: database["OPTIONS"][key] for variable, key in modes.items() if key in database["OPTIONS"]}
    return {**os.environ, **values}


def run(command: list[str]) -> None:
    """Run one of PostgreSQL's programs on our database."""
    result = subprocess.run(command, env=connection_environment(), capture_output=True, text=True, check=False)
    if result.returncode:
        raise ArchiveError(f"{Path(command[0]).name} failed:\n{result.stderr.strip()[-2000:]}")


def digest(stream: BinaryIO) -> str:
    """SHA-256 of a stream."""
    total = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        total.update(chunk)
    return total.hexdigest()


def media_names(folder: str = "") -> list[str]:
    """Every file of the attachments' storage."""
    try:
        folders, files = default_storage.listdir(folder or ".")
    except FileNotFoundError:
        return []
    names = [f"{folder}{name}" for name in files]
    for inner in folders:
        names += media_names(f"{folder}{inner}/")
    return sorted(names)


def write(target: Path, witness: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Write a backup; it gets its name only when complete. The manifest.

    `witness` is called in a transaction that sees exactly what the backup holds.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    sums: dict[str, str] = {}
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            dump = Path(folder) / DUMP
            with open(fresh, "w+b", opener=_private) as file, zipfile.ZipFile(file, "w") as archive:
                # Files before the dump, as some are removed while it runs, and after it those that came meanwhile:
                # a row never names a file that the backup lacks. Files are never overwritten.
                _add_media(archive, sums)
                with _moment() as name:
                    witness()
                    manifest = {"format": FORMAT, **state()}
                    options = [
                        "--format=custom",
                        "--no-owner",
                        "--no-privileges",
                        f"--snapshot={name}",
                        f"--exclude-schema={REPLACED}",
                    ]
                    run([program("pg_dump"), *options, f"--file={dump}"])
                _add(archive, DUMP, dump.open("rb"), sums, zipfile.ZIP_STORED)
                _add_media(archive, sums)
                manifest |= {"made": datetime.now(UTC).isoformat(), "sha256": sums}
                archive.writestr(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True))
        with fresh.open("rb") as complete:
            os.fsync(complete.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return manifest


@contextmanager
def _moment() -> Iterator[str]:
    """One state of the database for this connection, and the name by which `pg_dump` reads the same."""
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # A dump may take longer than a transaction is allowed to idle.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        yield str(cursor.fetchone()[0])


def _add_media(archive: zipfile.ZipFile, sums: dict[str, str]) -> None:
    """Every attachment that is not in the backup yet, but those that are removed at this very moment."""
    for name in media_names():
        if MEDIA + name not in sums:
            with suppress(FileNotFoundError):
                _add(archive, MEDIA + name, default_storage.open(name, "rb"), sums, zipfile.ZIP_DEFLATED)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _add(archive: zipfile.ZipFile, name: str, source: Any, sums: dict[str, str], method: int) -> None:
    total = hashlib.sha256()
    entry = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    entry.compress_type = method
    with source, archive.open(entry, "w", force_zip64=True) as out:
        while chunk := source.read(CHUNK):
            total.update(chunk)
            out.write(chunk)
    sums[name] = total.hexdigest()


def state() -> dict[str, Any]:
    """What tells whether a backup fits this program: the last migrations, and the server's version."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app")
        return {"migrations": dict(cursor.fetchall()), "postgresql": _server(cursor)}


def _server(cursor: Any) -> str:
    cursor.execute("SHOW server_version")
    return str(cursor.fetchone()[0])


def check(source: Path) -> dict[str, Any]:
    """Verify every checksum and the completeness of a backup without touching anything. The manifest."""
    try:
        with zipfile.ZipFile(source) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
            names = set(archive.namelist()) - {MANIFEST}
            if manifest.get("format") != FORMAT or names != set(manifest["sha256"]) or DUMP not in names:
                raise ArchiveError(f"{source} is not a complete backup of this program.")
            for name, expected in manifest["sha256"].items():
                if ".." in Path(name).parts or name.startswith("/"):
                    raise ArchiveError(f"{source} holds an unsafe name: {name}")
                with archive.open(name) as stream:
                    if digest(stream) != expected:  # type: ignore[arg-type]
                        raise ArchiveError(f"{source} is damaged: the checksum of {name} is wrong.")
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise ArchiveError(f"{source} cannot be read as a backup: {error}") from error
    return manifest


def used() -> bool:
    """Whether the database holds what `migrate` did not put there: people, partners, products, documents."""
    present = set(connections["default"].introspection.table_names())
    return any(model._default_manager.exists() for model in BOOKS if model._meta.db_table in present)


def restore(source: Path) -> None:
    """Replace the database and add the files of a checked backup. The database changes wholly or not at all."""
    # Not in /tmp, which may be small or in memory: the script is the whole database as text.
    settings.VAR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.VAR) as folder, zipfile.ZipFile(source) as archive:
        dump = Path(archive.extract(DUMP, folder))
        script = Path(folder) / "restore.sql"
        run([program("pg_restore"), "--no-owner", "--no-privileges", f"--file={script}", str(dump)])
        connections.close_all()
        _drop_replaced()
        options = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--single-transaction", "--output=/dev/null"]
        run([program("psql"), *options, f"--command={PUT_ASIDE}", f"--file={script}"])
        _drop_replaced()
        # The dump has no statistics, and nothing is quick without them.
        run([program("psql"), "--quiet", "--no-psqlrc", "--command=ANALYZE"])
        for name in archive.namelist():
            if name.startswith(MEDIA):
                _put(archive, name)


def _drop_replaced() -> None:
    """Drop what was put aside, in parts: a server as it comes has no room for the locks of all of it."""
    with connections["default"].cursor() as cursor:
        while True:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s LIMIT %s", [REPLACED, AT_ONCE])
            tables = ", ".join(f'{REPLACED}."{name}"' for (name,) in cursor.fetchall())
            cursor.execute(f"DROP TABLE {tables} CASCADE" if tables else f"DROP SCHEMA IF EXISTS {REPLACED} CASCADE")
            if not tables:
                break


def _put(archive: zipfile.ZipFile, name: str) -> None:
    own = name.removeprefix(MEDIA)
    if default_storage.exists(own):
        default_storage.delete(own)
    with archive.open(name) as stream:
        saved = default_storage.save(own, File(stream))
    if saved != own:
        raise ArchiveError(f"{own} could not be put back under its name ({saved}).")
