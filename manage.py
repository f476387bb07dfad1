#!/usr/bin/env python3
"""Command line of Sanhe: `python manage.py help` lists what it can do."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Commands that touch no database and therefore start no server.
WITHOUT_SERVERS = {
    "help",
    "version",
    "translations",
    "check",
    "makemessages",
    "compilemessages",
    "startapp",
    "collectstatic",
    "findstatic",
    "diffsettings",
}


def end(number: int, frame: FrameType | None) -> None:
    """Leave by way of `SystemExit`, so that transactions roll back and embedded servers are let go."""
    sys.exit(128 + number)


def main() -> None:
    """Read the settings, start the embedded servers where they are needed, then hand over to Django."""
    if sys.version_info < (3, 11):  # noqa: UP036 - said clearly where somebody starts us with an older one
        sys.exit(f"Sanhe needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Commands such as migrations, closes and imports may take longer than a page is allowed to.
    os.environ.setdefault("SANHE_STATEMENT_TIMEOUT", "0")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        with usable_folder():
            settings.INSTALLED_APPS  # noqa: B018 - a wrong environment is told before servers start
            start_servers(sys.argv[1:])
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")


@contextmanager
def usable_folder() -> Iterator[None]:
    """Say which folder cannot be used, and how to choose another one."""
    from config.places import var

    try:
        yield
    except OSError as error:
        sys.exit(f"The data folder {var()} cannot be used ({error}). Choose another one with SANHE_VAR.")


def start_servers(arguments: list[str]) -> None:
    """Start the embedded servers, unless the command line `arguments` need none."""
    idle = not arguments or arguments[0] in WITHOUT_SERVERS or {"-h", "--help", "--version"} & set(arguments)
    if not idle or (arguments[:1] == ["check"] and "--database" in arguments):
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGHUP, end)
        from config import embedded
        from config.places import PlaceError
        from config.servers import ServerError

        try:
            embedded.start()
        except (PlaceError, ServerError) as error:
            sys.exit(f"{error}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
