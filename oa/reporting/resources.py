"""Pages of scheduled reports, their runs, and the mails that went out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kit.exchange import reports
from kit.pages import formats
from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.nav import tree
from kit.pages.panels import Figure
from kit.pages.resources import Resource, register, registry
from oa.organisation.zones import company_zone
from oa.reporting import services
from oa.reporting.forms import ScheduleForm, as_lines
from oa.reporting.models import OutboxMail, ReportRun, ReportSchedule
from oa.reporting.timing import next_due

tree.group("office", _("Organisation"), "network", 90, _("Office"))


@register
class ReportScheduleResource(Resource):
    model = ReportSchedule
    path = "office/schedules"
    group = "office"
    order = 50
    icon = "calendar-clock"
    key = "pk"
    columns = (Column("title", phone="cust"), "report", "frequency", "at", "active", "owner")
    filters = ("report", "frequency", "active")
    search_fields = ("title", "report")
    fields = ("title", "report", "frequency", "at", "subscribers", "only_if_not_empty", "active")
    extra_fields = ("owner",)
    related = ("owner",)
    importable = False
    form_class = ScheduleForm
    save = staticmethod(services.save_schedule)
    commands = (
        Command(
            "subscribe", _("Subscribe me"), services.subscribe, "oa.add_reportsubscription", icon="bell", primary=True
        ),
        Command(
            "unsubscribe", _("Unsubscribe me"), services.unsubscribe, "oa.delete_reportsubscription", icon="bell-off"
        ),
        Command(
            "send", _("Send now"), services.send_now, "oa.change_reportschedule", icon="send",
            confirm=_("Mail this report to all subscribers now?"),
        ),
    )  # fmt: skip

    def queryset(self, user: Any) -> QuerySet[Any]:
        """Schedules of the reports that `user` may run; all of them for who may change them."""
        rows = super().queryset(user)
        if user.has_perm("oa.change_reportschedule"):
            return rows
        return rows.filter(report__in=[report.name for report in reports.all_for(user)])

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """Either subscribing or unsubscribing."""
        unfit = "subscribe" if obj.subscriptions.filter(user=user.pk).exists() else "unsubscribe"
        return [command for command in super().commands_for(obj, user) if command.name != unfit]

    def initial(self, request: Any) -> dict[str, Any]:
        """A new schedule from the page of a report, with the parameters of that page but its days."""
        given = super().initial(request)
        report = next((r for r in reports.all_for(request.user) if r.name == given.get("report")), None)
        if report is None:
            return given
        params = {p.name: request.GET[p.name] for p in report.params if p.kind != "date" and request.GET.get(p.name)}
        return {"title": str(report.title), "options": as_lines(params), "subscribers": [request.user.pk], **given}

    def subtitle(self, obj: Any) -> Sequence[Any]:
        """The parameters, if there are any."""
        return [as_lines(obj.params).replace("\n", ", ")] if obj.params else []

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """When it ran, how that ended, and when it runs again."""
        run = ReportRun.objects.filter(schedule=obj).select_related("job").order_by("-pk").first()
        made = [Figure(gettext("Subscribers"), str(obj.subscriptions.count()))]
        if run is not None:
            failed = run.job is not None and run.job.state == "failed"
            state = run.job.get_state_display() if run.job else ""
            made.append(
                Figure(
                    gettext("Last run"),
                    formats.moment(run.created_at),
                    note=f"{run} · {state}",
                    tone="bad" if failed else "",
                )
            )
        if obj.active:
            due = next_due(obj.frequency, obj.at, timezone.now(), company_zone())
            made.append(Figure(gettext("Next run"), formats.moment(due), note=str(due.tzinfo)))
        return made


@register
class ReportRunResource(Resource):
    model = ReportRun
    path = "office/report-runs"
    key = "pk"
    columns = (
        Column("starts_on", phone="no"), Column("ends_on"), Column("schedule", phone="cust"), "created_at",
        "finished_at",
        Column("job__state", _("State")), "mails", "log",
    )  # fmt: skip
    filters = ("schedule", "created_at")
    search_fields = ("schedule__title",)
    extra_fields = ("schedule", "starts_on", "ends_on", "created_at", "finished_at", "mails", "log")
    related = ("schedule",)
    can_create = can_edit = importable = False

    def queryset(self, user: Any) -> QuerySet[Any]:
        """Runs of the schedules that `user` may see."""
        schedules = registry["reportschedule"].queryset(user)
        return super().queryset(user).filter(schedule__in=schedules.values("pk"))


@register
class OutboxMailResource(Resource):
    model = OutboxMail
    path = "office/mails"
    group = "office"
    order = 60
    icon = "mail"
    key = "pk"
    columns = (
        "created_at", Column("to", phone="cust"), Column("subject", phone="more"), "state", "attempts", "sent_at",
    )  # fmt: skip
    filters = ("state", "created_at")
    search_fields = ("to", "subject", "message_id")
    labels: ClassVar = {"message_id": _("message id")}
    extra_fields = ("to", "subject", "state", "attempts", "created_at", "sent_at", "error", "message_id")
    can_create = can_edit = importable = False
