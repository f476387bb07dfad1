"""A backup holds everything, says when it is damaged, and puts back exactly what it took."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, connections

from config import archive
from crm.customers.models import Customer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    """Attachments in a real folder, as backups meet them."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "media")},
        },
    }


@pytest.fixture
def backup(tmp_path):
    """A backup of one person and one file with a Chinese name."""
    get_user_model().objects.create_user("chen", password="something long")
    default_storage.save("contracts/合同.txt", ContentFile("四百件".encode()))
    target = tmp_path / "sanhe.zip"
    call_command("backup", str(target))
    return target


def test_a_file_that_is_removed_while_the_backup_is_written_is_in_it(tmp_path):
    """F-25: the row is in the dump, so the file is in the backup; what came meanwhile is there as well."""
    default_storage.save("old.txt", ContentFile(b"old"))

    def meanwhile():
        default_storage.delete("old.txt")
        default_storage.save("new.txt", ContentFile(b"new"))

    manifest = archive.write(tmp_path / "b.zip", meanwhile)
    assert archive.check(tmp_path / "b.zip") == manifest
    assert {"media/old.txt", "media/new.txt"} <= set(manifest["sha256"])


def test_the_dump_is_of_the_moment_of_its_witness(tmp_path):
    """F-25: what is committed after it is not in the backup, however long the dump takes to begin."""
    told = []

    def witness():
        told.append(people())
        run = [archive.program("psql"), "--quiet", "--command", "UPDATE oa_user SET username = 'later'"]
        archive.run(run)

    get_user_model().objects.create_user("chen", password="something long")
    archive.write(tmp_path / "b.zip", witness)
    assert people() == ["later"]
    call_command("restore", str(tmp_path / "b.zip"), "--force")
    assert people() == ["chen"] == told[0]


def people():
    return sorted(get_user_model().objects.values_list("username", flat=True))


def test_restores_rows_files_and_guards(backup):
    get_user_model().objects.create_user("later", password="something long")
    default_storage.delete("contracts/合同.txt")
    default_storage.save("contracts/合同.txt", ContentFile(b"changed"))
    call_command("restore", str(backup), "--force")
    assert people() == ["chen"]
    assert default_storage.open("contracts/合同.txt").read().decode() == "四百件"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgtrigger_%'")
        assert cursor.fetchone()[0] > 10, "the guards came back"


def test_a_server_as_it_comes_has_room_for_the_locks(backup):
    """F-25: PostgreSQL keeps 64 locks for each of 100 connections; more of them and nothing would come back."""
    most = 0
    restoring = threading.Thread(target=call_command, args=("restore", str(backup), "--force"))
    restoring.start()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        watched = cursor.fetchone()
    with connections["default"]._nodb_cursor() as cursor:
        while restoring.is_alive():
            cursor.execute(
                "SELECT count(DISTINCT (locktype, relation, classid, objid)) FROM pg_locks "
                "JOIN pg_database d ON d.oid = database WHERE datname = %s",
                watched,
            )
            most = max(most, cursor.fetchone()[0])
    assert 2000 < most < 64 * 100 * 2 // 3  # the rest is for who works meanwhile
    assert people() == ["chen"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname = %s", [archive.REPLACED])
        assert cursor.fetchall() == []


def test_refuses_a_database_with_data(backup):
    with pytest.raises(CommandError, match="--force"):
        call_command("restore", str(backup))


def test_refuses_imported_data_without_people(backup):
    Customer.objects.create(code="C1", name="Mingrui")
    get_user_model().objects.all().delete()
    with pytest.raises(CommandError, match="--force"):
        call_command("restore", str(backup))
    assert Customer.objects.exists()


def test_programs_of_the_path_come_first_and_the_wheel_serves_where_there_are_none(monkeypatch, tmp_path):
    from config import servers

    monkeypatch.setenv("DATABASE_URL", "postgresql://someone@db.example.com/sanhe")
    own = tmp_path / "pg_dump"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert archive.program("pg_dump") == str(own)
    assert archive.program("psql") == str(servers.programs() / "psql")
    monkeypatch.setattr(servers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(archive.ArchiveError, match="psql was not found"):
        archive.program("psql")


def test_does_not_overwrite_a_file(backup):
    with pytest.raises(CommandError, match="exists"):
        call_command("backup", str(backup))
    assert backup.stat().st_mode & 0o077 == 0, "a backup holds everything: for its owner only"


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"b\.zip could not be written: "):
        call_command("backup", str(tmp_path / "file" / "b.zip"))


def damaged(source, target, change):
    """A copy of a backup in which `change(name, bytes)` had its way; the outer file stays a sound archive."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


@pytest.mark.parametrize(
    "change",
    [
        lambda name, data: data[:-1] + b"x" if name == "database.dump" else data,
        lambda name, data: b"x" if name.startswith("media/") else data,
        lambda name, data: None if name.startswith("media/") else data,
        lambda name, data: None if name == "manifest.json" else data,
        lambda name, data: json.dumps({**json.loads(data), "format": 99}) if name == "manifest.json" else data,
    ],
)
def test_damage_is_found_before_anything_is_touched(backup, tmp_path, change):
    bad = damaged(backup, tmp_path / "bad.zip", change)
    get_user_model().objects.create_user("later", password="something long")
    with pytest.raises(CommandError, match=r"bad\.zip"):
        call_command("restore", str(bad), "--force")
    assert people() == ["chen", "later"]


def test_a_cut_file_is_refused(backup, tmp_path):
    cut = tmp_path / "cut.zip"
    shutil.copy(backup, cut)
    with cut.open("r+b") as file:
        file.truncate(backup.stat().st_size // 2)
    with pytest.raises(CommandError, match="cannot be read as a backup"):
        call_command("restore", str(cut), "--force")
