"""Database triggers that keep posted documents and ledgers as they are (rule G-03)."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models

# Columns of a posted document that carry no accounting: they may change (rule G-03).
FREE = ("state", "version", "updated_at", "note", "owner", "department")


class Frozen(pgtrigger.Condition):
    """True when a document that left its `drafts` states changes in a column that is not `free`."""

    def __init__(self, drafts: tuple[str, ...], free: tuple[str, ...]) -> None:
        self.drafts, self.free = drafts, free

    def resolve(self, model: Any) -> str:
        """The condition as SQL; generated columns are left out, a BEFORE trigger cannot see them."""
        fields = model._meta.fields
        skipped = [f.name for f in fields if f.name in self.free or isinstance(f, models.GeneratedField)]
        changed = pgtrigger.AnyChange(exclude=skipped, exclude_auto=False).resolve(model)
        states = ", ".join(f"'{state}'" for state in self.drafts)
        return f"OLD.state NOT IN ({states}) AND ({changed})"


class WrongTime(pgtrigger.Condition):
    """True for a time of posting that lies ahead, or (of a `document`) before the record was made.

    Clocks may differ by 5 seconds. Of an `update` only a new time counts: what is posted may be settled
    later by a machine whose clock was put back.
    """

    def __init__(self, *, document: bool, update: bool = False) -> None:
        self.document, self.update = document, update

    def resolve(self, model: Any) -> str:
        """The condition as SQL; NULL, a draft, is never wrong."""
        wrong = "NEW.posted_at > clock_timestamp() + interval '5 seconds'"
        if self.document:
            wrong = f"({wrong} OR NEW.posted_at < NEW.created_at - interval '5 seconds')"
        return f"(NEW.posted_at IS DISTINCT FROM OLD.posted_at AND {wrong})" if self.update else wrong


def posted_now(*, document: bool = False) -> list[pgtrigger.Trigger]:
    """Refuses a time of posting in the future (I-37), for a `document` also one before it was made."""
    body = "RAISE EXCEPTION 'The time of posting is wrong; look at the clocks.' USING ERRCODE = '23514';"
    common: dict[str, Any] = {"when": pgtrigger.Before, "func": body}
    insert = pgtrigger.Trigger(
        name="posted_now", operation=pgtrigger.Insert, condition=WrongTime(document=document), **common
    )
    if not document:
        return [insert]  # the table is append-only
    condition = WrongTime(document=True, update=True)
    return [insert, pgtrigger.Trigger(name="posted_then", operation=pgtrigger.Update, condition=condition, **common)]


def append_only(*free: str) -> list[pgtrigger.Trigger]:
    """Rows may be added only: updates (except of columns `free`), deletes and truncation are refused."""
    update = (
        pgtrigger.ReadOnly(name="append_only", exclude=list(free))
        if free
        else pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)
    )
    return [update, pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete), no_truncate()]


def no_truncate() -> pgtrigger.Trigger:
    """Refuses TRUNCATE."""
    return pgtrigger.Trigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'This table cannot be truncated.' USING ERRCODE = '23001';",
    )


def posted_document(*free: str, drafts: tuple[str, ...] = ("draft",)) -> list[pgtrigger.Trigger]:
    """A document that left `drafts` keeps every column but `FREE` and `free`, and is never deleted."""
    return [
        pgtrigger.Trigger(
            name="posted_is_fixed",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=Frozen(drafts, (*FREE, *free)),
            func="RAISE EXCEPTION 'A posted document cannot be changed; reverse it.' USING ERRCODE = '23001';",
        ),
        pgtrigger.Trigger(
            name="posted_stays",
            when=pgtrigger.Before,
            operation=pgtrigger.Delete,
            condition=~pgtrigger.Q(old__state__in=list(drafts)),
            func="RAISE EXCEPTION 'A posted document cannot be deleted; reverse it.' USING ERRCODE = '23001';",
        ),
        *posted_now(document=True),
        no_truncate(),
    ]


def posted_lines(parent: str, key: str, *free: str, drafts: tuple[str, ...] = ("draft",)) -> list[pgtrigger.Trigger]:
    """Lines follow their document: fixed (but for columns `free`) once `parent`.`state` left `drafts`.

    `parent` is the table, `key` the foreign key column of the line.
    """
    states = ", ".join(f"'{state}'" for state in drafts)
    body = f"""
        IF NOT EXISTS (SELECT 1 FROM {parent} d WHERE d.id = %s.{key} AND d.state IN ({states})) THEN
            RAISE EXCEPTION 'Lines of a posted document cannot be changed; reverse it.' USING ERRCODE = '23001';
        END IF;
        RETURN %s;
    """
    condition: Any = pgtrigger.AnyChange(exclude=list(free), exclude_auto=False) if free else None
    return [
        pgtrigger.Trigger(
            name="lines_insert", when=pgtrigger.Before, operation=pgtrigger.Insert, func=body % ("NEW", "NEW")
        ),
        pgtrigger.Trigger(
            name="lines_update",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=condition,
            func=body % ("OLD", "NEW"),
        ),
        pgtrigger.Trigger(
            name="lines_delete", when=pgtrigger.Before, operation=pgtrigger.Delete, func=body % ("OLD", "OLD")
        ),
        no_truncate(),
    ]
