"""Importing and exporting files the way people do it from the command line, for tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

DATA = Path(__file__).parent / "data"


class Files:
    """Runs `manage.py import` and `export` with files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(
        self, kind: str, content: str | bytes | Sequence[Any], *options: str, name: str = "file.csv"
    ) -> tuple[int, str]:
        """Import text, bytes or rows; exit code and everything that was said."""
        text = content if isinstance(content, str | bytes) else table(content)
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        out = io.StringIO()
        try:
            call_command("import", kind, str(path), *options, stdout=out, stderr=out)
        except CommandError as error:
            return 1, f"{out.getvalue()}{error}\n"
        return 0, out.getvalue()

    def export(self, kind: str, *filters: str, name: str = "out.csv") -> bytes:
        """What the export of a kind writes."""
        path = self.folder / name
        given = [part for text in filters for part in ("--filter", text)]
        call_command("export", kind, str(path), *given, stdout=io.StringIO())
        return path.read_bytes()


def table(rows: Sequence[Any]) -> str:
    """Rows as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows of an export."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def last(answer: tuple[int, str]) -> str:
    """The line with the counts."""
    return answer[1].splitlines()[-1]
