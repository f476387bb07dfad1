"""`manage.py backup FILE`."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import archive


class Command(BaseCommand):
    """Writes database and attachments into one checksummed file; the program may go on running."""

    help = "Write database and attachments into one checksummed file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and whether it may be replaced."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the backup and read it back."""
        target: Path = options["file"].absolute()
        try:
            if target.exists() and not options["overwrite"]:
                raise CommandError(f"{target} exists; choose another name or add --overwrite.")
            manifest = archive.write(target)
            archive.check(target)
        except archive.ArchiveError as error:
            raise CommandError(str(error)) from error
        except OSError as error:  # no right, no room
            raise CommandError(f"{target} could not be written: {error}") from error
        size = target.stat().st_size / 1_000_000
        files = len(manifest["sha256"]) - 1
        self.stdout.write(f"{target}: database and {files} files, {size:.1f} MB, read back and verified.")
