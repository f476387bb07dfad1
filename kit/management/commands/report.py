"""`manage.py report NAME [--param k=v …] --format csv|xlsx|pdf|json [-o FILE]`: any report of the report centre."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from kit.exchange import reports
from kit.exchange.report_paper import to_pdf
from kit.values.errors import BusinessError

WRITERS = {"csv": reports.to_csv, "json": reports.to_json, "xlsx": reports.to_xlsx, "pdf": to_pdf}


class Command(BaseCommand):
    """Writes one report to a file or to standard output."""

    help = "Write a report as CSV, XLSX, PDF or JSON. Without --user it shows every row."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="name of the report; “list” names them all with their parameters")
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
        parser.add_argument("--format", choices=sorted(WRITERS), default="csv")
        parser.add_argument("-o", "--output", type=Path, help="file to write; default: standard output")
        parser.add_argument("--user", help="user name of the person whose rights apply")
        parser.add_argument("--language", default="en", choices=["en", "zh-hans"])

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"]):
            try:
                if options["name"] == "list":
                    self._list()
                    return
                data = self._made(options)
            except BusinessError as error:
                raise CommandError("\n".join(str(problem.message) for problem in error)) from error
        if options["output"]:
            try:
                options["output"].write_bytes(data)
            except OSError as error:
                raise CommandError(f"{options['output']} cannot be written: {error.strerror}.") from error
        else:
            self._print(data)

    def _made(self, options: dict[str, Any]) -> bytes:
        report = reports.get(options["name"])
        user = _user(options["user"])
        params = reports.parse_params(report, pairs(options["param"], {p.name for p in report.params}), user)
        return WRITERS[options["format"]](reports.run(report, params, user))

    def _print(self, data: bytes) -> None:
        """Bytes to standard output as they are; tests and callers may hand in a text stream."""
        raw = getattr(self.stdout, "buffer", None) if self.stdout._out is sys.stdout else None
        if raw is not None:
            raw.write(data)
            raw.flush()
        else:
            self.stdout.write(data.decode(errors="replace"), ending="")

    def _list(self) -> None:
        for report in reports.all_for(reports.SYSTEM):
            names = " ".join(f"{p.name}{'' if p.required else '?'}" for p in report.params)
            self.stdout.write(f"{report.name:20} {names:45} {report.title}")


def _user(name: str | None) -> Any:
    if not name:
        return reports.SYSTEM
    user = get_user_model()._default_manager.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user “{name}”.")
    return user


def pairs(given: list[str], known: set[str] | None = None) -> dict[str, str]:
    """`name=value` texts of the command line as a mapping; a name that is not in `known` is refused."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise CommandError(f"“{text}” is not NAME=VALUE.")
        if known is not None and name not in known:
            raise CommandError(f"There is no parameter “{name}”; there are: {', '.join(sorted(known)) or 'none'}.")
        found[name] = value
    return found
