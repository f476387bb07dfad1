"""Seals: requests, approval, use and lending by the keeper (spec office 5.8.3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.approvals.services.submission import version_in_force
from oa.official.models import Seal, SealRequest
from oa.official.models.seals import OPEN, SEAL_KIND, SEAL_STATES
from oa.official.sealable import hindrance
from oa.official.services.turns import holders
from oa.records.bulk import locked
from oa.records.commands import command
from oa.records.notifications import notify


def linked(request: SealRequest) -> Any:
    """The record that is to be sealed, whoever may see it."""
    if request.content_type_id is None:
        return None
    model: Any = request.content_type.model_class()  # type: ignore[union-attr]
    return model._default_manager.filter(pk=request.object_id).first() if model else None


@command
def save_request(request: SealRequest, *, by: Any) -> SealRequest:
    """Write a request, or change one that is not decided."""
    before = SealRequest.objects.select_for_update().filter(pk=request.pk).first() if request.pk else None
    if before is not None:
        if before.state not in ("draft", "rejected") or (by is not None and by.pk != before.owner_id):
            raise BusinessError(_("%s is not yours to change now.") % before)
        request.state = before.state
    if request.lend and request.back_on is None:
        raise BusinessError(_("Say when the seal comes back."), field="back_on")
    if request.back_on is not None and request.back_on < request.date:
        raise BusinessError(_("It cannot be back before it is taken."), field="back_on")
    if not request.lend:
        request.back_on = None
    request.owner = request.owner or by
    request.created_by = request.created_by or by
    if request.department is None and by is not None:
        request.department = by.department
    request.save()
    return request


def _begin(request: SealRequest, name: str, by: Any) -> SealRequest:
    request = locked(SealRequest.objects.select_related("seal", "owner"), request.pk)
    SEAL_STATES.check(name, request)
    return request


def _store(request: SealRequest, name: str) -> SealRequest:
    request.state = SEAL_STATES.check(name, request).target
    request.version += 1
    request.save()
    return request


def _own(request: SealRequest, by: Any) -> None:
    if by is not None and by.pk != request.owner_id:
        raise BusinessError(_("Only %s can do this.") % request.owner)


def _keeper(request: SealRequest, by: Any) -> None:
    """The keeper does it, whoever else has the right."""
    if by is not None and (by.pk != request.seal.keeper_id or not by.has_perm("oa.use_sealrequest")):
        raise BusinessError(_("Only %s uses this seal.") % request.seal.keeper)


def _check_record(request: SealRequest) -> None:
    """Only what is approved is sealed, contracts among it."""
    why = hindrance(linked(request))
    if why:
        raise BusinessError(why)


def check_submit(request: SealRequest) -> None:
    """What holds for every way of submitting."""
    if not request.seal.active:
        raise BusinessError(_("%s is not in use any more.") % request.seal, field="seal")
    _check_record(request)


@command
def submit(request: SealRequest, *, by: Any) -> SealRequest:
    """Ask for it; where a flow is in force it is submitted to the flow instead."""
    request = _begin(request, "submit", by)
    _own(request, by)
    check_submit(request)
    if version_in_force(SEAL_KIND) is not None:
        raise BusinessError(_("There is an approval flow for this. Submit it for approval."))
    request.decided_by, request.decision = None, ""
    _store(request, "submit")
    people = [p for p in holders("oa.approve_sealrequest", 0) if p.pk != request.owner_id]
    notify(people, format_lazy(gettext_lazy("Seal to approve: {what}"), what=request), record=request)
    return request


def _decide(request: SealRequest, name: str, by: Any) -> SealRequest:
    request = _begin(request, name, by)
    if by is None or not by.has_perm("oa.approve_sealrequest"):
        raise BusinessError(_("You may not decide about seals."))
    if by.pk in (request.owner_id, request.created_by_id):
        raise BusinessError(_("Somebody else than the applicant has to decide."))
    request.decided_by = by
    return request


@command
def approve(request: SealRequest, *, by: Any) -> SealRequest:
    """Somebody else agrees; it is ready to use at once if its document may be sealed."""
    return approved(_decide(request, "approve", by), "approve")


def approved(request: SealRequest, name: str) -> SealRequest:
    """What approval means, by a person or by the flow."""
    _store(request, name)
    if not hindrance(linked(request)):
        _store(request, "ready")
    text = format_lazy(gettext_lazy("Seal to use: {what}"), what=request)
    notify([request.seal.keeper, *([request.owner] if request.owner else [])], text, record=request)
    return request


@command
def reject(request: SealRequest, *, by: Any, reason: str) -> SealRequest:
    """Somebody else refuses."""
    request = _decide(request, "reject", by)
    request.decision = reason.strip()[:300]
    _store(request, "reject")
    if request.owner:
        notify([request.owner], format_lazy(gettext_lazy("Seal refused: {what}"), what=request), record=request)
    return request


@command
def ready(request: SealRequest, *, by: Any) -> SealRequest:
    """The document may be sealed by now."""
    request = _begin(request, "ready", by)
    _keeper(request, by)
    _check_record(request)
    return _store(request, "ready")


def _take(request: SealRequest, name: str, by: Any) -> SealRequest:
    """The seal, locked, is here and in use, the document is approved, and it is the keeper who acts."""
    seal = locked(Seal.objects.all(), SealRequest.objects.values_list("seal", flat=True).get(pk=request.pk))
    request = _begin(request, name, by)
    _keeper(request, by)
    _check_record(request)
    if not seal.active:
        raise BusinessError(_("%s is not in use any more.") % seal)
    lent = SealRequest.objects.filter(seal=seal, state="lent").select_related("owner").first()
    if lent is not None:
        raise BusinessError(
            _("%(seal)s is lent out to %(who)s until %(day)s.") % {"seal": seal, "who": lent.owner, "day": lent.back_on}
        )
    request.used_by, request.used_at = by, timezone.now()
    return request


@command
def use(request: SealRequest, *, by: Any) -> SealRequest:
    """The keeper has stamped it; the scan is attached to the request."""
    request = _take(request, "use", by)
    if request.lend:
        raise BusinessError(_("This request is for taking the seal out: lend it out."))
    return _store(request, "use")


@command
def lend(request: SealRequest, *, by: Any, date: dt.date) -> SealRequest:
    """The keeper hands the seal out until a day; nobody else gets it before it is back."""
    request = _take(request, "lend", by)
    if not request.lend:
        raise BusinessError(_("This request is for stamping, not for taking the seal out."))
    if date < business_day():
        raise BusinessError(_("It cannot be back before it is taken."), field="date")
    request.back_on = date
    return _store(request, "lend")


@command
def give_back(request: SealRequest, *, by: Any) -> SealRequest:
    """The keeper has the seal again."""
    request = _begin(request, "back", by)
    _keeper(request, by)
    request.returned_at = timezone.now()
    return _store(request, "back")


@command
def cancel(request: SealRequest, *, by: Any, reason: str) -> SealRequest:
    """Given up by the applicant, or by the keeper."""
    request = _begin(request, "cancel", by)
    if by is not None and by.pk not in (request.owner_id, request.seal.keeper_id):
        raise BusinessError(_("Only %s can do this.") % request.owner)
    request.decision = reason.strip()[:300]
    return _store(request, "cancel")


def changeable(request: SealRequest, user: Any) -> bool:
    """Whether `user` may still change the request."""
    return request.state in OPEN and request.state != "submitted" and request.owner_id == user.pk
