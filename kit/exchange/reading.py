"""The rows of a CSV file or a workbook, read by a child process with limits (rules S-13, F-18)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from django.utils.translation import gettext as _

from kit.exchange.limited import Limits, Refused, run_limited
from kit.values.errors import BusinessError

SIZE = 20 * 1024 * 1024  # bytes of a file
LIMITS = Limits(memory=512 * 1024 * 1024, seconds=60, written=400 * 1024 * 1024, waiting=150)
BATCH = 1 << 20  # bytes of rows that are in memory at a time


class Table:
    """The rows of a file: `(row number, cells)`, as often as one asks; kept on disk, not in memory.

    Row numbers are those a spreadsheet shows. Empty rows are left out, and so are empty cells at the end.
    """

    def __init__(self, name: str, format: str, lines: IO[bytes], start: int) -> None:
        self.name, self.format = name, format
        self._lines, self._start = lines, start

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        place = self._start
        while True:
            self._lines.seek(place)  # somebody else may have read on in between
            batch = self._lines.readlines(BATCH)
            place = self._lines.tell()
            if not batch:
                return
            for line in batch:
                number, cells = json.loads(line)
                yield number, cells

    def close(self) -> None:
        """Forget the rows."""
        self._lines.close()


def read_table(content: bytes, name: str) -> Table:
    """The rows of the file `content`; BusinessError says why it is not read."""
    if len(content) > SIZE:
        raise BusinessError(
            _("%(name)s is larger than %(limit)s MB. Split it into several files.")
            % {"name": name, "limit": SIZE // 1024 // 1024}
        )
    if not content.strip():
        raise BusinessError(_problem({"error": "empty"}, name))
    lines = tempfile.TemporaryFile()  # noqa: SIM115  the table closes it
    try:
        with tempfile.NamedTemporaryFile(suffix=".import") as given:
            given.write(content)
            given.flush()
            try:
                run_limited("table", given.name, output=lines, limits=LIMITS)
            except Refused as refused:
                raise BusinessError(_problem(refused.facts, name)) from None
        lines.seek(0)
        head = json.loads(lines.readline())
        return Table(name, head["format"], lines, lines.tell())
    except BaseException:
        lines.close()
        raise


def _problem(facts: dict[str, Any], name: str) -> str:
    """What is wrong with a file, in words."""
    sentences = {
        "empty": _("%(name)s has no rows."),
        "old": _("%(name)s is an old workbook or has a password. Save it as .xlsx without a password."),
        "damaged": _("%(name)s is damaged or no workbook. Save it again as .xlsx or .csv."),
        "encoding": _("The characters of %(name)s cannot be read. Save it as CSV UTF-8 or as .xlsx."),
        "characters": _("Row %(row)s, column %(column)s of %(name)s holds a character that cannot be stored."),
        "csv": _("Row %(row)s of %(name)s is not written as CSV: %(text)s."),
        "rows": _("%(name)s has more than %(limit)s rows. Split it into several files."),
        "columns": _("Row %(row)s of %(name)s has more than %(limit)s columns."),
        "inflated": _("%(name)s is compressed too much to be an ordinary workbook. Save it again, or as .csv."),
        "memory": _("%(name)s needs too much memory. Delete what stands far from the table, or save it as .csv."),
        "time": _("Reading %(name)s takes too long. Save it as .csv, or split it."),
    }
    return str(sentences[facts["error"]] % {"name": name, **facts})
