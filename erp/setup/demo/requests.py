"""Approval requests in bulk: each story is played by the services, then told again of others with the guards in force.

What the engine wrote for the person of a story (nodes, tasks, history) is written for others of the same place in the
company: their own line of managers stands where that of the first one stood. Verdicts come in as they do in life: a
task is asked, the history names who decided it, then the task says so, and the database checks each of it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import connection, models
from django.utils import timezone
from psycopg.types.json import Jsonb

from erp.setup.demo.copies import last_key
from erp.setup.demo.stories import STORIES, Story, fill_in, put_into_force
from erp.setup.demo.world import World
from oa.approvals import services
from oa.approvals.contents import digest, facts_of
from oa.approvals.models import (
    ApprovalAction,
    ApprovalCopy,
    ApprovalNode,
    ApprovalRequest,
    ApprovalTask,
    FormRequest,
    RequestForm,
)
from oa.approvals.models.log import VERDICTS
from oa.approvals.registry import COMMON, Approvable, approvables
from oa.approvals.services.forms import cleaned, save_request, title_of
from oa.organisation.lines import chains_of
from oa.organisation.models import User
from oa.records.numbering import next_numbers

CHUNK = 5_000
RUN: tuple[type[models.Model], ...] = (ApprovalNode, ApprovalTask, ApprovalAction, ApprovalCopy)  # with `request`
TABLES: tuple[type[models.Model], ...] = (FormRequest, ApprovalRequest, *RUN)
CLOCKS = ("due_at", "remind_at")  # run from the start of the task
OPEN = ("running", "returned")

# The history decides: a task is asked until its verdict is written.
_DECIDED = """
UPDATE oa_approvaltask t
   SET state = CASE a.act WHEN 'reject' THEN 'rejected' WHEN 'return' THEN 'returned' ELSE 'approved' END
  FROM oa_approvalaction a WHERE a.task_id = t.id AND a.act = ANY(%s) AND a.id > %s AND t.state = 'running'
"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """A story as the engine wrote it: its rows, the moments at which something happened, and who was who."""

    story: Story
    document: FormRequest
    request: ApprovalRequest
    rows: dict[type[models.Model], list[Row]]
    places: dict[int, int]  # person -> place in the line: the applicant, the manager and so on

    @cached_property
    def approvable(self) -> Approvable:
        """The kind of the request, asked once."""
        return approvables.get(self.request.kind)

    @cached_property
    def moments(self) -> list[dt.datetime]:
        """When something happened, the submission first."""
        return sorted({row["at"] for row in self.rows[ApprovalAction]})

    def moment(self, at: dt.datetime) -> int:
        """The position of the moment that a time belongs to."""
        return max(0, bisect_right(self.moments, at) - 1)


@dataclass
class Filing:
    """The rows that are to be written, and the keys given so far."""

    last: dict[type[models.Model], int]
    rows: dict[type[models.Model], list[Row]] = field(default_factory=lambda: defaultdict(list))

    def key(self, model: type[models.Model]) -> int:
        """The next key of a table."""
        self.last[model] += 1
        return self.last[model]


def file_requests(world: World, wanted: int, say: Callable[[str], None]) -> None:
    """Let the people of the teams make requests until there are `wanted`."""
    put_into_force(world)
    team = User.objects.filter(groups__role__code="employee").select_related("department", "position").order_by("pk")
    people = list(team)
    lines = {user.pk: [user.pk] for user in people}
    for key, chain in chains_of(lines).items():
        lines[key] += [boss.pk for boss in chain]
    told = [_play(world, story, people[place % len(people)], lines) for place, story in enumerate(STORIES)]
    facts = _facts(people, told[0])
    weights = [one.story.weight for one in told]
    filing = Filing({model: last_key(model) for model in TABLES})
    missing = max(0, wanted - ApprovalRequest.objects.count())
    for start in range(0, missing, CHUNK):
        for one in world.dice.choices(told, weights, k=min(CHUNK, missing - start)):
            user = world.dice.choice(people)
            _again(world, filing, one, user, lines[user.pk], facts[user.department_id, user.position_id])
        part = start // CHUNK
        _write(filing, learn=part & (part - 1) == 0)
        if not (start + CHUNK) % 20_000:
            say(f"  {start + CHUNK:,} of {missing:,} requests")


def _facts(people: Sequence[User], one: Told) -> dict[Any, dict[str, Any]]:
    """What conditions may ask of people of a department and position."""
    facts: dict[Any, dict[str, Any]] = {}
    common = {fact.name for fact in COMMON}
    for user in people:
        place = user.department_id, user.position_id
        if place not in facts:
            known = facts_of(one.approvable, one.document, user, user.department_id)
            facts[place] = {name: value for name, value in known.items() if name in common}
    return facts


# ---- a story, told once ----


def _play(world: World, story: Story, user: User, lines: dict[int, list[int]]) -> Told:
    """Let it happen through the commands that people use."""
    form = RequestForm.objects.get(code=story.form)
    draft = world.let(user, save_request, FormRequest(form=form), fill_in(form, story, world.today, world.dice))
    request = world.let(user, services.submit, draft, kind=form.kind)
    for deed in story.deeds:
        _do(world, deed, request, user)
    request.refresh_from_db()
    rows = {model: list(model._default_manager.filter(request=request).order_by("pk").values()) for model in RUN}
    document = FormRequest.objects.select_related("form").get(pk=draft.pk)
    return Told(story, document, request, rows, {key: place for place, key in enumerate(lines[user.pk])})


def _do(world: World, deed: str, request: ApprovalRequest, user: User) -> None:
    if deed == "w":
        world.let(user, services.withdraw, request, reason="不再需要")
        return
    if deed == "c":
        world.let(world.people["admin"], services.cancel, request, reason="重复提交")
        return
    task = request.tasks.filter(state="running").order_by("pk").select_related("user")[0]
    if deed == "a":
        world.let(task.user, services.approve, task, text="同意")
    elif deed == "r":
        world.let(task.user, services.reject, task, text="理由不充分")
    else:
        world.let(task.user, services.send_back, task, stage=0, text="请补充说明")


# ---- the same of somebody else ----


def _again(
    world: World, filing: Filing, one: Told, user: User, line: Sequence[int], about: dict[str, Any]
) -> None:  # fmt: skip
    """The rows of one more request."""
    times = _times(world, one)
    day = timezone.localdate(times[0])
    document = FormRequest(
        form=one.document.form, fields=one.document.fields, state=one.document.state, version=one.document.version,
        date=day, owner=user, department_id=user.department_id, created_by=user, created_at=times[0],
        updated_at=times[-1], pk=filing.key(FormRequest),
    )  # fmt: skip
    document.values = cleaned(document.fields, fill_in(document.form, one.story, day, world.dice))
    document.title = title_of(document)
    filing.rows[FormRequest].append(_columns(document))
    _run_again(filing, one, document, line, times, about)


def _times(world: World, one: Told) -> list[dt.datetime]:
    """When it was submitted and decided: what is open waits since a few hours or days, the rest is of the past year."""
    steps = [dt.timedelta(minutes=world.dice.randint(20, 1_800)) for _moment in one.moments[1:]]
    days = (0.02, 2.9) if one.request.state in OPEN else (4.0, 355.0)
    times = [timezone.now() - dt.timedelta(days=world.dice.uniform(*days)) - sum(steps, dt.timedelta())]
    for step in steps:
        times.append(times[-1] + step)
    return times


def _run_again(
    filing: Filing, one: Told, document: FormRequest, line: Sequence[int], times: list[dt.datetime], about: dict[str, Any]
) -> None:  # fmt: skip
    facts = {**one.approvable.facts(document), **about}
    content = {**one.approvable.content(document), "files": []}
    hashes = {"facts_hash": digest(facts), "content_hash": digest(content)}
    keys: dict[tuple[type[models.Model], int], int] = {}
    request = {
        **_columns(one.request), "id": filing.key(ApprovalRequest), "object_id": document.pk, "title": document.title[:300],
        "amount": facts.get("amount"), "applicant_id": line[0], "created_by_id": line[0],
        "department_id": document.department_id, "facts": facts, "content": content, **hashes,
        "submitted_at": times[0], "created_at": times[0], "updated_at": times[-1],
        "decided_at": times[-1] if one.request.decided_at else None,
    }  # fmt: skip
    filing.rows[ApprovalRequest].append(request)
    keys[ApprovalRequest, one.request.pk] = request["id"]
    for model in RUN:
        for row in one.rows[model]:
            key = keys[model, row["id"]] = filing.key(model)
            made = {name: _told_of(one, model, name, row, keys, line, times) for name in row}
            made |= {name: value for name, value in hashes.items() if name in row}
            filing.rows[model].append({**made, "id": key})


def _told_of(
    one: Told, model: type[models.Model], name: str, row: Row, keys: dict[Any, int], line: Sequence[int],
    times: list[dt.datetime],
) -> Any:  # fmt: skip
    """One value of a row of the story, as it is of somebody else at another time."""
    value = row[name]
    kind = _KINDS[model, name]
    if kind == "nothing":
        return None
    if value is None or kind is None:
        return value
    if kind is User:
        return line[one.places[value]] if value in one.places else value
    if isinstance(kind, type):
        return keys[kind, value]
    if kind == "day":
        return timezone.localdate(times[one.moment(row["at"])])
    since = row["started_at"] if name in CLOCKS else value
    return times[one.moment(since)] + (value - since)


def _kinds() -> Iterator[tuple[tuple[type[models.Model], str], Any]]:
    """What becomes of a column: a model whose key it holds, "time", "day", "nothing", or None where it stays."""
    for model in RUN:
        for column in model._meta.concrete_fields:
            kind: Any = None
            if column.name == "signature":
                kind = "nothing"  # it is of the one whose story is told
            elif column.is_relation and column.related_model in {User, ApprovalRequest, *RUN}:
                kind = column.related_model
            elif isinstance(column, models.DateTimeField):
                kind = "time"
            elif isinstance(column, models.DateField):
                kind = "day"
            yield (model, column.attname), kind


_KINDS: dict[tuple[type[models.Model], str], Any] = dict(_kinds())


def _columns(row: models.Model) -> Row:
    """The stored columns of a row."""
    return {column.attname: getattr(row, column.attname) for column in _stored(type(row))}


def _stored(model: type[models.Model]) -> list[Any]:
    return [column for column in model._meta.concrete_fields if not isinstance(column, models.GeneratedField)]


# ---- into the database ----


def _write(filing: Filing, *, learn: bool) -> None:
    """All rows of a chunk, table by table; approved documents get their numbers in the order of their days.

    `learn`: the server looks at the tables again, for how it checks a row was planned while they were small.
    """
    _number(filing.rows[FormRequest])
    verdicts = {row["task_id"] for row in filing.rows[ApprovalAction] if row["act"] in VERDICTS}
    for row in filing.rows[ApprovalTask]:
        if row["id"] in verdicts:
            row["state"] = "running"
    before = filing.rows[ApprovalAction][0]["id"] - 1
    with connection.cursor() as cursor:
        for model in TABLES:
            _copy(cursor, model, filing.rows[model])
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)",
                [model._meta.db_table, max(1, filing.last[model])],
            )
            if learn:
                cursor.execute(f"ANALYZE {model._meta.db_table}")
        cursor.execute(_DECIDED, [[str(act) for act in VERDICTS], before])
    filing.rows.clear()


def _number(documents: list[Row]) -> None:
    approved = defaultdict(list)
    for row in documents:
        if row["state"] == "approved":
            approved[row["date"].replace(day=1)].append(row)
    for month, rows in sorted(approved.items()):
        rows.sort(key=lambda row: (row["date"], row["id"]))
        for row, number in zip(rows, next_numbers(FormRequest.SEQUENCE, month, len(rows)), strict=True):
            row["number"] = number


def _copy(cursor: Any, model: type[models.Model], rows: list[Row]) -> None:
    columns = [(column.attname, column.column, isinstance(column, models.JSONField)) for column in _stored(model)]
    names = ", ".join(f'"{name}"' for _attname, name, _json in columns)
    with cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([Jsonb(row[name]) if json else row[name] for name, _column, json in columns])
