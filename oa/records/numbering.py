"""Document numbers: gapless, given as the last lock of the transaction that issues the document (rule G-07)."""

from __future__ import annotations

import datetime as dt

from django.db import connection

_TAKE = """
WITH pattern AS (
    SELECT key, prefix, digits,
           CASE reset WHEN 'month' THEN to_char(%(date)s::date, 'YYMM') WHEN 'year' THEN to_char(%(date)s::date, 'YY')
                      ELSE '' END AS period
      FROM oa_numbersequence WHERE key = %(key)s
), counter AS (
    INSERT INTO oa_counter (key, last) SELECT key || ':' || period, 1 FROM pattern
    ON CONFLICT (key) DO UPDATE SET last = oa_counter.last + 1 RETURNING last
)
SELECT prefix, period, lpad(last::text, greatest(digits, length(last::text)), '0') FROM pattern, counter
"""


def next_number(sequence: str, date: dt.date) -> str:
    """The next number of a document type on `date`, such as SO-2611-0187; holds its counter row (one statement).

    Raises LookupError when the sequence does not exist.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": sequence, "date": date})
        parts = cursor.fetchone()
    if parts is None:
        raise LookupError(f"number sequence {sequence}")
    return "-".join(part for part in parts if part)
