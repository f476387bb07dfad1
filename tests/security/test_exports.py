"""S-12: no text becomes a formula, in no export, report or template, whatever invisible characters stand before it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from django.db import connection, models, transaction

from kit.exchange import reports
from kit.pages.resources import registry
from tests.oa.world import client_of
from tests.security.company import Company, own_by
from tests.security.planted import columns

pytestmark = [pytest.mark.slow]

VECTORS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1)", " =1+1", "\u00a0=1+1", "\ufeff=1+1", "＝1+1", "＋1+1", "－1+1", "＠SUM(1)",
    '"=1+1', "'=1+1", "\t=1+1", "\r=1+1", "\n=1+1", "\u200b=1+1", "a\n=1+1", '=HYPERLINK("//evil","x")',
)  # fmt: skip
SKIPPED = re.compile(r"""[\s\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"]*""")
# The totals of a report are sums of its own cells, and of nothing else.
TOTAL = re.compile(r"=(SUM|SUMIF|SUBTOTAL)\((\d+|[A-Z]+\d+(:[A-Z]+\d+)?)(,[A-Z]+\d+(:[A-Z]+\d+)?)*\)")
NUMBER = re.compile(r"[+-]?[\d,]+(\.\d+)?( ?%)?|[+-]\d\d:?\d\d|—|-|–")


def dangerous(text: str) -> bool:
    """Whether a spreadsheet would compute the cell of a CSV file."""
    if text[:1] in "\t\r\n\0" and text:
        return True
    first = unicodedata.normalize("NFKC", SKIPPED.sub("", text, count=1)[:1])
    return first in ("=", "+", "-", "@") and not NUMBER.fullmatch(text)


def plant_vectors() -> int:
    """Each text column holds the vectors in turn."""
    planted = 0
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for model, field in columns():
            key, room = model._meta.pk, field.max_length or 200
            if room < 8 or not isinstance(key, models.AutoField):
                continue
            fitting = [v for v in VECTORS if len(v) <= room]
            statement = (
                f'UPDATE {model._meta.db_table} SET "{field.column}" = '
                f"(%s::text[])[1 + ({key.column} + {planted}) %% {len(fitting)}]"
            )
            try:
                with transaction.atomic():
                    cursor.execute(statement, [fitting])
                    planted += cursor.rowcount
            except Exception:  # noqa: S112  (a constraint that such a text breaks protects the column by itself)
                continue
        cursor.execute("SET LOCAL session_replication_role = origin")
    return planted


def files(client: Any) -> Iterator[tuple[str, str, bytes]]:
    """(address, kind, content) of everything that can be taken out as a table."""
    urls = [f"{resource.url('export')}?format={{}}{full}" for resource in registry.values() for full in ("", "&full=1")]
    urls += [f"/reports/{name}/?date_from=2020-01-01&format={{}}" for name in sorted(reports._reports)]
    for url in urls:
        for kind in ("csv", "xlsx"):
            answer = client.get(url.format(kind))
            if answer.status_code == 200 and "attachment" in answer.headers.get("Content-Disposition", ""):
                yield url, kind, b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_no_export_holds_a_formula(c: Company) -> None:
    """S-12: CSV cells are guarded, cells of workbooks are text; numbers stay numbers."""
    own_by(c.boss)
    assert plant_vectors() > 500
    found, texts, opened = [], 0, {"csv": 0, "xlsx": 0}
    for url, kind, content in files(client_of(c.boss)):
        opened[kind] += 1
        if kind == "csv":
            for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))):
                found += [(url, cell) for cell in row if dangerous(cell)]
                texts += sum(cell.startswith("'") for cell in row)
            continue
        for sheet in openpyxl.load_workbook(io.BytesIO(content)):
            for row in sheet.iter_rows():
                formulas = [str(cell.value) for cell in row if cell.data_type == "f"]
                found += [(url, text) for text in formulas if not TOTAL.fullmatch(text)]
                texts += sum(isinstance(cell.value, str) and "1+1" in cell.value for cell in row)
    assert found == []
    assert texts > 300 and opened["csv"] > 120 and opened["xlsx"] > 120
