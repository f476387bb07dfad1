"""Environment variables, read strictly: a wrong value is told in one line instead of guessed or traced back."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured


def whole(variable: str, default: int, least: int = 0, most: int | None = None) -> int:
    """A whole number from `least` to `most`."""
    text = os.environ.get(variable) or str(default)
    if text.isascii() and text.isdecimal() and least <= int(text) and (most is None or int(text) <= most):
        return int(text)
    span = f"from {least} to {most}" if most is not None else f"of {least} or more"
    raise ImproperlyConfigured(f"{variable} must be a whole number {span}, not “{text}”.")


def choice(variable: str, default: str, allowed: Collection[str]) -> str:
    """One of the words `allowed`."""
    text = os.environ.get(variable) or default
    if text in allowed:
        return text
    raise ImproperlyConfigured(f"{variable} must be one of {', '.join(allowed)}, not “{text}”.")


def flag(variable: str) -> bool:
    """Whether something is switched on; off where nothing is said."""
    text = os.environ.get(variable) or "0"
    if text.lower() not in ("0", "1", "false", "true", "no", "yes", "off", "on"):
        raise ImproperlyConfigured(f"{variable} must be 1 or 0, not “{text}”.")
    return text.lower() in ("1", "true", "yes", "on")


def duration(variable: str, default: str) -> str:
    """A span of time as PostgreSQL writes it: a number with ms, s, min or h; 0 for no limit."""
    text = os.environ.get(variable) or default
    if re.fullmatch(r"0|[1-9][0-9]{0,8}(ms|s|min|h)", text, re.ASCII):
        return text
    raise ImproperlyConfigured(f"{variable} must be a span of time such as 30s or 5min, or 0, not “{text}”.")


def zone(variable: str, default: str) -> str:
    """The name of a time zone."""
    text = os.environ.get(variable) or default
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, LookupError):
        message = f"{variable} must be a time zone such as Asia/Shanghai or Europe/Berlin, not “{text}”."
        raise ImproperlyConfigured(message) from None
