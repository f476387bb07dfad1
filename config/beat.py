"""The scheduler of timers, by the clock that everybody shares."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry


@dataclass(frozen=True)
class Now:
    """The present moment in a time zone; two of the same zone are equal, as Celery compares schedules by them."""

    zone: dt.tzinfo

    def __call__(self) -> dt.datetime:
        return timezone.now().astimezone(self.zone)


class Entry(ModelEntry):
    """A timer whose time is that of the database, not of the machine on which beat happens to run."""

    last_run_at: dt.datetime

    def __init__(self, model: Any, app: Any = None) -> None:
        super().__init__(model, app=app)
        self.schedule.nowfun = Now(getattr(self.schedule, "tz", None) or self.app.timezone)

    def _default_now(self) -> dt.datetime:
        return Now(self.app.timezone)()

    default_now = _default_now

    def is_due(self) -> Any:
        """A run that lies ahead was before the clock was put back: to wait for it would stop every timer so long."""
        self.last_run_at = min(self.last_run_at, timezone.now())
        return super().is_due()


class Scheduler(DatabaseScheduler):
    """Celery's scheduler with rows of the database, which goes on when the clock is put back."""

    Entry = Entry
    _ticked = dt.datetime.min.replace(tzinfo=dt.UTC)

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Do what is due; returns the seconds until there may be more."""
        now = timezone.now()
        if now < self._ticked:
            self._heap = None  # is sorted by moments that are far away again
        self._ticked = now
        return super().tick(*args, **kwargs)
