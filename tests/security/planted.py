"""Hostile texts in every text column of every row of the company, whatever forms and guards would say to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from django.db import DatabaseError, connection, models, transaction

from tests.security.company import tables

Column = tuple[type[models.Model], models.Field]
# Reviewed: words of the program in text columns. Another text there is a broken installation, not an attack.
TECHNICAL = re.compile(
    r"^(code|number|prefix|pattern|state|kind|language|time_zone|theme|density|username|password|url|file|sha256|hash"
    r"|digest|content_hash|token|secret|dedupe|message_id|model|source|purpose|rule|operator|field|report|frequency"
    r"|every|reminders|currency|country|css|permission|first|second|facts_hash|command|key|path|mime|to|timezone"
    r"|label|of|weekdays|document_kind|section|object_kind|scope|action|verb|role|template|repeat|last_login|.*_hash|.*_kind)$"
)


def columns() -> Iterator[Column]:
    """Text columns that people write."""
    for model in tables():
        for field in model._meta.concrete_fields:
            text = isinstance(field, models.CharField | models.TextField) and not isinstance(field, models.FileField)
            fixed = field.choices or field.unique or field.primary_key or isinstance(field, models.GeneratedField)
            if text and not fixed and not TECHNICAL.match(field.name):
                yield model, field


def plant(text: Callable[[int], str]) -> tuple[list[str], list[str]]:
    """Put `text(its longest length)` everywhere; (columns that hold it now, columns whose constraints refuse it)."""
    planted, refused = [], []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for model, field in columns():
            value = text(field.max_length or 2000)
            name = f"{model._meta.label_lower}.{field.name}"
            if not value:
                continue
            statement = f'UPDATE {model._meta.db_table} SET "{field.column}" = %s'
            try:
                with transaction.atomic():
                    cursor.execute(statement, [value])
                    if cursor.rowcount:
                        planted.append(name)
            except DatabaseError:
                refused.append(name)
        cursor.execute("SET LOCAL session_replication_role = origin")
    return planted, refused
