"""`manage.py translations`: extract, check and compile the Chinese texts."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import catalogue
from config.places import ROOT

FILE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


class Command(BaseCommand):
    """Keeps locale/zh_Hans/LC_MESSAGES/django.po in step with the sources."""

    help = "Extract texts into the Chinese catalogue (default), --check it, or --compile it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One of three modes."""
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument("--check", action="store_true", help="exit 1 and name what is missing or fuzzy")
        mode.add_argument("--compile", action="store_true", help="write the .mo file only")
        mode.add_argument("--missing", action="store_true", help="extract, then list the texts without translation")

    def handle(self, *args: Any, **options: Any) -> None:
        """Extract, check or compile."""
        if options["compile"]:
            if FILE.exists():
                catalogue.compile_mo(FILE)
            return
        old, found = catalogue.read(FILE), catalogue.extracted()
        if options["check"]:
            self.report(catalogue.problems(old, found))
            return
        new = catalogue.merged(old, found)
        changed = catalogue.write(FILE, new)
        catalogue.compile_mo(FILE)
        open_texts = catalogue.problems(catalogue.read(FILE), found)
        state = "changed" if changed else "is unchanged"
        self.stdout.write(f"{len(new)} texts, {len(open_texts)} open; the file {state}.")
        if options["missing"]:
            for line in open_texts:
                self.stdout.write(line)

    def report(self, lines: list[str]) -> None:
        """Fail with every problem, one a line."""
        if lines:
            advice = f"{len(lines)} texts: run manage.py translations, then translate them."
            raise CommandError("\n".join([*lines, advice]))
        self.stdout.write("All texts are translated.")
