"""The verdict over a run: what was told to people against what is in the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db.models import Model

from kit.rules.checks import run as broken_invariants
from oa.records.models import Attachment, IdempotencyKey
from tests.chaos.commands import COMMANDS, REVERSALS
from tests.chaos.worker import facts_of, read_notes

OURS = "chaos "
MODELS = {command.makes for command in COMMANDS.values() if command.makes} | {model for model, _run in REVERSALS}

Notes = list[dict[str, Any]]


def notes_of(folder: Path) -> Notes:
    """Everything the processes wrote down."""
    return [note for path in sorted(folder.glob("acks-*")) for note in read_notes(path)]


def counts() -> Counter[str]:
    """How many documents there are of each kind."""
    return Counter({model._meta.label_lower: model._base_manager.count() for model in MODELS})


def judge(notes: Notes, before: Counter[str], *, interruptions: int, stats: dict[str, int]) -> list[str]:
    """What speaks against the run, in words; nothing when it is passed.

    `interruptions`: how many operations may have been cut off between their commit and their answer.
    """
    keys = {str(row.key): row for row in IdempotencyKey.objects.filter(command__startswith=OURS)}
    acks = {note["key"]: note for note in notes if note["what"] == "ack"}
    unanswered = len(keys.keys() - acks.keys())
    stats |= {"effects": len(keys), "unanswered": unanswered}
    faults = [f"unexpected error: {note['text']}" for note in notes if note["what"] == "error"]
    faults += [f"lost: {note}" for key, note in acks.items() if key not in keys]
    faults += _changed(acks, keys)
    if unanswered > interruptions:
        faults.append(f"{unanswered} effects were never answered, with {interruptions} interruptions")
    faults += _grown(keys.values(), before)
    faults += [f"{code}: {row}" for code, rows in broken_invariants().items() for row in rows]
    return faults


def _changed(acks: dict[str, Any], keys: dict[str, Any]) -> Iterable[str]:
    """Answers whose record is gone, or not what was told."""
    wanted: dict[str, set[int]] = {}
    for note in acks.values():
        if note["label"]:
            wanted.setdefault(note["label"], set()).add(note["pk"])
    found = {label: apps.get_model(label)._base_manager.in_bulk(pks) for label, pks in wanted.items()}
    removed = {row.answer for row in keys.values() if row.command == f"{OURS}detach"}
    files = set(Attachment.objects.values_list("sha256", flat=True))
    for key, note in acks.items():
        row = keys.get(key)
        if row is None:
            continue
        if (row.effect, row.effect_id) != (note["label"], note["pk"]):
            yield f"another effect than was told: {note}, {row.effect} {row.effect_id}"
        record: Model | None = found[note["label"]].get(note["pk"]) if note["label"] else None
        if note["label"] and record is None:
            yield f"the record is gone: {note}"
        elif record is not None and any(note[name] != value for name, value in facts_of(record).items()):
            yield f"the record changed: {note}, now {facts_of(record)}"
        if note["command"] == "attach" and (note["number"] in files) == (note["number"] in removed):
            yield f"the file is gone, or still there: {note}"


def _grown(keys: Iterable[Any], before: Counter[str]) -> Iterable[str]:
    """Documents that no form made, or that a form made twice: each key has one, and nothing else made any."""
    made: Counter[str] = Counter()
    for row in keys:
        name = row.command.removeprefix(OURS)
        makes = COMMANDS[name].makes
        made[makes._meta.label_lower if makes else row.effect] += bool(makes) or name == "reverse"
        made[Attachment._meta.label_lower] -= name == "detach"
    now = counts()
    for label in sorted(now):
        if now[label] - before[label] != made[label]:
            yield f"{label}: {now[label] - before[label]} more rows, {made[label]} forms"


def seconds(notes: Notes) -> dict[str, float]:
    """How long people waited for answers: half of them, 99 of 100, the longest; and over a restart of the server."""
    answered = [note for note in notes if note["what"] in ("ack", "replay")]
    times = sorted(note["seconds"] for note in answered if not note.get("lost"))
    over = [note["seconds"] for note in answered if note.get("lost")]
    middle, most = times[len(times) // 2], times[len(times) * 99 // 100]
    return {"p50": middle, "p99": most, "longest": times[-1], "longest over a restart": max(over, default=0)}
