"""`manage.py verify`: run the invariants on the live database."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from kit.rules.checks import LIMIT, findings
from kit.values.errors import BusinessError


class Command(BaseCommand):
    """Prints one line per invariant and the rows that break it; exit code 1 when there are any."""

    help = "Check every invariant of the books; exit code 1 and the offending rows when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Invariants can be chosen by code."""
        parser.add_argument("--only", nargs="+", metavar="CODE", help="run only these invariants, such as I-02 I-15")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run and print."""
        broken = 0
        try:
            for finding in findings(options["only"]):
                broken += bool(finding.rows)
                self._print(finding)
        except BusinessError as error:
            raise CommandError(str(error)) from error
        if broken:
            self.stderr.write(self.style.ERROR(_("%d invariants are broken.") % broken))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS(_("All invariants hold.")))

    def _print(self, finding: Any) -> None:
        state = self.style.ERROR(_("BROKEN")) if finding.rows else _("ok")
        self.stdout.write(f"{finding.code}  {state}  {finding.statement}  ({finding.seconds:.2f} s)")
        for row in finding.rows:
            self.stdout.write(f"    {row}")
        if len(finding.rows) >= LIMIT:
            self.stdout.write(f"    {_('… and possibly more')}")
