"""S-21: queue and cache are not trusted. A message names a row at most; who acts and what may be done is asked there, then."""

from __future__ import annotations

import datetime as dt
import inspect
import logging
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import signature
from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from config.caches import SIGNED
from config.celery import app
from crm.customers.models import Customer
from oa.announcements import publishing
from oa.documents.services.versions import READING
from oa.organisation.models import User
from oa.records import jobs
from oa.records.models import Job
from oa.reporting import services as reporting
from tests import factories as make
from tests.oa.conftest import prefix, processes, worker  # noqa: F401
from tests.oa.processes import wait_for
from tests.refusals import whole_state

NOWHERE = 7_399_999
TASKS = sorted(name for name in app.tasks if not name.startswith("celery."))
WITH_KEYS = {jobs.TASK: "key", reporting.RUN_TASK: "key"}
WRONG = (NOWHERE, f"{NOWHERE}", 0, -1, 10**30, "x'; DROP TABLE oa_job; --", "", None, False, 0.5, [1], {"key": 1}, "\0")


class Bomb:
    """Writes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_pickled_message_is_refused_by_the_worker(
    worker: Callable[[str], subprocess.Popen[bytes]],  # noqa: F811
    tmp_path: Path,
) -> None:
    """A real worker on the real broker: what is pickled is neither opened nor asked for again; JSON after it is done."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "control"))).close()  # noqa: S301 - the control
    assert (tmp_path / "control").exists()
    for number in range(3):
        signature(jobs.TASK, args=[Bomb(tmp_path / f"fired{number}")]).apply_async(serializer="pickle")
    job = Job.objects.create(kind="test-tags", title="Tags", owner=make.make_user())
    jobs.send_job(job.pk)
    process = worker("no")
    wait_for(lambda: Job.objects.get().state == "done" and not left(), tmp_path)
    assert not list(tmp_path.glob("fired*")) and process.poll() is None
    said = "\n".join(log.read_text() for log in tmp_path.glob("log*"))
    assert said.count("ContentDisallowed: Refusing to deserialize") == 3


def left() -> int:
    """Messages that wait, or that somebody has in hand."""
    with app.connection_for_write() as broker:
        client = broker.default_channel.client
        return int(client.llen(app.conf.task_default_queue)) + int(client.hlen("unacked"))


def test_a_message_names_a_row_and_nobody() -> None:
    """No task takes a person, a right or a value: two take the key of a row, all others nothing."""
    assert len(TASKS) > 10
    taken = {name: list(inspect.signature(app.tasks[name].run).parameters) for name in TASKS}
    assert {name: ", ".join(args) for name, args in taken.items() if args} == WITH_KEYS
    assert settings.CELERY_ACCEPT_CONTENT == app.conf.accept_content == ["json"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", TASKS)
def test_a_message_with_a_wrong_key_does_nothing(name: str) -> None:
    """Rows that are not there, and what is no key at all: nothing is written, and it is not tried again."""
    task, before = app.tasks[name], whole_state()
    assert not getattr(task, "autoretry_for", ())
    assert task.acks_on_failure_or_timeout is not False  # what fails is not given to the next worker
    for key in WRONG:
        with transaction.atomic():
            made = task.apply(args=(key,), throw=False)
            assert made.state == "FAILURE" or not made.result, (name, key, made.result)
            transaction.set_rollback(made.state == "FAILURE")  # as without this transaction
        assert (made.state == "FAILURE") or name in WITH_KEYS, "it takes none"
    assert whole_state() == before


def test_what_somebody_put_into_the_cache_is_not_opened(
    db: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The same server holds the cache: what does not carry our signature counts as not there, and the log says it."""
    bomb = pickle.dumps(Bomb(tmp_path / "fired"))
    cache.set("ours", {"day": dt.date(2026, 1, 1)}, 60)
    server = cache._cache.get_client(write=True)  # type: ignore[attr-defined]
    kept = server.get(cache.make_key("ours"))
    signature, rest_of_it = kept[:SIGNED], kept[SIGNED:]
    for forged in (bomb, signature + bomb, b"x" * SIGNED + rest_of_it, b"", b"short", kept[:-1], rest_of_it):
        server.set(cache.make_key("forged"), forged)
        assert cache.get("forged", "nothing") == "nothing", forged
    assert not (tmp_path / "fired").exists() and caplog.text.count("nobody here has kept") == 7
    assert cache.get("ours") == {"day": dt.date(2026, 1, 1)}
    server.set(cache.make_key("forged"), signature + rest_of_it)
    assert cache.get("forged") == {"day": dt.date(2026, 1, 1)}, "the control: it is the signature that decides"


# ---- what a job names ----


PARAMS: dict[str, dict[str, Any]] = {
    reporting.JOB_KIND: {"run": NOWHERE},
    "import": {
        "upload": {"path": "imports/none", "name": "a.csv", "resource": "customer", "user": NOWHERE, "rows": 1},
        "step": "write", "partial": False, "language": "en",
    },
    "bulk": {
        "resource": "customer", "action": "archive", "keys": [NOWHERE], "values": {}, "language": "en", "back": "/",
    },
    publishing.JOB: {"announcement": NOWHERE},
    READING: {"version": NOWHERE},
}  # fmt: skip


def person(name: str) -> User | None:
    """Somebody in whose name a job could be done."""
    if name == "nobody":
        return None
    user = make.make_user(name, is_active=name != "left")
    if name == "without rights":
        User.objects.filter(pk=user.pk).update(is_superuser=False)
    return user


def rest() -> dict[str, Any]:
    """Everything but the jobs themselves."""
    return {name: value for name, value in whole_state().items() if name != "oa_job"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", sorted(PARAMS))
def test_a_job_about_rows_that_are_not_there_ends(kind: str) -> None:
    """Every kind of job, in anybody's name: it ends, writes nothing, and is not done again."""
    assert set(PARAMS) == set(jobs.kinds), "a new kind of job says here what it names"
    for who in ("administrator", "without rights", "left", "nobody"):
        job = Job.objects.create(kind=kind, title="Forged", params=PARAMS[kind], owner=person(who))
        before = rest()
        assert app.tasks[jobs.TASK].apply(args=(job.pk,)).result is True
        job.refresh_from_db()
        assert job.state in {"done", "failed"} and rest() == before, who
        assert app.tasks[jobs.TASK].apply(args=(job.pk,)).result is False


@pytest.mark.django_db
def test_a_job_of_an_unknown_kind_ends() -> None:
    """A row that somebody wrote into the table past the program."""
    job = Job.objects.create(kind="os.system", title="Forged", params={"command": "id"}, owner=make.make_user())
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["without rights", "left", "seller"])
def test_a_job_does_what_its_person_may_do_now_and_the_log_says_what_was_denied(
    who: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys of a customer that is somebody else's, or of any, once the right or the person is gone: it stays as it is."""
    foreign = make.make_customer("Blue Mill", owner=make.make_user("other", "sales"))
    by = make.make_user("seller", "sales") if who == "seller" else person(who)
    params = PARAMS["bulk"] | {"keys": [foreign.pk]}
    before = rest()
    with caplog.at_level(logging.WARNING):
        job = Job.objects.create(kind="bulk", title="Forged", params=params, owner=by)
        jobs.run_job(job.pk)
    job.refresh_from_db()
    assert Customer.objects.get().active and rest() == before
    assert f"job {job.pk} (bulk) was refused" in caplog.text or who == "seller"
    assert job.state == "failed" or job.result["summary"].startswith("0 "), job.result


@pytest.mark.django_db
def test_an_import_in_the_name_of_who_may_not_import_any_more(caplog: pytest.LogCaptureFixture) -> None:
    """The same for files: the refusal stands with the job and in the log."""
    job = Job.objects.create(kind="import", title="Forged", params=PARAMS["import"], owner=person("without rights"))
    with caplog.at_level(logging.WARNING):
        jobs.run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "failed" and "may not import" in job.error
    assert f"job {job.pk} (import) was refused" in caplog.text
