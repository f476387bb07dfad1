"""What a refused command must leave behind: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import connection

from kit.values.errors import BusinessError

APPS = ("oa", "crm", "erp")


def whole_state() -> dict[str, str | None]:
    """A digest of every table of ours, history included."""
    tables = [m._meta.db_table for app in APPS for m in apps.get_app_config(app).get_models() if m._meta.managed]
    parts = [f"SELECT '{table}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t" for table in tables]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


@contextmanager
def refused(match: str = "") -> Iterator[pytest.ExceptionInfo[BusinessError]]:
    """The command inside is refused with a sentence that fits `match`, and changes nothing at all."""
    before = whole_state()
    with pytest.raises(BusinessError, match=match) as caught:
        yield caught
    assert whole_state() == before
