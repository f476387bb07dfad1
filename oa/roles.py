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
    view_companyprofile view_department view_position view_post view_user view_attachment view_comment view_notification
    view_job view_reportrun view_reportschedule view_reportsubscription
    view_approvalrequest view_formrequest view_requestform view_proxy
    view_announcement view_announcementcategory view_announcementedition view_announcementreceipt
    view_task view_taskseries view_meeting view_room view_folder view_librarydocument
    view_leavetype view_leaveentry view_leaverequest view_workcalendar view_calendarday
    view_outgoingdocument view_incomingdocument view_documentclass view_unitword view_officialturn view_officialopinion
    view_outgoingtext view_outgoingreceipt view_seal view_sealrequest
    view_readingreceipt
"""
WRITER = "add_announcement change_announcement delete_announcement"  # of announcements to their own departments
MEMBER = f"""{READER} add_attachment add_comment add_reportsubscription delete_reportsubscription
    add_formrequest change_formrequest delete_formrequest add_proxy change_proxy
    add_task change_task delete_task add_taskseries change_taskseries delete_taskseries
    add_meeting change_meeting delete_meeting change_folder change_librarydocument
    add_leaverequest change_leaverequest delete_leaverequest approve_leaverequest
    view_expensetype view_expenseclaim add_expenseclaim change_expenseclaim delete_expenseclaim
    view_advance add_advance change_advance delete_advance
    add_outgoingdocument change_outgoingdocument delete_outgoingdocument check_outgoingdocument cosign_outgoingdocument
    format_outgoingdocument handle_incomingdocument add_sealrequest change_sealrequest delete_sealrequest
    use_sealrequest seal_outgoingdocument
"""
HEAD = "approve_outgoingdocument instruct_incomingdocument approve_sealrequest"  # signs, instructs, lends seals


FINANCE = """
    view_every_expenseclaim audit_expenseclaim post_expenseclaim view_expenselimit view_expensebudget
"""  # of claims and advances

GRANTS: dict[str, str] = {
    "administrator": "*",
    "sales": MEMBER,
    "sales-manager": f"{MEMBER} {WRITER} {HEAD} approve_expenseclaim approve_advance view_expensebudget",
    "warehouse": MEMBER,
    "purchasing": MEMBER,
    "accountant": f"{MEMBER} {FINANCE} view_numbersequence",
    "chief-accountant": (
        f"{MEMBER} {WRITER} {HEAD} {FINANCE} view_numbersequence change_numbersequence change_companyprofile"
        " approve_expenseclaim approve_advance reverse_expenseclaim *_expensetype *_expenselimit *_expensebudget"
    ),
    "hr": (
        f"{MEMBER} *_room *_user *_department* *_position* *_post view_role view_personnelchange"
        " *_announcement* address_everyone"
        " *_leave* *_grantstep *_workcalendar *_calendarday *_calendarassignment *_employment"
        f" {HEAD} *_outgoingdocument *_incomingdocument *_officialnumber *_seal *_sealrequest *_unitword"
        " *_documentclass *_urgencyterm"
    ),
    "auditor": f"{READER} view_* export_*",
}

# Permissions of the apps under ours that the back office needs. Groups go by the permissions on roles.
_BACK_OFFICE = {"administrator": "*", "auditor": "view_*"}
FOREIGN_GRANTS: dict[str, dict[str, str]] = {"axes": _BACK_OFFICE, "django_celery_beat": _BACK_OFFICE}
