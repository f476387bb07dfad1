"""Official documents and seals on other pages: whose turn it is, opinions, recipients, and the desk's queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from kit.pages.actions import Action
from kit.pages.nav import tree
from kit.pages.panels import Panel, Task, Waiting, actions, panels, waiting
from kit.pages.resources import by_model, registry
from oa.approvals.panels import show_on
from oa.official import handing, sealpages
from oa.official.models import (
    IncomingDocument,
    OfficialOpinion,
    OfficialTurn,
    OutgoingDocument,
    OutgoingReceipt,
    SealRequest,
)
from oa.official.models.documents import KIND
from oa.official.models.levels import readable_by
from oa.official.services.receiving import copy_recipients, main_recipients
from oa.official.services.turns import permission_of, side_of, turns_of
from oa.official.services.writing import may_write
from oa.official.steps import by_flow, offered
from oa.records import attachments
from oa.records.audiences import describe
from oa.records.models.signatures import standing_on

__all__ = ["handing", "sealpages"]
SHOWN = 40  # turns beside a document
SAID = 20  # opinions on its page; all of them are behind a tab
SIDES: tuple[tuple[str, Any], ...] = (("outgoing", OutgoingDocument), ("incoming", IncomingDocument))

tree.group("official", gettext_lazy("Official documents"), "stamp", 85, gettext_lazy("Office"))


def step_url(document: Any, verb: str) -> str:
    """The page of a step."""
    side = type(document)._default_manager.all().side
    return reverse("official-step", args=[side, document.pk, verb])


def step_actions(document: Any, user: Any) -> Sequence[Action]:
    """The steps that the reader can do now; a returned document goes to the flow again where it came from."""
    made = []
    for verb in offered(document, user):
        transition = document.STATES.transition(verb)
        made.append(
            Action(
                transition.label, step_url(document, verb), icon=transition.icon, primary=transition.primary,
                danger=transition.danger, menu=verb == "cancel", name=verb,
                key="Ctrl+Enter" if transition.primary else "",
            )
        )  # fmt: skip
    return made


def outgoing_actions(document: Any, user: Any) -> Sequence[Action]:
    """To the approval flow, and to the comparison of texts."""
    made = []
    if document.state == "checked" and document.owner_id == user.pk and by_flow():
        url = reverse("approval-submit", args=(KIND, document.pk))
        made.append(Action(_("Submit for approval"), url, icon="send", primary=True, name="approval"))
    if document.edition > 1 and OutgoingDocument.objects.worked_by(user).filter(pk=document.pk).exists():
        url = reverse("official-compare", args=[document.pk])
        made.append(Action(_("Compare versions"), url, icon="columns-2", menu=True, name="compare"))
    return made


def turns(document: Any, user: Any) -> dict[str, Any]:
    """Whose turn it is and was, for those who work on it."""
    rows = turns_of(document).filter(dropped=False).select_related("user", "department", "done_by")
    if not type(document).objects.worked_by(user).filter(pk=document.pk).exists():
        rows = rows.none()
    return {"rows": list(rows.order_by("-done_at", "position", "pk")[:SHOWN])[::-1]}


def opinions(document: Any, user: Any) -> dict[str, Any]:
    """The newest opinions with the signatures of who gave them."""
    rows = OfficialOpinion.objects.visible_to(user).filter(**{side_of(document): document.pk})
    found = list(rows.select_related("by", "signature").order_by("-pk")[: SAID + 1])
    return {"rows": found[:SAID], "more": len(found) > SAID}


def text_of(document: Any, user: Any) -> dict[str, Any]:
    """The text as it stands, and who it goes to in words."""
    outgoing = isinstance(document, OutgoingDocument)
    return {
        "document": document,
        "paragraphs": [line.strip() for line in document.body.splitlines() if line.strip()],
        "to": describe(document) if outgoing else "",
        "reach": _reach(document) if outgoing and document.state == "sealed" else None,
    }


def _reach(document: OutgoingDocument) -> int:
    """How many people a distribution would reach."""
    main = set(main_recipients(document).values_list("pk", flat=True))
    return len(main | set(copy_recipients(document).values_list("pk", flat=True)))


def _turns(user: Any) -> Sequence[QuerySet[OfficialTurn]]:
    return [OfficialTurn.objects.filter(OfficialTurn.meant_for(user), done_at=None, opened_at__isnull=False)]


def my_turns(user: Any, limit: int) -> Sequence[Task]:
    """Steps of official documents that wait for me."""
    made: list[Task] = []
    [mine] = _turns(user)
    for side, model in SIDES:
        if not user.has_perm(f"oa.view_{model._meta.model_name}"):
            continue
        rows = mine.filter(readable_by(user, f"{side}__secrecy"), **{f"{side}__isnull": False})
        rows = rows.exclude(**{f"{side}__state__in": model.STATES.ended})
        for turn in rows.select_related(f"{side}__owner").order_by(f"{side}__due_on", "pk")[:limit]:
            if user.has_perm(permission_of(turn.document, turn.verb)):
                made.append(_task(turn))
    return made


def _task(turn: OfficialTurn) -> Task:
    document = turn.document
    url = by_model[type(document)].url_for(document)
    label = document.STATES.transition(turn.verb).label
    action = "" if turn.verb == "lock" else step_url(document, turn.verb)
    late = document.late or turn.urged
    return Task(
        by_model[type(document)].title, "bad" if late else "viol", str(document), url, str(document.owner or ""),
        document.due_on, label, action,
    )  # fmt: skip


def _unsigned(user: Any) -> Sequence[QuerySet[OutgoingReceipt]]:
    if not user.has_perm("oa.view_outgoingdocument"):
        return []
    rows = OutgoingReceipt.objects.filter(user=user.pk, confirmed_at=None, opened_at__isnull=False)
    return [rows.filter(record__state="distributed").filter(readable_by(user, "record__secrecy"))]


def to_receive(user: Any, limit: int) -> Sequence[Task]:
    """Documents that were distributed to me and that I have not signed for."""
    return [
        Task(
            gettext_lazy("To sign for"), "info", str(row.record), by_model[OutgoingDocument].url_for(row.record), "",
            timezone.localtime(row.opened_at).date() if row.opened_at else None,
            pgettext_lazy("official document", "Sign"), step_url(row.record, "receive"),
        )
        for rows in _unsigned(user) for row in rows.select_related("record").order_by("pk")[:limit]
    ]  # fmt: skip


def _seals(user: Any) -> Sequence[QuerySet[SealRequest]]:
    if not user.has_perm("oa.view_sealrequest"):
        return []
    mine = Q(seal__keeper=user.pk, state__in=("approved", "touse", "lent"))
    if user.has_perm("oa.approve_sealrequest"):
        mine |= Q(state="submitted") & ~Q(owner=user.pk) & ~Q(created_by=user.pk)
    return [SealRequest.objects.filter(mine)]


def seals_waiting(user: Any, limit: int) -> Sequence[Task]:
    """Seal requests that wait for my decision or my seal, and seals that should be back."""
    resource = by_model[SealRequest]
    return [
        Task(
            gettext_lazy("Seal"), "bad" if row.late else "warn", str(row), resource.url_for(row),
            f"{row.seal} · {row.owner}", row.back_on or row.date, SealRequest.STATES[row.state].label,
        )
        for rows in _seals(user) for row in rows.select_related("seal", "owner").order_by("back_on", "pk")[:limit]
    ]  # fmt: skip


def _outgoing_closed(document: Any, by: Any) -> bool:
    """Files belong to the text, and are fixed with it."""
    return not may_write(document, by)


def _incoming_closed(document: Any, by: Any) -> bool:
    return document.state in ("filed", "cancelled") or not registry["incomingdocument"].may(by, "view")


def _turn_document(turn: Any, user: Any) -> Sequence[Action]:
    """From a line of the supervision to its document."""
    document = turn.document
    return [Action(_("Open"), by_model[type(document)].url_for(document), icon="arrow-right", name="open")]


attachments.closed_to[KIND] = _outgoing_closed
attachments.closed_to["oa.incomingdocument"] = _incoming_closed
for _side, _model in SIDES:
    _label = _model._meta.label_lower
    actions[_label].append(step_actions)
    panels[_label] += [
        Panel("text", gettext_lazy("Text"), "main", template="oa/official/text.html", context=text_of, order=5),
        Panel("turns", gettext_lazy("Who acts"), "side", template="oa/official/turns.html", context=turns, order=3),
        Panel(
            "opinions", gettext_lazy("Opinions"), "main", template="oa/official/opinions.html", context=opinions,
            permission="oa.view_officialopinion", order=10,
        ),
        Panel(
            "opinions-all", gettext_lazy("Opinions"), "tab", "officialopinion", _side, ("verb", "by", "at", "text"),
            permission="oa.view_officialopinion", order=10,
        ),
    ]  # fmt: skip
panels["oa.officialopinion"].append(
    Panel("signature", gettext_lazy("Signature"), "side", template="oa/official/signed.html", order=5)
)
actions[KIND].append(outgoing_actions)
actions["oa.officialturn"].append(_turn_document)
show_on(KIND)
panels[KIND] += [
    Panel(
        "recipients", gettext_lazy("Recipients"), "tab", "outgoingreceipt", "record",
        ("position", "user", "user__department", "copy", "opened_at", "confirmed_at"),
        permission="oa.view_outgoingreceipt", order=20,
    ),
    Panel(
        "versions", gettext_lazy("Versions"), "tab", "outgoingtext", "outgoing",
        ("number", "title", "state", "by", "at"),
        permission="oa.view_outgoingtext", order=30,
    ),
]  # fmt: skip
standing_on.append(OfficialOpinion.objects.visible_to)
waiting += [
    Waiting(_turns, my_turns, exact=False),
    Waiting(_unsigned, to_receive),
    Waiting(_seals, seals_waiting),
]
