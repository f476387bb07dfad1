"""What the shipped roles may do in the customers app (see `oa.roles`)."""

from __future__ import annotations

READER = "view_customer* view_address* view_contact* view_tag* view_followup* view_contract* view_marketingplan*"

# Sales people keep their customers; what lies in their scope is theirs to write (rule G-21).
SALES = f"""
    {READER} add_customer change_customer add_address change_address delete_address add_contact change_contact
    delete_contact add_tag add_followup change_followup delete_followup add_contract change_contract delete_contract
"""
MANAGER = f"""
    {SALES} delete_customer add_customergroup change_customergroup delete_customergroup change_tag delete_tag
    add_marketingplan change_marketingplan delete_marketingplan
"""

GRANTS: dict[str, str] = {
    "administrator": "*",
    "sales": SALES,
    "sales-manager": MANAGER,
    "warehouse": "view_customer view_address view_contact view_contract",
    "purchasing": "view_customer view_contract",
    "accountant": READER,
    "chief-accountant": READER,
    "auditor": "view_* export_*",
}
