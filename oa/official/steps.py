"""Every step of both ways as one table: what its form asks for, what it does, and who may do it now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from oa.approvals.services.submission import version_in_force
from oa.official.models import OfficialTurn, OutgoingDocument
from oa.official.models.documents import KIND
from oa.official.models.levels import level_of
from oa.official.services import incoming, outgoing, receiving
from oa.official.services.turns import open_turns, permission_of

NEXT = _("Who acts next")
OPINION = _("Opinion")


@dataclass(frozen=True)
class Step:
    """One step. Labels of what is asked for; empty: not asked. `turn`: the turn that whoever acts must have."""

    run: Callable[..., Any]
    people: Any = ""
    department: bool = False
    more: Any = ""
    serial: bool = False
    stamp: bool = False
    text: Any = OPINION
    needed: bool = False  # whether the text is
    turn: str = ""


OUTGOING_STEPS: dict[str, Step] = {
    "submit": Step(outgoing.submit, _("Who checks it"), True),
    "check": Step(outgoing.check, _("Who co-signs"), True, _("Who signs"), True, turn="check"),
    "cosign": Step(outgoing.cosign, turn="cosign"),
    "sign": Step(outgoing.sign, _("Who formats it"), True, turn="sign"),
    "format": Step(outgoing.format_document, _("Who seals it"), True, turn="format"),
    "seal": Step(outgoing.seal, _("Who distributes it"), True, stamp=True, turn="seal"),
    "distribute": Step(outgoing.distribute, _("Who files it"), True, turn="distribute"),
    "receive": Step(receiving.receive, text=_("Note")),
    "file": Step(outgoing.file, text=_("Where it is filed"), turn="file"),
    "return": Step(outgoing.send_back, text=_("Reason"), needed=True),
    "cancel": Step(outgoing.cancel, text=_("Reason"), needed=True),
}
INCOMING_STEPS: dict[str, Step] = {
    "propose": Step(incoming.propose, _("Who instructs"), True, text=_("Proposal"), needed=True, turn="propose"),
    "instruct": Step(
        incoming.instruct, _("Who handles it"), True, _("Who reads it"), True, text=_("Instruction"), needed=True,
        turn="instruct",
    ),
    "handle": Step(incoming.handle, text=_("What was done"), needed=True, turn="handle"),
    "circulate": Step(incoming.circulate, turn="circulate"),
    "feedback": Step(incoming.feed_back, text=_("Feedback"), needed=True, turn="feedback"),
    "close": Step(incoming.close, turn="close"),
    "file": Step(incoming.file, text=_("Where it is filed"), turn="file"),
    "reject": Step(incoming.send_back, text=_("Reason"), needed=True),
    "decline": Step(incoming.send_back, text=_("Reason"), needed=True),
    "cancel": Step(incoming.cancel, text=_("Reason"), needed=True),
}  # fmt: skip
BACK = {"return": ("check", "cosign", "sign"), "reject": ("instruct",), "decline": ("handle",)}


def steps_of(document: Any) -> dict[str, Step]:
    """The table of a document's way."""
    return OUTGOING_STEPS if isinstance(document, OutgoingDocument) else INCOMING_STEPS


def offered(document: Any, user: Any) -> list[str]:
    """The steps that `user` can do now, in the order of the way (six statements at most)."""
    if document.secrecy > level_of(user):
        return []
    mine = set(open_turns(document).filter(OfficialTurn.meant_for(user)).values_list("verb", flat=True))
    found = [verb for verb in steps_of(document) if _fits(document, verb, mine, user)]
    return [verb for verb in found if user.has_perm(permission_of(document, verb))]


def _fits(document: Any, verb: str, mine: set[str], user: Any) -> bool:
    step = steps_of(document)[verb]
    if document.state not in document.STATES.transition(verb).sources and verb != "circulate":
        return False
    if verb in BACK:
        return bool(mine.intersection(BACK[verb]))
    if verb == "receive":
        return receiving.own_receipt(document, user) is not None
    if verb == "cancel" and getattr(document, "signed_at", None):
        return bool(user.has_perm("oa.void_officialnumber"))
    if not step.turn:
        return bool(user.pk == document.owner_id)
    if verb in ("check", "sign") and user.pk in (document.owner_id, document.created_by_id):
        return False
    return step.turn in mine


def by_flow() -> bool:
    """Whether an approval flow co-signs and signs."""
    return version_in_force(KIND) is not None
