"""Take the lost second factor from a person, for the day when nobody is left who could do it on a page."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kit.values.errors import BusinessError
from oa.organisation.factors import reset_factor
from oa.organisation.models import User


class Command(BaseCommand):
    """`manage.py reset_second_factor NAME`."""

    help = "Resets the second factor of a person, who is logged out everywhere and sets up another one."

    def add_arguments(self, parser: CommandParser) -> None:
        """The user name."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refused in one line where there is nothing to reset."""
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"There is no user “{options['username']}”.")
        try:
            reset_factor(person, by=None)
        except BusinessError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{person.username} logs in with the password alone now.")
