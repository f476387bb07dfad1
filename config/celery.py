"""The Celery application: `celery -A config.celery worker`."""

from __future__ import annotations

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning

from config.places import ROOT

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Celery warns root because of pickled messages; we accept JSON only.
warnings.filterwarnings("ignore", category=SecurityWarning)


def task_packages() -> list[str]:
    """Every section that has a `tasks` module, such as `oa.reporting`."""
    found = [path.parent for app in ("oa", "crm", "erp") for path in (ROOT / app).rglob("tasks.py")]
    found += [path.parent.parent for app in ("oa", "crm", "erp") for path in (ROOT / app).rglob("tasks/__init__.py")]
    return sorted(".".join(path.relative_to(ROOT).parts) for path in found)


app = Celery("sanhe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(task_packages)
