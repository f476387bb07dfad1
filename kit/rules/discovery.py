"""Finds the rooms of an app's sections that register themselves."""

from __future__ import annotations

import pkgutil
from importlib import import_module

ROOMS = ("checks", "resources", "panels", "prints", "reports", "jobs", "imports")


def load_rooms(app: str) -> None:
    """Import the registering rooms of every section of `app`, in the order of `ROOMS`."""
    package = import_module(app)
    sections = [m.name for m in pkgutil.iter_modules(package.__path__) if m.ispkg and m.name != "migrations"]
    for room in ROOMS:
        for section in sections:
            names = {m.name for m in pkgutil.iter_modules(import_module(f"{app}.{section}").__path__)}
            if room in names:
                import_module(f"{app}.{section}.{room}")
