"""Invariants of documents in general: numbers, states, times, files, submitted forms."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pghistory.core
from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit.rules.checks import LIMIT, Row, check, rows
from oa.records.idempotency import KEPT
from oa.records.models import (
    Attachment,
    Comment,
    Counter,
    Document,
    IdempotencyKey,
    Notification,
    NumberSequence,
    PostedDocument,
)
from oa.records.models.audit import seal

OURS = ("oa", "crm", "erp")
FRESH = dt.timedelta(days=1)  # a file is stored before its row is; what is left of a crash shows after this

# A number is head, period (may be empty) and running part, such as SO-2611-0187.
_PARTS = """
SELECT id, number, substring(number from '^(.*?)-?[0-9]+$') AS head,
       coalesce(substring(number from '([0-9]+)-[0-9]+$'), '') AS period,
       substring(number from '([0-9]+)$')::numeric AS running
  FROM {table} d WHERE number ~ '[0-9]$' AND {condition}
"""
# A head that does not start at 1 goes on where another head of the same period stopped: the prefix was changed.
# Up to the floor of a period numbers were given elsewhere, before the documents were imported.
_GAPS = """
WITH n AS ({parts}), floors AS (
    SELECT substr(key, length(%(sequence)s) + 8) AS period, last AS floor FROM oa_counter
     WHERE %(sequence)s <> '' AND starts_with(key, 'given:' || %(sequence)s || ':')
), heads AS (
    SELECT head, period, min(running) - coalesce(min(floor), 0) AS first,
           max(running) - coalesce(min(floor), 0) AS last,
           count(*) AS count, count(DISTINCT running) AS numbers
      FROM n LEFT JOIN floors USING (period) WHERE running > coalesce(floor, 0) GROUP BY head, period
)
SELECT '{table}' AS table, head, first, last, count FROM heads h
 WHERE numbers <> count OR last - first + 1 <> count
    OR first <> 1 AND NOT EXISTS (
        SELECT 1 FROM heads o WHERE o.period = h.period AND o.head <> h.head AND o.last = h.first - 1)
"""
_COUNTERS = """
WITH n AS ({parts}), last AS (
    SELECT CASE WHEN s.reset = 'never' THEN '' ELSE n.period END AS period, max(running) AS last
      FROM n JOIN oa_numbersequence s ON s.key = %(sequence)s GROUP BY 1
), counters AS (
    SELECT substr(key, length(%(sequence)s) + 2) AS period, last FROM oa_counter
     WHERE starts_with(key, %(sequence)s || ':')
)
SELECT %(sequence)s AS sequence, period, counters.last AS counter, last.last AS highest
  FROM counters FULL JOIN last USING (period) WHERE counters.last IS DISTINCT FROM last.last
"""
_KNOWN = """
SELECT {kind} AS kind, pgh_obj_id AS id, pgh_id AS position, state FROM {history}
UNION ALL SELECT {kind}, id, 9223372036854775807, state FROM {table}"""
_STATES = """
WITH known AS ({known}), steps AS (
    SELECT kind, id, state, lag(state) OVER (PARTITION BY kind, id ORDER BY position) AS before FROM known
)
SELECT (%(tables)s::text[])[kind] AS table, id, before AS "from", state AS "to" FROM steps
 WHERE NOT kind || state = ANY(%(states)s)
    OR before <> state AND NOT kind || before || '>' || state = ANY(%(pairs)s)
"""
_TIMES = """
SELECT '{table}' AS table, id, number, created_at, posted_at FROM {table}
 WHERE posted_at > clock_timestamp() + interval '5 seconds' OR posted_at < created_at - interval '5 seconds'
    OR (posted_at IS NULL) <> (state = 'draft') OR (number IS NULL) <> (state = 'draft')
"""
# Only while keys are kept; a repeat is answered from its key and leaves nothing.
_KEYLESS = """
SELECT c.id AS context, c.created_at, c.metadata ->> 'url' AS url, c.metadata ->> 'submit' AS key
  FROM pghistory_context c
 WHERE c.metadata ->> 'submit' <> '' AND c.created_at > clock_timestamp() - %(kept)s
   AND NOT EXISTS (SELECT 1 FROM oa_idempotencykey k WHERE k.key::text = c.metadata ->> 'submit')
"""
_UNSEALED = f"""
WITH chain AS (SELECT a.*, lag(digest, 1, '') OVER (ORDER BY id) AS before FROM oa_auditentry a)
SELECT id AS "audit entry", at, user_id AS person, action, what FROM chain c
 WHERE digest <> {seal("c", "c.before")} AND NOT (digest = '' AND before = '') ORDER BY id
"""
_ORPHANS = """
SELECT '{notes}' AS table, n.id, '{target}' AS record, n.object_id FROM {notes} n
 WHERE n.content_type_id = %(type)s AND NOT EXISTS (SELECT 1 FROM {target} t WHERE t.{key} = n.object_id)
"""


def documents(base: type[models.Model] = Document) -> list[Any]:
    """All document models of the installation, whichever app they live in."""
    return [model for model in apps.get_models() if issubclass(model, base)]


def number_gaps(model: Any, condition: str = "TRUE", sequence: str = "") -> list[Row]:
    """Heads of numbers of `model`, where `condition` picks one sequence, that have gaps or doubles (I-07).

    Where `sequence` is told, numbers that were given before an import are left out.
    """
    table = model._meta.db_table
    own, params = issued_here(sequence)
    parts = _PARTS.format(table=table, condition=f"({condition}) AND {own}")
    return rows(_GAPS.format(parts=parts, table=table), {"sequence": sequence, **params})


def counter_gaps(model: Any, sequence: str, condition: str = "TRUE") -> list[Row]:
    """Counters of `sequence` that are not at the highest number given (I-08)."""
    own, params = issued_here(sequence)
    parts = _PARTS.format(table=model._meta.db_table, condition=f"({condition}) AND {own}")
    return rows(_COUNTERS.format(parts=parts), {"sequence": sequence, **params})


def issued_here(sequence: str) -> tuple[str, dict[str, Any]]:
    """The condition for numbers that have the form of `sequence`, now or by an earlier prefix.

    Everything, unless documents with foreign numbers were imported.
    """
    if not sequence or not Counter.objects.filter(key=f"given:{sequence}").exists():
        return "TRUE", {}
    prefixes = set(NumberSequence.objects.filter(key=sequence).values_list("prefix", flat=True))
    for history in pghistory.core.event_models(tracks_model=NumberSequence):
        prefixes |= set(history._base_manager.filter(key=sequence).values_list("prefix", flat=True))
    heads = "|".join(f"{re.escape(prefix)}-" if prefix else "[0-9]+-" for prefix in sorted(prefixes))
    return "d.number ~ %(own)s", {"own": f"^({heads})([0-9]+-)?[0-9]+$"}


@check("I-07", _("numbers of documents have no gaps"))
def document_numbers() -> Iterator[Row]:
    """Numbers start at 1 in every period and none is missing or given twice."""
    for model in documents():
        if model.SEQUENCE:
            yield from number_gaps(model, sequence=model.SEQUENCE)


@check("I-07", _("drafts have no number"))
def unnumbered_drafts() -> Iterator[Row]:
    """A number is given when a document is issued; what has one can no longer be a draft."""
    for model in documents():
        if model.SEQUENCE or issubclass(model, PostedDocument):
            initial = model.STATES.initial
            yield from rows(
                f"SELECT '{model._meta.db_table}' AS table, id, number, state FROM {model._meta.db_table}"
                " WHERE number IS NOT NULL AND state = %(initial)s",
                {"initial": initial},
            )


@check("I-08", _("counters of documents stand at the last number"))
def document_counters() -> Iterator[Row]:
    """A counter is exactly at the highest number of its sequence and period."""
    for model in documents():
        if model.SEQUENCE:
            yield from counter_gaps(model, model.SEQUENCE)


@check("I-29", _("states changed only as the tables of states allow"))
def state_history() -> list[Row]:
    """Every change of state in the history, and the one to the present state, is a transition of the table."""
    return rows(*_state_changes())


@cache
def _state_changes() -> tuple[str, dict[str, list[str]]]:
    """The statement for all documents, and its values."""
    known, tables, states, pairs = list[str](), list[str](), list[str](), list[str]()
    for model in documents():
        for history in pghistory.core.event_models(tracks_model=model):
            tables.append(model._meta.db_table)
            kind = len(tables)
            known.append(_KNOWN.format(kind=kind, table=tables[-1], history=history._meta.db_table))
            states += [f"{kind}{state.name}" for state in model.STATES.states]
            pairs += [f"{kind}{before}>{after}" for before, after in model.STATES.pairs()]
    statement = _STATES.format(known=" UNION ALL ".join(known))
    return statement, {"tables": tables, "states": states, "pairs": pairs}


@check("I-37", _("documents are posted after they were made, and not in the future"))
def posting_times() -> Iterator[Row]:
    """Drafts have neither number nor time of posting, all others have both."""
    for model in documents(PostedDocument):
        yield from rows(_TIMES.format(table=model._meta.db_table))


@check("I-30", _("audit entries are what was written, in their order"))
def audit_chain() -> list[Row]:
    """Every entry carries its seal; one that was changed, swapped, put in or is missing breaks it or the next one."""
    return rows(_UNSEALED)


@check("I-31", _("every submitted form has its effect"))
def idempotency_effects() -> Iterator[Row]:
    """The record an idempotency key names exists, or the history knows that it was deleted since."""
    for label in IdempotencyKey.objects.exclude(effect="").order_by().values_list("effect", flat=True).distinct():
        try:
            model = apps.get_model(label)
        except (LookupError, ValueError):
            yield {"effect": label, "problem": "no such model"}
            continue
        keys = IdempotencyKey.objects.filter(effect=label)
        missing = keys.exclude(effect_id__in=model._base_manager.values("pk"))
        for history in pghistory.core.event_models(tracks_model=model):
            deleted = history._base_manager.filter(pgh_label="deleted")
            missing = missing.exclude(effect_id__in=deleted.values("pgh_obj_id"))
        nameless = keys.filter(effect_id=None)
        for key in (missing | nameless)[:LIMIT]:
            yield {"key": key.pk, "command": key.command, "effect": label, "id": key.effect_id}


@check("I-31", _("every effect of a submitted form has its key"))
def idempotency_keys() -> list[Row]:
    """What a request changed names its form in the history, and the form's key was stored with it."""
    return rows(_KEYLESS, {"kept": KEPT - dt.timedelta(days=1)})


@check("I-33", _("every relation leads to a record that exists"))
def dangling_relations() -> Iterator[Row]:
    """All foreign keys of our tables, as PostgreSQL would have it; one statement for a table."""
    for model in apps.get_models():
        fields = [f for f in model._meta.local_concrete_fields if f.is_relation and getattr(f, "db_constraint", False)]
        if model._meta.app_label not in OURS or not model._meta.managed or not fields:
            continue
        yield from rows(" UNION ALL ".join(_dangling(model, field) for field in fields))


def _dangling(model: Any, field: Any) -> str:
    table, target = model._meta.db_table, field.related_model._meta.db_table
    return f"""
        SELECT '{table}' AS table, t.{model._meta.pk.column}::text AS id, '{field.column}' AS relation,
               t.{field.column}::text AS missing
          FROM {table} t LEFT JOIN {target} r ON r.{field.target_field.column} = t.{field.column}
         WHERE t.{field.column} IS NOT NULL AND r.{field.target_field.column} IS NULL
    """


@check("I-33", _("files, comments and notifications belong to records that exist"))
def orphaned_notes() -> Iterator[Row]:
    """Generic relations lead somewhere."""
    notes: Any
    for notes in (Attachment, Comment, Notification):
        types = (
            notes.objects.exclude(content_type=None)
            .order_by()
            .values_list("content_type", "content_type__app_label", "content_type__model")
        )
        for type_id, app, name in types.distinct():
            try:
                target = apps.get_model(app, name)
            except LookupError:
                yield {"table": notes._meta.db_table, "type": f"{app}.{name}", "problem": "no such model"}
                continue
            sql = _ORPHANS.format(notes=notes._meta.db_table, target=target._meta.db_table, key=target._meta.pk.column)
            yield from rows(sql, {"type": type_id})


@check("I-33", _("attached files are what was attached"))
def changed_files() -> Iterator[Row]:
    """Every row that names a file with its size and SHA-256 has that file."""
    for model in apps.get_models():
        if {"file", "size", "sha256"} <= {field.name for field in model._meta.local_concrete_fields}:
            yield from (found for row in model._base_manager.order_by("pk").iterator() if (found := _changed(row)))


def _changed(row: Any) -> Row | None:
    """What is wrong with the file of a row."""
    size, digest = None, ""
    try:
        if row.file and (size := row.file.size) == row.size:
            with row.file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        size = None
    if (size, digest) == (row.size, row.sha256):
        return None
    facts = {"file": row.file.name, "expected": row.size, "found": size, "sha256": digest}
    return {row._meta.model_name: row.pk, **facts}


@check("I-33", _("stored files belong to a record"))
def stray_files() -> Iterator[Row]:
    """No file that is older than a day lies in the folder of a model without a row that names it."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, models.FileField) and isinstance(field.upload_to, str):
                named = set(model._base_manager.values_list(field.attname, flat=True))
                folder = field.upload_to.split("%")[0].strip("/")
                for name in _files(field.storage, folder):
                    if name not in named and field.storage.get_modified_time(name) < timezone.now() - FRESH:
                        yield {"table": model._meta.db_table, "file": name, "problem": "belongs to nothing"}


def _files(storage: Any, folder: str) -> Iterator[str]:
    """Names of all files in and below `folder`, nothing where there is no such folder."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _files(storage, f"{folder}/{name}")
