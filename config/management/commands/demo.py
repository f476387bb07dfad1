"""`manage.py demo`: fills an empty installation with a living company."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from erp.setup.demo import PASSWORD, PEOPLE, has_business, make_demo
from kit.values.errors import BusinessError


class Command(BaseCommand):
    help = "Fills an empty installation with a living company: people, partners, products and a year of documents."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument("--orders", type=int, default=120, help="how many sales orders (default 120)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same company")
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there is business already")
        parser.add_argument("--force", action="store_true", help="also where a database was configured")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the company once; print who may log in."""
        if settings.PRODUCTION and not options["force"]:
            raise CommandError("This is a production installation. Demo people have a known password: use --force if you mean it.")
        if has_business() and options["if_empty"]:
            return
        started = time.monotonic()
        self.stdout.write("Making the demo company, about half a minute …")
        try:
            make_demo(options["orders"], options["seed"])
        except BusinessError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Made {options['orders']} orders in {time.monotonic() - started:.0f} s.")
        self.stdout.write(f"Log in as {', '.join(person[0] for person in PEOPLE)}; the password is {PASSWORD}.")
