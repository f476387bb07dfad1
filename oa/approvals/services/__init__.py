"""Commands of approvals: each locks the request first and decides in one transaction."""

from oa.approvals.services.decisions import approve, edit, give_advice, reject, send_back, take_back
from oa.approvals.services.hands import add_signers, delegate, remove_signer, send_copy, transfer, urge
from oa.approvals.services.submission import cancel, resubmit, submit, withdraw

__all__ = [
    "add_signers",
    "approve",
    "cancel",
    "delegate",
    "edit",
    "give_advice",
    "reject",
    "remove_signer",
    "resubmit",
    "send_back",
    "send_copy",
    "submit",
    "take_back",
    "transfer",
    "urge",
    "withdraw",
]
