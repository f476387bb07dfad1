"""`manage.py demo [--orders N] [--staff N] [--seed S]`: fill an empty installation with a living company."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from erp.setup.demo import LEAST, MOST, empty, make_demo
from erp.setup.demo.big import LEAST_STAFF, MOST_STAFF, RECEIPTS_EACH, REQUESTS_EACH, Size, tidy
from erp.setup.demo.names import PEOPLE
from erp.setup.demo.people import MAIL_DOMAIN, PASSWORD
from oa.organisation.models import User


class Command(BaseCommand):
    """Makes the demo company and prints how to log in."""

    help = "Fill an empty installation with a demo company: partners, goods, documents of a year, one user per role."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Size, seed, and what to do on an installation that is used."""
        parser.add_argument("--orders", type=int, default=120, help=f"number of sales orders, {LEAST} to {MOST:,}")
        parser.add_argument(
            "--staff", type=int, help=f"a large office: number of people, {LEAST_STAFF} to {MOST_STAFF:,}"
        )
        parser.add_argument(
            "--requests", type=int, help=f"approval requests with --staff; else {REQUESTS_EACH} a person"
        )
        parser.add_argument("--receipts", type=int, help=f"receipts of announcements; else {RECEIPTS_EACH} a person")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same company")
        parser.add_argument("--if-empty", action="store_true", help="do nothing where there is anything already")
        parser.add_argument("--force", action="store_true", help="on a production server as well")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, make, tell."""
        if settings.PRODUCTION and not options["force"]:
            raise CommandError(
                "This is a production installation. The demo has well-known passwords; use --force if you mean it."
            )
        if not LEAST <= options["orders"] <= MOST:
            raise CommandError(f"Choose between {LEAST} and {MOST:,} orders.")
        size = _size(options["staff"], options["requests"], options["receipts"])
        if not empty():
            if options["if_empty"]:
                return
            raise CommandError(
                "There are people, partners, products or documents already; the demo needs an empty installation."
            )
        start = time.monotonic()
        self.stdout.write(f"Making the demo company with {options['orders']:,} orders …")
        self.stdout.flush()  # it takes a while, also for who reads through a pipe
        made = make_demo(options["orders"], options["seed"], size, self._say)
        if size is not None and not connection.in_atomic_block:
            tidy()
        self.stdout.write(
            f"{made.orders:,} orders ({made.ordered} CNY), {made.deliveries:,} deliveries, {made.invoices:,} invoices "
            f"({made.invoiced} CNY), {made.purchases:,} purchase orders in {time.monotonic() - start:.0f} s."
        )
        if not options["if_empty"]:  # `run` names them when everything answers
            self.stdout.write(f"\nOpen {settings.SANHE_URL}. {logins()}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _size(staff: int | None, requests: int | None, receipts: int | None) -> Size | None:
    """The large office that is asked for, None for the small one."""
    if staff is None:
        if requests is not None or receipts is not None:
            raise CommandError("Requests and receipts in bulk need people: use --staff.")
        return None
    if not LEAST_STAFF <= staff <= MOST_STAFF:
        raise CommandError(f"Choose between {LEAST_STAFF} and {MOST_STAFF:,} people.")
    if min(requests or 0, receipts or 0) < 0:
        raise CommandError("Numbers of requests and receipts are not negative.")
    return Size.of(staff, requests, receipts)


def logins() -> str:
    """How to log in to the demo company; nothing where there is none or its well-known password was changed."""
    admin = User.objects.filter(username=PEOPLE[0].username, email__endswith=MAIL_DOMAIN).first()
    if settings.PRODUCTION or admin is None or not admin.check_password(PASSWORD):
        return ""
    lines = [f"  {person.username:12} {person.name:16} {person.role}" for person in PEOPLE]
    return "\n".join([f"Log in with the password “{PASSWORD}” as:", *lines])
