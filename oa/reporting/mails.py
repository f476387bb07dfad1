"""A report as a mail to one person: what that person may see now, in that person's language (rule S-20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from kit.exchange import reports
from kit.exchange.printing import render_png_pages
from kit.exchange.report_paper import PDF_ROWS, chart_parts, to_pdf
from kit.exchange.reports import ReportResult
from kit.templatetags.reporting import report_rows, report_totals
from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.organisation.models import CompanyProfile
from oa.organisation.models.company import zone_or_none
from oa.organisation.zones import company_zone
from oa.reporting.models import OutboxMail, ReportRun, ReportSchedule
from oa.reporting.outbox import MailFile, OutgoingMail, known, refusals, store_mail
from oa.reporting.timing import period_params

ROWS = 50  # rows in the mail itself; the files hold all
CHART_DPI = 144


def dedupe_key(run: ReportRun, user: Any) -> str:
    """What makes the mail of `run` to `user` unique: schedule, period, occasion, recipient."""
    return f"report:{run.schedule_id}:{run.starts_on}:{run.ends_on}:{run.occasion}:{user.pk}"


def lost_right(mail: OutboxMail) -> str:
    """Why a report that was made may not go out any more."""
    kind, _colon, rest = mail.dedupe.partition(":")
    key = rest.partition(":")[0]
    schedule = ReportSchedule.objects.filter(pk=key).first() if kind == "report" and is_key(key) else None
    if schedule is None or mail.user is None or reports.get(schedule.report).allowed(mail.user):
        return ""
    return _("The recipient may not see this report any more.")


refusals.append(lost_right)


def mail_report(run: ReportRun, user: Any) -> str:
    """Put the report of `run` for `user` into the outbox, once; returns why not where nothing is sent.

    `user` must be fresh from the database: rights count as they are now.
    """
    key = dedupe_key(run, user)
    if not user.is_active:
        return str(_("is not active any more"))
    if not user.email:
        return str(_("has no mail address"))
    if known(key):
        return ""
    with AsReadBy(user):
        try:
            result = _result(run, user)
        except BusinessError as error:
            return str(error)
        if run.schedule.only_if_not_empty and not result.rows:
            return str(_("there is nothing to report"))
        store_mail(_mail(run, user, result, key))
    return ""


def _result(run: ReportRun, user: Any) -> ReportResult:
    """The report as `user` may see it; BusinessError when that is not at all."""
    report = reports.get(run.schedule.report)
    period = period_params(report.params, run.schedule.frequency, (run.starts_on, run.ends_on))
    return reports.run(report, reports.parse_params(report, period | run.schedule.params, user), user)


class AsReadBy:
    """Language and time zone of the reader, as on that reader's pages."""

    def __init__(self, user: Any) -> None:
        zone = zone_or_none(user.time_zone) or company_zone()
        self.contexts = (translation.override(user.language or settings.LANGUAGE_CODE), timezone.override(zone))

    def __enter__(self) -> None:
        for context in self.contexts:
            context.__enter__()

    def __exit__(self, *exception: Any) -> None:
        for context in reversed(self.contexts):
            context.__exit__(*exception)


def _mail(run: ReportRun, user: Any, result: ReportResult, key: str) -> OutgoingMail:
    name = company_name(CompanyProfile.current())
    files = _files(result, name)
    context = {
        "result": result, "company": name, "user": user, "schedule": run.schedule,
        "columns": result.screen, "rows": report_rows(result)[:ROWS], "totals": report_totals(result),
        "more": max(len(result.rows) - ROWS, 0), "chart": any(file.cid for file in files), "base": settings.SANHE_URL,
        "url": settings.SANHE_URL + reports.report_url(result.name, **result.query), "language": html_language(),
        "schedule_url": f"{settings.SANHE_URL}/office/schedules/{run.schedule_id}/",
    }  # fmt: skip
    return OutgoingMail(
        key=key,
        user=user,
        subject=f"{result.title} · {_span(run)} · {name}",
        text=render_to_string("mail/report.txt", context),
        html=render_to_string("mail/report.html", context),
        files=files,
    )


def _files(result: ReportResult, company: str) -> list[MailFile]:
    """Workbook, PDF where the rows fit on paper, and the chart as a picture, which every mail program shows."""
    makers: list[tuple[str, str, Callable[[], bytes]]] = [("xlsx", "", lambda: reports.to_xlsx(result))]
    if len(result.rows) <= PDF_ROWS:
        makers.append(("pdf", "", lambda: to_pdf(result, company=company)))
    if result.chart:
        data = {"lang": translation.get_language() or "en", "chart": chart_parts(result.chart)}
        makers.append(("png", "chart", lambda: render_png_pages("chart.typ", data, CHART_DPI)[0]))
    return [MailFile(f"{result.name}.{kind}", make(), cid) for kind, cid, make in makers]


def _span(run: ReportRun) -> str:
    first, last = run.starts_on, run.ends_on
    return first.isoformat() if first == last else f"{first.isoformat()} – {last.isoformat()}"


def company_name(company: CompanyProfile) -> str:
    """What the company is called in the present language."""
    return (company.name_zh if html_language() == "zh-CN" else "") or company.name


def html_language() -> str:
    """The present language as HTML names it."""
    return "zh-CN" if (translation.get_language() or "").startswith("zh") else "en"
