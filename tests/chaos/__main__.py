"""`python -m tests.chaos`: the long drills (docs/reliability.md); exit code 1 and the reasons when one is not passed.

`--drill operations` is what runs by itself; `workers`, `bulk`, `editors`, `migrations` and `versions` are the others.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from random import SystemRandom

os.environ.setdefault("SANHE_VAR", "var/chaos")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["SANHE_STATEMENT_TIMEOUT"] = "0"  # of the driver, as of every command

from config import embedded, places

DRILLS = {  # module and class of each
    "operations": ("tests.chaos.drive", "Drill"),
    "workers": ("tests.chaos.office", "Office"),
    "bulk": ("tests.chaos.bulk", "Bulk"),
    "editors": ("tests.chaos.editors", "Editors"),
    "migrations": ("tests.chaos.migrating", "Migrations"),
    "versions": ("tests.chaos.versions", "Versions"),
}
# How large each is where nothing else is said.
SIZES: dict[str, dict[str, int]] = {
    "operations": {"kills": 100},
    "workers": {"rounds": 30, "rows": 200, "recipients": 1},
    "bulk": {"kills": 20, "rows": 10_000},
    "editors": {"rounds": 500},
    "migrations": {"rows": 30_000},
    "versions": {"rounds": 1},
}


def arguments() -> argparse.Namespace:
    """Size and seed of a run."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--drill", choices=list(DRILLS), default="operations")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    parser.add_argument("--operations", type=int, default=10_000, help="answered operations, refusals not counted")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--kills", type=int, help="bulk: cancellations among them")
    parser.add_argument("--restarts", type=int, default=10, help="immediate restarts of PostgreSQL")
    parser.add_argument("--backups", type=int, default=1, choices=(0, 1), help="1: back up under load, and restore")
    parser.add_argument("--orders", type=int, default=120, help="size of the demo company")
    parser.add_argument("--rounds", type=int, help="workers: kills of each; editors: saves of each; versions: how many")
    parser.add_argument("--rows", type=int, help="of an import or an action; migrations: to add to tables they lock")
    parser.add_argument("--recipients", type=int, help="workers: who gets each report")
    parser.add_argument("--memory", action="store_true", help="workers: end processes for want of memory, too")
    parser.add_argument("--control", action="store_true", help="workers, bulk, versions: broken so as not to pass")
    parser.add_argument("--dump", default="", help="a dump of a migrated database to begin with")
    parser.add_argument("--json", default="", help="a file for the result")
    given = parser.parse_args()
    for name, size in SIZES[given.drill].items():
        setattr(given, name, size if getattr(given, name) is None else getattr(given, name))
    return given


def commit() -> str:
    """Which source this is."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=places.ROOT, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"


def main() -> int:
    """Start the servers, run, judge, tell."""
    given = arguments()
    print(f"{given.drill}: seed {given.seed}, commit {commit()}", flush=True)
    embedded.start()
    module, name = DRILLS[given.drill]
    drill = getattr(importlib.import_module(module), name)  # after the servers: it reads the settings
    result = drill(given).run()
    if given.json:
        with open(given.json, "w") as file:
            json.dump(result, file, indent=1)
    faults = result.pop("faults")
    print(json.dumps(result, indent=1))
    for fault in faults[:50]:
        print(f"FAULT {fault}")
    print(f"{'NOT PASSED' if faults else 'passed'}: seed {given.seed}, commit {commit()}", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
