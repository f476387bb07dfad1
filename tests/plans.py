"""What a page costs in a large company, told from the plans of its statements: no clock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


class Undo(Exception):
    """Ends a transaction without a trace."""


@dataclass(frozen=True)
class Large:
    """Tables of which no statement of a page may look at more than `touched` rows, and hardly any one by one."""

    tables: set[str]
    touched: int

    def scans(self, statement: str) -> Iterator[tuple[str, str, int]]:
        """Table, kind of access and rows looked at, of every access to a large table while `statement` runs."""
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
            found = cursor.fetchone()[0]
            cursor.execute("SET LOCAL enable_seqscan = on")
        todo = [part["Plan"] for part in (json.loads(found) if isinstance(found, str) else found)]
        while todo:
            node = todo.pop()
            todo += node.get("Plans", ())
            if node.get("Relation Name") in self.tables:
                removed = sum(rows for name, rows in node.items() if name.startswith("Rows Removed"))
                looked = int((node["Actual Rows"] + removed) * node["Actual Loops"])
                yield node["Relation Name"], node["Node Type"], looked

    def asked(self, client: Client, url: str, **headers: str) -> Sequence[str]:
        """The statements about large tables behind a page."""
        connection.ensure_connection()
        kept = connection.connection.prepare_threshold
        connection.connection.prepare_threshold = None  # the text of a kept one has no values
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url, headers=headers).status_code == 200, url
        connection.connection.prepare_threshold = kept
        statements = [
            query["sql"] for query in queries.captured_queries if query["sql"].lstrip("(").startswith("SELECT")
        ]
        return [sql for sql in statements if any(f'"{table}"' in sql for table in self.tables)]

    def beyond(self, client: Client, url: str, **headers: str) -> list[tuple[str, str, str, int, str]]:
        """Address, table, access, rows and statement of whatever looks at too much."""
        return [
            (url, table, how, rows, sql)
            for sql in self.asked(client, url, **headers)
            for table, how, rows in self.scans(sql)
            if rows > (self.touched // 10 if how == "Seq Scan" else self.touched)
        ]

    def assert_found_by_index(self, client: Client, url: str) -> None:
        """The page asks for rows of large tables, and finds them without looking at the others."""
        assert self.asked(client, url), url
        assert self.beyond(client, url) == []
