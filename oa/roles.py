"""The roles Sanhe ships with, and what they may do in the office app.

Each app has such a table: role -> permissions of that app, as codenames or patterns. `install_roles` grants
them once; afterwards they belong to the administrator (rules G-21 and G-22).
"""

from __future__ import annotations

from dataclasses import dataclass

from kit.rules.permissions import ALL, OWN, SUBTREE


@dataclass(frozen=True)
class ShippedRole:
    """A role made by `migrate`: stable code, names, and the data scope it starts with."""

    code: str
    name: str
    name_zh: str
    scope: str = ALL


SHIPPED = (
    ShippedRole("administrator", "Administrator", "系统管理员"),
    ShippedRole("sales", "Sales", "销售", OWN),
    ShippedRole("sales-manager", "Sales manager", "销售经理", SUBTREE),
    ShippedRole("warehouse", "Warehouse", "仓库"),
    ShippedRole("purchasing", "Purchasing", "采购"),
    ShippedRole("accountant", "Accountant", "会计"),
    ShippedRole("chief-accountant", "Chief accountant", "会计主管"),
    ShippedRole("hr", "Human resources", "人事"),
    ShippedRole("auditor", "Auditor", "审计"),
)

# What everybody needs to work at all: the company, colleagues, and notes and files on what they may see.
READER = """
    view_companyprofile view_department view_position view_user view_attachment view_comment view_notification
    view_job view_reportrun view_reportschedule view_reportsubscription view_folder view_librarydocument
"""
MEMBER = f"""
    {READER} add_attachment add_comment add_reportsubscription delete_reportsubscription
    change_folder change_librarydocument
"""

GRANTS: dict[str, str] = {
    "administrator": "*",
    "sales": MEMBER,
    "sales-manager": MEMBER,
    "warehouse": MEMBER,
    "purchasing": MEMBER,
    "accountant": f"{MEMBER} view_numbersequence",
    "chief-accountant": f"{MEMBER} view_numbersequence change_numbersequence change_companyprofile",
    "hr": f"{MEMBER} *_user *_department* *_position* view_role",
    "auditor": f"{READER} view_* export_*",
}

# Permissions of the apps under ours that the back office needs. Groups go by the permissions on roles.
_BACK_OFFICE = {"administrator": "*", "auditor": "view_*"}
FOREIGN_GRANTS: dict[str, dict[str, str]] = {"axes": _BACK_OFFICE, "django_celery_beat": _BACK_OFFICE}
