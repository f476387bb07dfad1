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
    INSERT INTO oa_counter (key, last) SELECT key || ':' || period, %(count)s FROM pattern
    ON CONFLICT (key) DO UPDATE SET last = oa_counter.last + %(count)s RETURNING last
)
SELECT prefix, period, digits, last FROM pattern, counter
"""

# A number of the sequence's own form moves its counter up, so that it is never given twice, and is remembered as
# the last one that came from elsewhere; of foreign numbers only their count is remembered.
_GIVEN = r"""
WITH own AS (
    SELECT key, (regexp_match(%(number)s, '^' || CASE WHEN prefix = '' THEN ''
                ELSE regexp_replace(prefix, '([^A-Za-z0-9])', '\\\1', 'g') || '-' END
             || CASE reset WHEN 'month' THEN '([0-9]{4})-' WHEN 'year' THEN '([0-9]{2})-' ELSE '()' END
             || '([0-9]{1,9})$')) AS parts
      FROM oa_numbersequence WHERE key = %(key)s
), counter AS (
    INSERT INTO oa_counter (key, last) SELECT key || ':' || parts[1], parts[2]::int FROM own WHERE parts IS NOT NULL
    ON CONFLICT (key) DO UPDATE SET last = greatest(oa_counter.last, EXCLUDED.last)
), taken AS (
    INSERT INTO oa_counter (key, last)
    SELECT 'given:' || key || ':' || parts[1], parts[2]::int FROM own WHERE parts IS NOT NULL
    ON CONFLICT (key) DO UPDATE SET last = greatest(oa_counter.last, EXCLUDED.last)
)
INSERT INTO oa_counter (key, last) SELECT 'given:' || key, 1 FROM own WHERE parts IS NULL
ON CONFLICT (key) DO UPDATE SET last = oa_counter.last + 1
"""


def given_number(sequence: str, number: str) -> str:
    """`number` for a document that had it before it came here (one statement).

    Foreign numbers do not touch the counter of `sequence`; the gaps of numbers that were given elsewhere are
    not ours (invariants I-07 and I-08 leave them out).
    """
    with connection.cursor() as cursor:
        cursor.execute(_GIVEN, {"key": sequence, "number": number})
    return number


def next_number(sequence: str, date: dt.date) -> str:
    """The next number of a document type on `date`, such as SO-2611-0187; holds its counter row (one statement).

    Raises LookupError when the sequence does not exist.
    """
    return next_numbers(sequence, date, 1)[0]


def next_numbers(sequence: str, date: dt.date, count: int) -> list[str]:
    """The next `count` numbers at once, in order (one statement)."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": sequence, "date": date, "count": count})
        found = cursor.fetchone()
    if found is None:
        raise LookupError(f"number sequence {sequence}")
    prefix, period, digits, last = found
    running = (f"{number:0{digits}}" for number in range(last - count + 1, last + 1))
    return ["-".join(part for part in (prefix, period, number) if part) for number in running]
