"""What the benchmarks share. Importing it sets Django up on servers of the benchmarks' own.

They run on the embedded PostgreSQL in `var/bench` (`SANHE_BENCH_VAR` names another folder), always with fsync and
synchronous commit, whatever `DATABASE_URL` says: the data of an installation are never touched.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL", "SANHE_PG_OPTIONS", "SANHE_ENV")


def prepare() -> None:
    """Set the environment and Django up; nothing is started."""
    sys.path.insert(0, str(ROOT))
    for name in OTHERS:
        os.environ.pop(name, None)
    os.environ["SANHE_VAR"] = os.environ.get("SANHE_BENCH_VAR") or "var/bench"
    os.environ["SANHE_STATEMENT_TIMEOUT"] = "0"
    os.environ["SANHE_LANGUAGE"] = "en"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()


prepare()
