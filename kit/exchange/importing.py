"""Rows into the system: one importer for the page, the command and the job (UX 6.10, rule T-03).

A kind of file is an `Importer`: columns, and a `write` that stores the good rows through the services of its
section. `run` does everything around it: titles, cells, records by code or name, one transaction for the
whole file, and a report with every error by row and column. A dry run is a real run that is taken back.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from kit.exchange.importing_batch import Batch, Importer, Options, Progress, Report, Row, RowError
from kit.exchange.importing_columns import Column, Header, match_header
from kit.exchange.reading import Table
from kit.pages.resources import import_rights
from kit.rules.outage import away
from kit.values.errors import BusinessError

__all__ = ["Batch", "Column", "Importer", "Options", "Report", "Row", "RowError", "register", "run"]

HEADER_ROWS = 10  # titles stand in one of the first rows: people write headings over their tables
BUSY = {"40001", "40P01", "55P03"}  # others hold the same rows: serialisation, deadlock, a lock that did not come
ROUNDS = 10  # how often rows that do not fit together are left out before giving up

# Kinds ---------------------------------------------------------------------------------------------------------

_importers: dict[str, Importer] = {}


def register(importer: Importer) -> Importer:
    """Offer `importer` as `manage.py import KIND` and on the page of its resource."""
    _importers[importer.kind] = importer
    if importer.resource:
        import_rights[importer.resource] = tuple(importer.permissions)
    return importer


def kinds() -> list[str]:
    """The names of all registered kinds."""
    return sorted(_importers)


def importer_of(kind: str) -> Importer:
    """The importer called `kind`; BusinessError names those there are."""
    if kind not in _importers:
        raise BusinessError(
            _("There is no import “%(kind)s”; choose one of %(kinds)s.") % {"kind": kind, "kinds": ", ".join(kinds())}
        )
    return _importers[kind]


def registered_for(slug: str) -> Importer | None:
    """The kind that stands on the page of the resource `slug`."""
    return next((importer for importer in _importers.values() if importer.resource == slug), None)


# Runs ----------------------------------------------------------------------------------------------------------


def run(
    importer: Importer,
    table: Table,
    *,
    by: Any = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Report:
    """Import `table` in one transaction: everything or, with `partial`, the good rows. Never raises for bad data.

    With `partial`, documents that fail when they are written are left out and the rest is written again
    without them, so that nothing of them remains.
    """
    options = options or Options()
    header, report = _header(importer, table)
    left_out: dict[Hashable, list[RowError]] = {}
    for _round in range(ROUNDS if not report.failed else 0):
        report = Report(importer.kind)
        batch = Batch(importer, table, header, report, by=by, options=options, left_out=left_out, progress=progress)
        again = _write(importer, batch)
        if not again:
            break
        left_out |= batch.failed
    report.errors.sort(key=lambda error: error.row or 0)
    return report


def _write(importer: Importer, batch: Batch) -> bool:
    """One round; returns whether another one without the failed documents should follow."""
    report, options = batch.report, batch.options
    again = False
    try:
        with transaction.atomic():
            importer.write(batch)
            with connection.cursor() as cursor:  # what is checked at the end of the transaction otherwise
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            again = bool(batch.failed) and options.partial and not options.dry_run
            report.written = not (options.dry_run or again or (report.failed and not options.partial))
            if not report.written:
                transaction.set_rollback(True)
    except BusinessError as error:
        report.written = again = False
        report.errors += [RowError(None, "", str(problem.message)) for problem in error]
    except DatabaseError as error:
        if away(error):
            raise
        report.written = again = False
        report.errors.append(RowError(None, "", _refusal(error)))
    return again


def _refusal(error: DatabaseError) -> str:
    """Why the database did not take the file, in words where another person is the reason."""
    if getattr(error.__cause__, "sqlstate", "") in BUSY:
        return _("Somebody is working on the same records at this moment. Try again.")
    return _("The database refused the file: %s") % str(error).splitlines()[0]


def _header(importer: Importer, table: Table) -> tuple[Header, Report]:
    """The row that holds most titles, and what is wrong with it: unknown, missing, double titles."""
    columns, report = importer.columns(), Report(importer.kind)
    best: Header | None = None
    for (number, cells), _place in zip(table, range(HEADER_ROWS), strict=False):
        found = match_header(columns, number, cells)
        if best is None or len(found.columns) > len(best.columns):
            best = found
    assert best is not None  # a table without rows is refused when it is read
    names = ", ".join(column.name for column in columns)
    present = {column.name for column in best.columns.values()}
    unknown = _("There is no column “%(title)s”; there are: %(names)s.")
    report.errors += [RowError(best.row, title, unknown % {"title": title, "names": names}) for title in best.unknown]
    report.errors += [RowError(best.row, title, _("This column is there twice.")) for title in best.double]
    report.errors += [
        RowError(best.row, column.name, _("This column is missing."))
        for column in columns
        if column.required and column.name not in present
    ]
    return best, report
