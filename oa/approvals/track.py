"""The path of a request as its page shows it: what was decided and why, who is asked, what comes (X-09, X-13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from kit.pages.panels import Event
from oa.approvals.conditions import in_words
from oa.approvals.forecast import forecast, names, note_in_words
from oa.approvals.models import ApprovalAction, ApprovalRequest, ApprovalTask
from oa.approvals.models.flows import NodeKind
from oa.approvals.models.log import VERDICTS, Act
from oa.approvals.registry import Approvable, approvables
from oa.records.models import PersonSignature

ICONS = {
    "submit": "send", "resubmit": "send", "approve": "check", "handle": "check", "reject": "x",
    "return": "corner-up-left", "transfer": "arrow-right-left", "delegate": "message-circle-question-mark",
    "advise": "message-square",
    "add": "user-plus", "remove": "user-minus", "cc": "copy", "urge": "bell", "edit": "pencil", "withdraw": "undo-2",
    "take_back": "undo-2", "cancel": "ban", "system": "settings", "effect": "circle-check",
}  # fmt: skip
TONES = {"approve": "ok", "reject": "bad", "return": "warn", "effect": "ok", "cancel": "bad"}


@dataclass(frozen=True)
class Voice:
    """What one person did at a step, or that they are asked."""

    who: str
    state: Any
    tone: str
    text: str = ""
    at: dt.datetime | None = None
    due: dt.datetime | None = None
    took: str = ""
    removable: int | None = None
    signature: PersonSignature | None = None


@dataclass
class Stop:
    """One stop of the path; `css` is done, now, no or empty for what comes."""

    name: Any
    css: str = ""
    note: str = ""
    why: str = ""
    rule: str = ""
    voices: list[Voice] = field(default_factory=list)
    people: str = ""
    took: str = ""


def path_of(request: ApprovalRequest) -> list[Stop]:
    """All stops of a request: those behind it with opinions and times, those ahead with names."""
    try:
        approvable = approvables.get(request.kind)
    except LookupError:
        return []
    said: dict[int, ApprovalAction] = {}
    for action in request.actions.filter(act__in=VERDICTS).select_related("by", "behalf", "signature"):
        said[action.task_id or 0] = action
    tasks = ApprovalTask.objects.select_related("user").order_by("slot", "pk")
    nodes = request.nodes.select_related("step").prefetch_related(Prefetch("tasks", tasks)).order_by("pk")
    stops = [Stop(_("Submitted by %s") % request.applicant, "done", voices=[])]
    stops[0].voices.append(Voice("", "", "", at=request.submitted_at))
    shown = [node for node in nodes if node.state != "void" or any(t.pk in said for t in node.tasks.all())]
    stops += [_stop(node, said, approvable) for node in shown]
    if request.state in ("running", "returned"):
        stops += _ahead(request, approvable)
    return stops


def _stop(node: Any, said: dict[int, ApprovalAction], approvable: Approvable) -> Stop:
    css = {"approved": "done", "void": "done", "rejected": "no", "returned": "no", "running": "now"}
    state = str(node.get_state_display()) if node.state in ("void", "returned") else ""
    tasks = [t for t in node.tasks.all() if t.state != "transferred"]
    return Stop(
        node.step.name if node.step is not None else _("Administrator"),
        css.get(node.state, ""),
        " · ".join(part for part in (note_in_words(node.note), state) if part),
        in_words(node.why, approvable.known) if node.why else "",
        _needed(node, tasks),
        [_voice(task, said.get(task.pk)) for task in tasks],
        took=spent(node.entered_at, node.decided_at) if len(tasks) > 1 else "",
    )


def _needed(node: Any, tasks: Sequence[ApprovalTask]) -> str:
    slots = len({task.slot for task in tasks})
    if node.kind != NodeKind.APPROVE or slots < 2:
        return ""
    return _("%(needed)s of %(all)s must approve") % {"needed": node.needed, "all": slots}


def _voice(task: ApprovalTask, action: ApprovalAction | None) -> Voice:
    state = ApprovalTask.STATES[task.state]
    who = str(task.user)
    if action is not None and action.behalf is not None:
        who = _("%(proxy)s for %(person)s") % {"proxy": action.by, "person": action.behalf}
    text = action.text if action is not None else ""
    label: Any = state.label
    if action is not None and action.act in (Act.HANDLE, Act.ADVISE):
        label = Act(action.act).label
    removable = task.pk if task.role == "added" and task.state in ("running", "waiting") else None
    at = action.at if action is not None else None
    due = task.due_at if task.state == "running" else None
    took = spent(task.started_at, at)
    signature = action.signature if action is not None else None
    return Voice(who, label, state.tone, text, at, due, took, removable, signature)


def spent(start: dt.datetime | None, end: dt.datetime | None) -> str:
    """How long something took, in words (rule X-13); empty while it is not over."""
    if start is None or end is None:
        return ""
    minutes = max(1, round((end - start).total_seconds() / 60))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return _("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    return _("%s min") % minutes


def _ahead(request: ApprovalRequest, approvable: Approvable) -> list[Stop]:
    """Steps that will be asked if everybody approves."""
    planned = forecast(
        request.flow_version, approvable, request.facts, request.applicant, request.department_id, request.choices
    )
    behind: dict[int, str] = {}
    for node in request.nodes.exclude(step=None).order_by("pk"):
        behind[node.step_id or 0] = node.state if node.facts_hash == request.facts_hash else "void"
    return [
        Stop(
            p.step.name,
            note=p.choice or note_in_words(p.asked.note),
            why=p.why,
            rule=p.rule,
            people="" if p.choice else names(p.asked.people),
        )
        for p in planned.needed
        if behind.get(p.step.pk) not in ("approved", "running")
    ]


def events_of(request: ApprovalRequest, user: Any, limit: int) -> Sequence[Event]:
    """The history of a request, the newest first (rule X-13)."""
    rows = request.actions.select_related("by", "behalf", "target", "node__step").order_by("-pk")[:limit]
    return [event_of(row) for row in rows]


def event_of(row: ApprovalAction) -> Event:
    """One thing that happened, as an entry of the timeline."""
    who = str(row.by) if row.by is not None else _("System")
    if row.behalf is not None:
        who = _("%(proxy)s for %(person)s") % {"proxy": who, "person": row.behalf}
    parts = [str(row.get_act_display())]
    if row.node is not None:
        parts.append(f"“{row.node}”")
    if row.target is not None:
        parts.append(f"→ {row.target}")
    if row.act == Act.SYSTEM:
        parts.append(note_in_words(row.data.get("note", "")) or _("reminded"))
    return Event(
        row.at, who, " ".join(parts), ICONS.get(row.act, "dot"), TONES.get(row.act, ""), body=row.text, kind="documents"
    )
