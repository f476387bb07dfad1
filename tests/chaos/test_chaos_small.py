"""A short run of the chaos drill, and what its verdict is worth (docs/reliability.md; drills F-08, F-10 and F-15)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from config import archive, places
from crm.customers.services import transfer_customer
from oa.records.idempotency import once
from oa.records.models import IdempotencyKey
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.concurrency]


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """F-08, F-10: 8 processes, 400 operations, 6 kills, 1 immediate restart; the seed differs each time and is told.

    The servers are the drill's own, and wait for the log as in an installation: what is committed is on the disk.
    """
    dump, result = tmp_path / "migrated.dump", tmp_path / "result.json"
    archive.run([archive.program("pg_dump"), "--format=custom", "--no-owner", f"--file={dump}"])
    home = places.var() / f"chaos-{os.getpid()}"
    options = ["--operations=400", "--kills=6", "--restarts=1", "--orders=30", "--backups=0"]
    environment = {**os.environ, "SANHE_VAR": str(home), "SANHE_PG_OPTIONS": "-c fsync=off"}
    try:
        run = subprocess.run(
            [sys.executable, "-m", "tests.chaos", *options, f"--dump={dump}", f"--json={result}"],
            cwd=places.ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        shutil.rmtree(home.joinpath("services").resolve(), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads(result.read_text())
    assert (told["kills"], told["restarts"], told["faults"]) == (6, 1, [])
    assert told["ack"] + told["replay"] >= 400 and told["replay"] >= 10
    assert told["refused"] < told["ack"] / 4, "most operations must have an effect"
    assert len(told["by command"]) >= 12, told["by command"]


@pytest.fixture
def given() -> tuple[dict[str, Any], dict[str, int]]:
    """One operation as a process notes it, and the documents there were before."""
    from tests.chaos.verdict import counts
    from tests.chaos.worker import facts_of

    before = counts()
    key, by, customer = str(uuid.uuid4()), make.make_user(), make.make_customer()
    owner = make.make_user()
    made, _repeat = once(key, by, "chaos give away", lambda: transfer_customer(customer, owner, by=by))
    note = {"what": "ack", "command": "give away", "key": key, "turn": 0, "seconds": 0.1, **facts_of(made)}
    return note, before


def faults(notes: list[dict[str, Any]], before: Any, interruptions: int = 0) -> str:
    from tests.chaos.verdict import judge

    return "\n".join(judge(notes, before, interruptions=interruptions, stats={}))


def test_the_verdict_finds_nothing_where_nothing_is(given: Any) -> None:
    note, before = given
    assert faults([note], before) == ""


def test_the_verdict_finds_what_was_lost(given: Any) -> None:
    """An answer without its key, and one whose record is another or gone."""
    note, before = given
    assert "lost: " in faults([note, note | {"key": str(uuid.uuid4())}], before)
    assert "another effect" in faults([note | {"pk": note["pk"] + 1}], before)
    IdempotencyKey.objects.update(effect_id=note["pk"] + 10**6)
    assert "the record is gone" in faults([note | {"pk": note["pk"] + 10**6}], before)


def test_the_verdict_finds_effects_that_nobody_was_told_of(given: Any) -> None:
    """As many as there were interruptions are explained by them, one more is not."""
    _note, before = given
    assert faults([], before, interruptions=1) == ""
    assert "1 effects were never answered" in faults([], before)


def test_the_verdict_finds_documents_without_a_form(given: Any) -> None:
    """A document that was made twice, or beside the forms."""
    note, before = given
    make.make_order(make.make_customer(), make.line(make.make_product()))
    assert "erp.salesorder: 1 more rows, 0 forms" in faults([note], before)


def test_the_verdict_finds_errors_and_broken_books(given: Any) -> None:
    """What no person should see, and what `verify` would tell."""
    note, before = given
    assert "unexpected error: Traceback" in faults([note, {"what": "error", "text": "Traceback"}], before)
    IdempotencyKey.objects.create(
        key=uuid.uuid4(), user=make.make_user(), command="x", effect="erp.invoice", effect_id=1
    )
    assert "I-31: " in faults([note], before)
