"""The long work of a report run: one mail for each subscriber, as a job that any worker can take up again."""

from __future__ import annotations

import logging
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kit.rules.outage import away, starved
from kit.values.errors import BusinessError
from oa.records.jobs import Running, job_kind
from oa.reporting.mails import dedupe_key, mail_report
from oa.reporting.models import OutboxMail, ReportRun
from oa.reporting.outbox import kick
from oa.reporting.services import JOB_KIND

logger = logging.getLogger(__name__)


@job_kind(JOB_KIND)
def do_run(running: Running) -> dict[str, Any]:
    """Make the mails of a run and note who gets none and why; what is made already is skipped.

    One person's trouble stops nobody else's mail; the job fails in the end, so that somebody looks. Trouble of the
    worker, which has lost the database or has no memory left, is nobody's: the job is begun again.
    """
    run = ReportRun.objects.select_related("schedule").get(pk=running.job.params["run"])
    people = list(run.schedule.subscribers.order_by("pk"))
    remarks, broken = [], 0
    for position, person in enumerate(people, start=1):
        try:
            reason = mail_report(run, person)
        except Exception as error:
            if starved(error) or away(error):
                raise
            logger.exception("report run %s: no mail for user %s", run.pk, person.pk)
            reason, broken = _("the report could not be made"), broken + 1
        if reason:
            logger.warning("report run %s: user %s gets nothing: %s", run.pk, person.pk, reason)
            remarks.append(f"{person}: {reason}")
        running.progress(position, len(people))
    mails = OutboxMail.objects.filter(dedupe__in=[dedupe_key(run, person) for person in people]).count()
    ReportRun.objects.filter(pk=run.pk).update(mails=mails, log="\n".join(remarks), finished_at=timezone.now())
    kick()
    if broken:
        raise BusinessError(
            ngettext(
                "%(count)s mail of “%(title)s” could not be made.",
                "%(count)s mails of “%(title)s” could not be made.",
                broken,
            )
            % {"count": broken, "title": run.schedule}
        )
    return {"mails": mails, "remarks": remarks}
