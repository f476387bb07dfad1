"""`manage.py export KIND FILE [--filter k=v …]`: all rows of a kind, importable back."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from kit.exchange import exporting
from kit.exchange.reports import SYSTEM
from kit.management.commands.report import pairs
from kit.values.errors import BusinessError


class Command(BaseCommand):
    """Writes masters or documents to a file that `import` reads back."""

    requires_system_checks = []
    help = "Write all rows of a kind to FILE (.csv or .xlsx), with the headers that `import` reads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", help="what to export; “list” names them all")
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--filter", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["kind"] == "list":
            self.stdout.write("\n".join(exporting.kinds()))
            return
        if options["file"] is None:
            raise CommandError("Name the file to write, for example customers.csv.")
        with translation.override("en"):
            try:
                count = self._write(options["kind"], options["file"], pairs(options["filter"]))
            except BusinessError as error:
                raise CommandError("\n".join(str(problem.message) for problem in error)) from error
            except OSError as error:
                raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{count} rows written to {options['file']}")

    def _write(self, kind: str, path: Path, filters: dict[str, str]) -> int:
        """Write beside the target first, so that a failed export never leaves half a file under its name."""
        columns, rows = exporting.exporter(kind)(filters, SYSTEM)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                count = exporting.write_rows(file, path.suffix.lstrip(".").lower(), columns, rows)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return count
