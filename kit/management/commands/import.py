"""`manage.py import KIND FILE [--dry-run] [--update] [--partial] [--twins] …`: files into the system."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from kit.exchange import importing
from kit.exchange.importing_batch import Options, Report
from kit.exchange.reading import read_table
from kit.values.errors import BusinessError

SHOWN = 1000  # errors in words; the rest is counted


class Command(BaseCommand):
    """The same importer as the import pages; exit code 1 and nothing written on any error unless --partial."""

    requires_system_checks = []
    help = "Import a CSV or XLSX file. KIND “list” names the kinds with their columns (* must be there)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", help="what the file holds, for example customers")
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check only, write nothing")
        parser.add_argument("--update", action="store_true", help="change records that exist instead of refusing them")
        parser.add_argument("--keep-empty", action="store_true", help="with --update: empty cells change nothing")
        parser.add_argument("--partial", action="store_true", help="write the good rows although there are bad ones")
        parser.add_argument("--create-accounts", action="store_true", help="journals: make accounts that do not exist")
        parser.add_argument("--twins", action="store_true", help="customers: also with a known name or tax number")
        parser.add_argument("--user", help="user name of the person in whose name and with whose rights it is done")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["kind"] == "list":
            self._list()
            return
        if options["file"] is None:
            raise CommandError("Name the file to read, for example customers.csv.")
        chosen = Options(**{name: options[name] for name in Options.__dataclass_fields__})
        with translation.override("en"):
            try:
                report = self._run(options["kind"], options["file"], chosen, _user(options["user"]))
            except BusinessError as error:
                raise CommandError("\n".join(str(problem.message) for problem in error)) from error
            self._tell(report, chosen)

    def _run(self, kind: str, path: Path, options: Options, by: Any) -> Report:
        importer = importing.importer_of(kind)
        if by is not None and not importer.allowed(by):
            raise CommandError(f"{by} may not import {kind}.")
        try:
            table = read_table(path.read_bytes(), path.name)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        try:
            return importing.run(importer, table, by=by, options=options)
        finally:
            table.close()

    def _tell(self, report: Report, options: Options) -> None:
        faults = [error for error in report.errors if not error.held]
        for error in faults[:SHOWN]:
            self.stderr.write(str(error))
        if len(faults) > SHOWN:
            self.stderr.write(f"… and {len(faults) - SHOWN} more")
        for note in report.notes if report.written or options.dry_run else ():
            self.stdout.write(note)
        count = report.bad_rows or len(report.errors)
        self.stdout.write(
            f"{report.kind}: {report.new} new, {report.updated} updated, {report.unchanged} unchanged, {count} errors"
        )
        if options.dry_run:
            self.stdout.write("Dry run: nothing was written.")
        elif report.failed and not options.partial:
            raise CommandError("Nothing was written.")
        if report.failed and options.dry_run:
            raise CommandError("The file has errors.")

    def _list(self) -> None:
        for kind in importing.kinds():
            columns = importing.importer_of(kind).columns()
            self.stdout.write(f"{kind}: " + ", ".join(f"{c.name}{'*' if c.required else ''}" for c in columns))


def _user(name: str | None) -> Any:
    if not name:
        return None
    user = get_user_model()._default_manager.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user “{name}”.")
    return user
