"""When a contract may be sealed (spec office 5.8.3)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.contracts.models import Contract
from oa.official.sealable import sealable

AGREED = ("signed", "performing")  # states in which a contract is approved and in force


def _not_yet(contract: Contract) -> str:
    """Only after the contract is approved, and while it is in force."""
    if contract.state in AGREED:
        return ""
    state = Contract.STATES[contract.state].label
    return _("%(contract)s is %(state)s: only approved contracts in force are sealed.") % {
        "contract": contract, "state": state,
    }  # fmt: skip


sealable["crm.contract"] = _not_yet
