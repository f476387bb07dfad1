"""Official documents and seals in the approval engine: co-signing and signature are its steps (X-06 to X-08)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError
from oa.approvals.conditions import CHOICE, FLAG, RECORD, Fact
from oa.approvals.contents import departments_up
from oa.approvals.models import ApprovalRequest
from oa.approvals.registry import Approvable, approvables
from oa.official.models import DocumentClass, OutgoingDocument, Seal, SealRequest
from oa.official.models.documents import KIND
from oa.official.models.levels import Secrecy, Urgency, level_of
from oa.official.models.seals import SEAL_KIND, SEAL_STATES
from oa.official.models.states import OUTGOING
from oa.official.services import outgoing, seals
from oa.official.services.turns import ask, drop_turns, open_next, owner_of, say
from oa.official.services.writing import digest_of
from oa.organisation.models import Department
from oa.records.audiences import describe
from oa.records.bulk import locked


def _facts(document: OutgoingDocument) -> dict[str, Any]:
    return {
        "class": str(document.document_class_id),
        "secrecy": str(document.secrecy),
        "urgency": document.urgency,
        "department": departments_up(document.department_id),
    }


def _content(document: OutgoingDocument) -> dict[str, Any]:
    """What is signed; of a classified document only the digest, for a request has readers of its own (N-10)."""
    if document.secrecy != Secrecy.PUBLIC:
        return {"digest": digest_of(document)}
    return {
        "title": document.title,
        "body": document.body,
        "class": str(document.document_class),
        "word": str(document.unit_word),
        "to": describe(document),
        "outside": document.outside,
        "copies": document.copy_outside,
    }


def _summary(document: OutgoingDocument) -> list[tuple[Any, Any]]:
    facts = [
        (_("Class"), document.document_class),
        (_("Secrecy"), document.get_secrecy_display()),
        (_("Urgency"), document.get_urgency_display()),
    ]
    if document.secrecy != Secrecy.PUBLIC:
        return facts
    return [*facts, (_("Title"), document.title), (_("Text"), document.body)]


def _lock(document: OutgoingDocument) -> None:
    """Only what was checked goes into approval, or what the approval itself returned."""
    if document.state == "returned" and not _returned_by_flow(document):
        raise BusinessError(_("It has to be checked first."))
    document.state = OUTGOING.check("lock", document).target
    document.version += 1
    document.save()
    drop_turns(document)


def _returned_by_flow(document: OutgoingDocument) -> bool:
    return ApprovalRequest.objects.filter(kind=KIND, object_id=document.pk, state="returned").exists()


def _unlock(document: OutgoingDocument) -> None:
    document.state = OUTGOING.check("unlock", document).target
    document.version += 1
    document.save()
    say(document, "return", "", by=None)
    ask(document, "submit", owner_of(document), None, by=None)
    open_next(document, by=None)


def _effect(document: OutgoingDocument, by: Any) -> None:
    """The last approval is the signature: frozen and numbered in its transaction."""
    document = locked(OutgoingDocument.objects.all(), document.pk)
    if by is not None and document.secrecy > level_of(by):
        raise BusinessError(_("You are not cleared for this document."))
    outgoing.signed(document, "approve", by=by)


def _named(model: Any) -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in model.objects.all()]


approvables.register(
    Approvable(
        kind=KIND,
        label=gettext_lazy("Outgoing document"),
        model=OutgoingDocument,
        fields=(
            Fact("class", gettext_lazy("class"), RECORD, lambda: _named(DocumentClass)),
            Fact("secrecy", gettext_lazy("secrecy"), CHOICE, lambda: [(str(v), str(w)) for v, w in Secrecy.choices]),
            Fact("urgency", gettext_lazy("urgency"), CHOICE, lambda: list(Urgency.choices)),
            Fact("department", gettext_lazy("department"), RECORD, lambda: _named(Department), department=True),
        ),
        facts=_facts,
        content=_content,
        lock=_lock,
        unlock=_unlock,
        effect=_effect,
        summary=_summary,
        title=lambda document: document.open_title,
        batch=False,
        icon="stamp",
    )
)


def _seal_facts(request: SealRequest) -> dict[str, Any]:
    return {
        "seal": str(request.seal_id),
        "lend": request.lend,
        "department": departments_up(request.department_id),
    }


def _seal_content(request: SealRequest) -> dict[str, Any]:
    return {
        "document": request.title,
        "seal": str(request.seal),
        "copies": request.copies,
        "counterpart": request.counterpart,
        "date": str(request.date),
        "back_on": str(request.back_on or ""),
        "note": request.note,
        "record": [request.content_type_id, request.object_id],
    }


def _seal_summary(request: SealRequest) -> list[tuple[Any, Any]]:
    return [
        (_("Document to seal"), request.title),
        (_("Seal"), request.seal),
        (_("Copies"), request.copies),
        (_("Counterpart"), request.counterpart),
        (_("Back on"), request.back_on or ""),
        (_("Reason"), request.note),
    ]


def _seal_move(name: str) -> Any:
    def move(request: SealRequest) -> None:
        if name == "lock":
            seals.check_submit(request)
            request.decided_by, request.decision = None, ""
        request.state = SEAL_STATES.check(name, request).target
        request.version += 1
        request.save()

    return move


def _seal_effect(request: SealRequest, by: Any) -> None:
    request = locked(SealRequest.objects.select_related("seal", "owner"), request.pk)
    if by is not None and by.pk == request.owner_id:
        raise BusinessError(_("Somebody else than the applicant has to decide."))
    request.decided_by = by
    seals.approved(request, "grant")


approvables.register(
    Approvable(
        kind=SEAL_KIND,
        label=gettext_lazy("Seal request"),
        model=SealRequest,
        fields=(
            Fact("seal", gettext_lazy("seal"), RECORD, lambda: _named(Seal)),
            Fact("lend", gettext_lazy("seal leaves the house"), FLAG),
            Fact("department", gettext_lazy("department"), RECORD, lambda: _named(Department), department=True),
        ),
        facts=_seal_facts,
        content=_seal_content,
        lock=_seal_move("lock"),
        unlock=_seal_move("unlock"),
        effect=_seal_effect,
        summary=_seal_summary,
        icon="stamp",
    )
)
