"""Facade: lets Django find the back office of the office app."""

from django.contrib import admin

from oa.announcements import admin as announcements
from oa.approvals import admin as approvals
from oa.documents import admin as documents
from oa.expenses import admin as expenses
from oa.leave import admin as leave
from oa.official import admin as official
from oa.organisation import admin as organisation
from oa.records import admin as records
from oa.reporting import admin as reporting
from oa.tasks import admin as tasks

__all__ = [
    "announcements",
    "approvals",
    "documents",
    "expenses",
    "leave",
    "official",
    "organisation",
    "records",
    "reporting",
    "tasks",
]

admin.site.site_title = "Sanhe"
admin.site.site_header = "Sanhe"
