"""`manage.py restore FILE`."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from config import archive


class Command(BaseCommand):
    """Puts a backup back: checks it wholly first, restores the database in one transaction, then verifies."""

    help = "Restore a backup into an empty database (or replace everything with --force), then verify it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and whether existing data may be replaced."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="replace a database that has data")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, refuse or restore, bring up to date, verify."""
        try:
            manifest = archive.check(options["file"])
            if archive.used() and not options["force"]:
                raise CommandError("The database is not empty. Add --force to replace everything in it.")
            archive.restore(options["file"])
        except archive.ArchiveError as error:
            raise CommandError(str(error)) from error
        except OSError as error:  # no right, no room
            raise CommandError(f"{options['file']} could not be restored: {error}") from error
        call_command("migrate", interactive=False, verbosity=0)  # a backup of an earlier version
        files = len(manifest["sha256"]) - 1
        self.stdout.write(f"Restored the database and {files} files of the backup made {manifest['made']}.")
        if "verify" in get_commands():
            call_command("verify")
