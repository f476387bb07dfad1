"""The report schedule that comes with an installation."""

from __future__ import annotations

import datetime as dt

import pghistory.core
from django.db.models import Q

from erp.business.reports import DailyBusiness
from oa.reporting.models import Frequency, ReportSchedule
from oa.reporting.services import save_schedule


def install_daily_schedule() -> None:
    """Daily business of the day before, every morning at 7; not again once somebody deleted or changed it."""
    same = Q(report=DailyBusiness.name)
    known = ReportSchedule.objects.filter(same).exists()
    if known or any(
        table._default_manager.filter(same).exists()
        for table in pghistory.core.event_models(tracks_model=ReportSchedule)
    ):
        return
    schedule = ReportSchedule(
        title="Daily business", report=DailyBusiness.name, frequency=Frequency.DAILY, at=dt.time(7)
    )
    save_schedule(schedule, by=None)
