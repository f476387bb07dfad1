"""The approval sheet: what was decided about, by whom, when and with which words, on paper (rule X-13)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from kit.exchange.printing import Print, picture, register
from kit.pages import formats
from kit.values.errors import BusinessError
from oa.approvals.contents import contents_of, document_of
from oa.approvals.models import ApprovalRequest
from oa.approvals.models.log import VERDICTS, Act
from oa.approvals.registry import Approvable, approvables
from oa.approvals.showing import may_read
from oa.approvals.track import Stop, event_of, path_of, spent
from oa.organisation.letterhead import letterhead

# What stands in the table of steps already, or says nothing about the decision.
UNTOLD = (*VERDICTS, Act.SUBMIT, Act.EFFECT, Act.URGE)


def approval_sheet(request: ApprovalRequest, language: str) -> dict[str, Any]:
    """The data of `templates/print/approval.typ` in a language."""
    with translation.override(language):
        return _sheet(request)


def _sheet(request: ApprovalRequest) -> dict[str, Any]:
    try:
        approvable: Approvable = approvables.get(request.kind)
    except LookupError:
        raise BusinessError(_("This kind of document is not known any more.")) from None
    document: Any = document_of(request)
    table = approvable.lines(document)
    stops = path_of(request)[1:]
    return {
        "lang": translation.get_language() or "en",
        "title": _("Approval sheet"),
        "subtitle": request.title,
        "number": f"{approvable.label} {getattr(document, 'number', None) or ''}".strip(),
        "printed": _("Printed %s") % formats.moment(timezone.now()),
        "page_label": _("Page {n} of {total}"),
        "company": letterhead(),
        "facts": [[str(label), str(value)] for label, value in _facts(request) if value not in ("", None)],
        "about": _("What is decided"),
        "summary": [[str(a), str(b)] for a, b in approvable.summary(document) if b not in ("", None)],
        "changed": _changed(request, approvable, document),
        "heads": [[str(label), numeric] for label, numeric in table.headers] if table is not None else [],
        "lines": [[text for text, *_rest in row] for row in table.rows] if table is not None else [],
        "files_label": _("Attachments"),
        "files": [name for name, *_rest in request.content.get("files", [])],
        "steps_label": _("Steps"),
        "step_heads": [
            _("Step"),
            _("Person"),
            pgettext("approval", "Decision"),
            _("Opinion"),
            pgettext("approval", "Decided at"),
            _("Time spent"),
        ],
        "steps": [_submitted(request), *(row for stop in stops for row in _rows(stop))],
        "marks": [None, *(mark for stop in stops for mark in _marks(stop))],
        "signatures": _signatures(stops),
        "events_label": _("Other events"),
        "events": _events(request),
        "check": f"SHA-256 {request.content_hash}",
    }


def _facts(request: ApprovalRequest) -> Iterator[tuple[Any, Any]]:
    yield _("Applicant"), request.applicant
    yield _("Department"), request.department
    yield _("Amount"), formats.money(request.amount)
    yield _("Flow"), request.flow_version
    yield _("State"), str(request.get_state_display()).capitalize()
    yield _("Submitted"), formats.moment(request.submitted_at)
    yield _("Decided"), formats.moment(request.decided_at)
    yield _("Time spent"), spent(request.submitted_at, request.decided_at)
    yield _("Reason"), request.reason


def _changed(request: ApprovalRequest, approvable: Approvable, document: Any) -> str:
    """A warning where the document does not say any more what was decided about (rule X-08)."""
    now = contents_of(approvable, document, request.applicant, request.department_id)
    return "" if now.content_hash == request.content_hash else _("The document was changed since.")


def _submitted(request: ApprovalRequest) -> list[str]:
    """The first row of the table: who asked, with the note for the approvers."""
    first = request.actions.filter(act=Act.SUBMIT).first()
    note = first.text if first is not None else ""
    return [
        pgettext("approval step", "Submitted"),
        str(request.applicant),
        "",
        note,
        formats.moment(request.submitted_at),
        "",
    ]


def _rows(stop: Stop) -> list[list[str]]:
    """A stop as rows of the table, one a person; the name of the step stands in the first."""
    name = "\n".join(str(part) for part in (stop.name, stop.note) if part)
    if not stop.voices:
        return [[name, stop.people, "" if stop.css else _("not asked yet"), "", "", stop.took]]
    return [
        [
            "" if number else name,
            voice.who,
            str(voice.state).capitalize(),
            voice.text,
            formats.moment(voice.at),
            voice.took,
        ]
        for number, voice in enumerate(stop.voices)
    ]


def _marks(stop: Stop) -> list[str | None]:
    """Which signature stands in each row of a stop."""
    return [str(voice.signature.key) if voice.signature else None for voice in stop.voices] or [None]


def _signatures(stops: Iterable[Stop]) -> dict[str, Any]:
    """The pictures of signatures by key, each read once."""
    rows = {voice.signature.key: voice.signature for stop in stops for voice in stop.voices if voice.signature}
    return {str(key): picture(row.file) for key, row in rows.items()}


def _events(request: ApprovalRequest) -> list[list[str]]:
    """Time, person and deed of what else happened, the first one first."""
    rows = request.actions.exclude(act__in=UNTOLD).select_related("by", "behalf", "target", "node__step")
    found = [event_of(row) for row in rows.order_by("pk")]
    return [[formats.moment(e.at), e.who, f"{e.text}: {e.body}" if e.body else e.text] for e in found]


register(
    Print(
        "approval-sheet",
        "oa.approvalrequest",
        gettext_lazy("Approval sheet"),
        approval_sheet,
        "approval.typ",
        allowed=may_read,
    )
)
