"""The ways of outgoing (发文) and incoming (收文) documents (spec office 5.8.2)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.states import State, StateTable, Transition

# All steps ask for an opinion and for who acts next on a page of their own: none is a plain button.
OUTGOING = StateTable(
    states=(
        State("drafted", pgettext_lazy("official document", "drafted"), "draft"),
        State("submitted", pgettext_lazy("official document", "to be checked"), "warn", step=False),
        State("checked", pgettext_lazy("official document", "checked"), "info"),
        State("cosigned", pgettext_lazy("official document", "co-signed"), "info"),
        State("approving", pgettext_lazy("official document", "in approval"), "warn", step=False),
        State("approved", pgettext_lazy("official document", "signed"), "viol"),
        State("numbered", pgettext_lazy("official document", "numbered"), "viol"),
        State("formatted", pgettext_lazy("official document", "formatted"), "viol"),
        State("sealed", pgettext_lazy("official document", "sealed"), "viol"),
        State("distributed", pgettext_lazy("official document", "distributed"), "info"),
        State("received", pgettext_lazy("official document", "received"), "info"),
        State("filed", pgettext_lazy("official document", "filed"), "ok"),
        State("returned", pgettext_lazy("official document", "returned"), "bad", step=False),
        State("cancelled", pgettext_lazy("official document", "cancelled"), "mute", step=False),
    ),
    transitions=(
        Transition("submit", ("drafted", "returned"), "submitted", _("Submit for checking"), primary=True,
                   icon="send", internal=True),
        Transition("check", ("submitted",), "checked", _("Check"), "check_outgoingdocument", primary=True,
                   icon="check", internal=True),
        Transition("cosign", ("checked",), "cosigned", _("Co-sign"), "cosign_outgoingdocument", primary=True,
                   icon="pen-line", internal=True),
        Transition("sign", ("checked", "cosigned"), "approved", _("Sign and number"), "approve_outgoingdocument",
                   primary=True, icon="badge-check", internal=True),
        Transition("lock", ("checked", "returned"), "approving", _("Submit for approval"), internal=True),
        Transition("unlock", ("approving",), "returned", _("Return"), internal=True),
        Transition("approve", ("approving",), "approved", _("Approve"), internal=True),
        Transition("number", ("approved",), "numbered", _("Number"), internal=True),
        Transition("format", ("numbered",), "formatted", _("Format with red head"), "format_outgoingdocument",
                   primary=True, icon="file-text", internal=True),
        Transition("seal", ("formatted",), "sealed", _("Seal"), "seal_outgoingdocument", primary=True,
                   icon="stamp", internal=True),
        Transition("distribute", ("sealed",), "distributed", _("Distribute"), "distribute_outgoingdocument",
                   primary=True, icon="send", internal=True),
        Transition("receive", ("distributed",), "received", _("Sign for receipt"), "view_outgoingdocument",
                   primary=True, icon="check", internal=True),
        Transition("file", ("received",), "filed", pgettext_lazy("official document", "File"),
                   "file_outgoingdocument", primary=True, icon="archive", internal=True),
        Transition("return", ("submitted", "checked", "cosigned"), "returned", _("Return"), danger=True,
                   icon="undo-2", internal=True),
        Transition("cancel", ("drafted", "returned", "numbered", "formatted", "sealed"), "cancelled", _("Cancel"),
                   danger=True, icon="ban", internal=True),
    ),
)  # fmt: skip
WRITING = ("drafted", "submitted", "checked", "cosigned", "returned")  # states in which the text may change
UNSIGNED = (*WRITING, "approving")
SIGNED = ("approved", "numbered", "formatted", "sealed", "distributed", "received", "filed")
ISSUED = ("distributed", "received", "filed")  # states in which recipients read it

INCOMING = StateTable(
    states=(
        State("registered", pgettext_lazy("official document", "registered"), "draft"),
        State("proposed", pgettext_lazy("official document", "proposed"), "warn"),
        State("instructed", pgettext_lazy("official document", "instructed"), "viol"),
        State("handled", pgettext_lazy("official document", "handled"), "info"),
        State("circulated", pgettext_lazy("official document", "circulated"), "info", step=False),
        State("fedback", pgettext_lazy("official document", "fed back"), "info"),
        State("closed", pgettext_lazy("official document", "closed"), "ok", ended=False),
        State("filed", pgettext_lazy("official document", "filed"), "ok"),
        State("cancelled", pgettext_lazy("official document", "cancelled"), "mute", step=False),
    ),
    transitions=(
        Transition("propose", ("registered",), "proposed", _("Propose"), "propose_incomingdocument", primary=True,
                   icon="pen-line", internal=True),
        Transition("instruct", ("proposed",), "instructed", _("Instruct"), "instruct_incomingdocument", primary=True,
                   icon="badge-check", internal=True),
        Transition("handle", ("instructed",), "handled", _("Handle"), "handle_incomingdocument", primary=True,
                   icon="check", internal=True),
        Transition("circulate", ("instructed",), "circulated", _("Read and sign"), "handle_incomingdocument",
                   primary=True, icon="eye", internal=True),
        Transition("feedback", ("handled", "circulated"), "fedback", _("Feed back"), "handle_incomingdocument",
                   primary=True, icon="message-square", internal=True),
        Transition("close", ("fedback",), "closed", _("Close"), "close_incomingdocument", primary=True,
                   icon="check", internal=True),
        Transition("file", ("closed",), "filed", pgettext_lazy("official document", "File"),
                   "file_incomingdocument", primary=True, icon="archive",
                   internal=True),
        Transition("reject", ("proposed",), "registered", _("Return"), "instruct_incomingdocument", danger=True,
                   icon="undo-2", internal=True),
        Transition("decline", ("instructed",), "proposed", _("Return"), "handle_incomingdocument", danger=True,
                   icon="undo-2", internal=True),
        Transition("cancel", ("registered",), "cancelled", _("Cancel"), danger=True, icon="ban", internal=True),
    ),
)  # fmt: skip

VERBS = tuple(
    {t.name: t.label for table in (OUTGOING, INCOMING) for t in table.transitions}.items()
)  # what a turn or an opinion is about
