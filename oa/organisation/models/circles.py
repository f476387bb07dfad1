"""The guard of every tree in a table: no row stands, over others, above itself (invariant I-34)."""

from __future__ import annotations

import pgtrigger

# One writer of the tree at a time: two that each see no circle could close one together.
_BODY = """
IF NEW.{column} IS NULL OR (TG_OP = 'UPDATE' AND NEW.{column} IS NOT DISTINCT FROM OLD.{column}) THEN
    RETURN NULL;
END IF;
PERFORM pg_advisory_xact_lock(hashtext('{table}.{column}'));
IF EXISTS (
    WITH RECURSIVE up(id) AS (
        SELECT NEW.{column}
        UNION SELECT t.{column} FROM {table} t JOIN up ON t.id = up.id WHERE t.{column} IS NOT NULL
    ) SELECT 1 FROM up WHERE up.id = NEW.id
) THEN
    RAISE EXCEPTION '{message}' USING ERRCODE = '23514';
END IF;
RETURN NULL;
"""


def no_circle(table: str, column: str, message: str) -> pgtrigger.Trigger:
    """Refuses a row whose `column` leads, step by step, back to the row itself."""
    return pgtrigger.Trigger(
        name="no_circle",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(column),
        func=_BODY.format(table=table, column=column, message=message),
    )
