"""The Celery application: `celery -A config.celery worker`."""

from __future__ import annotations

import os
import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import task_prerun
from kombu.transport import redis

from config.places import ROOT

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Celery warns root because of pickled messages; we accept JSON only.
warnings.filterwarnings("ignore", category=SecurityWarning)


def task_packages() -> list[str]:
    """Every section that has a `tasks` room, such as `oa.reporting`; the section `oa.tasks` is none by its name."""
    apps = [ROOT / app for app in ("oa", "crm", "erp")]
    found = [path.parent for app in apps for path in app.glob("*/tasks.py")]
    found += [path.parent.parent for app in apps for path in app.glob("*/tasks/__init__.py")]
    return sorted(".".join(path.relative_to(ROOT).parts) for path in found)


@task_prerun.connect
def live_in_the_companys_zone(task: Any, **kwargs: Any) -> None:
    """Days and times of a task are the company's, whose time zone may have changed since the last one."""
    if task.request.is_eager:
        return  # done within a request, in whose time zone it stays
    from django.utils import timezone

    from oa.organisation.zones import company_zone

    timezone.activate(company_zone())


class Channel(redis.Channel):
    """A channel to the broker that still knows, once its connection is closed, that this is an error of connection.

    kombu (5.7) reads the address of the connection that is gone. Its AttributeError ends a worker that loses the
    broker with one task under way and room for another, where an error of connection makes it connect again.
    """

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection.client is None:
            raise ConnectionError("The connection to the broker is closed.")
        return dict(super()._connparams(asynchronous))


redis.Transport.Channel = Channel
app = Celery("sanhe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(task_packages)
