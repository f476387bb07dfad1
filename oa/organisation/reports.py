"""Who holds duties that do not go together (rule G-22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from kit.exchange.reports import Report, ReportColumn, register
from kit.pages.resources import url_of
from oa.organisation.duties import held, held_keys


def _page(name: str) -> Any:
    def link(row: Mapping[str, Any]) -> str | None:
        return row[name] or None

    return link


class DutyConflicts(Report):
    """People who hold both duties of an active pair."""

    name = "duty-conflicts"
    title = _("Conflicts of duties")
    section = "office"
    permission = ("oa.view_dutyconflict", "oa.view_role")
    description = _("People who hold both duties of an active rule, and the roles through which they do.")
    notes = _("Superusers hold every right and are not listed.")

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        """Rule, person, department, roles."""
        return [
            ReportColumn("rule", _("Rule"), link=_page("rule_url")),
            ReportColumn("person", _("Person"), link=_page("person_url")),
            ReportColumn("department", _("Department")),
            ReportColumn("first", _("One duty through")),
            ReportColumn("second", _("Other duty through")),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        """One row for each person and rule."""
        return [
            {
                "rule": str(case.rule),
                "rule_url": url_of(case.rule),
                "person": str(case.person),
                "person_url": url_of(case.person),
                "department": str(case.person.department or ""),
                "first": ", ".join(map(str, case.first)),
                "second": ", ".join(map(str, case.second)),
            }
            for case in held(held_keys())
        ]


register(DutyConflicts())
