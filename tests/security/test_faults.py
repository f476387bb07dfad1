"""S-22, S-24: what fails denies and is rolled back; logs hold one line for each event and no password."""

from __future__ import annotations

import io
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as project
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client

from config.logs import CONTINUED, LineFormatter
from crm.customers.models import Customer
from kit.pages.resources import registry
from kit.rules.permissions import VisibleQuerySet
from oa.organisation.models import User
from oa.records.models import Attachment
from tests.oa.world import client_of
from tests.refusals import whole_state
from tests.security.company import OWN, Company, own_by, tables

pytestmark = [pytest.mark.slow]

BOOM = "the-fuse-has-blown"
PASSWORD = "zebra-canary-4711-quartz"
MAY_CHANGE = {"oa_auditentry"}


class Fuse:
    """Lets a function through until it is called for the `last` time, then fails."""

    def __init__(self, real: Callable[..., Any], last: int = 1) -> None:
        self.real, self.left = real, last

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left <= 0:
            raise RuntimeError(BOOM)
        return self.real(*args, **kwargs)


def bound(fuse: Fuse) -> Callable[..., Any]:
    """A fuse as a method."""
    return lambda *args, **kwargs: fuse(*args, **kwargs)


PLACES = [(User, "has_perm"), (User, "has_perms"), (User, "data_scope"), (VisibleQuerySet, "visible_to")]


def requests(c: Company) -> list[tuple[str, dict[str, Any]]]:
    """Forms and commands that write."""
    row = c.row(registry["contract"], OWN)
    sign = registry["contract"].url_for(row, "do", next(iter(registry["contract"].run)))
    customer = c.row(registry["customer"], OWN)
    note = f"/records/customer/{registry['customer'].key_of(customer)}/comment/"
    return [
        (registry["customer"].url("new"), {"code": "FUSE", "name": "Fuse Ltd", "kind": "company"}),
        (sign, {"reason": "x", "date": "2026-01-01"}),
        (note, {"text": "a note"}),
        (registry["customer"].url_for(customer, "delete"), {}),
    ]


@pytest.mark.parametrize(("owner", "name"), PLACES)
def test_a_right_that_cannot_be_told_is_denied(owner: Any, name: str, c: Company, monkeypatch: Any) -> None:
    """S-22: the n-th question about rights fails, for every n: nothing is written, nothing is told."""
    own_by(c.boss)
    client = client_of(c.boss)
    client.raise_request_exception = False
    real, denied, before = getattr(owner, name), 0, whole_state()
    for url, data in requests(c):
        for last in (1, 2, 3, 5, 8):
            with transaction.atomic():
                fuse = Fuse(real, last)
                monkeypatch.setattr(owner, name, bound(fuse))
                answer = client.post(url, {**data, "submit_id": str(uuid.uuid4())})
                monkeypatch.setattr(owner, name, real)
                if fuse.left <= 0:
                    denied += 1
                    text = answer.content.decode()
                    changed = {n for n, value in whole_state().items() if value != before[n]} - MAY_CHANGE
                    assert answer.status_code >= 400, (url, last)
                    assert BOOM not in text and "Traceback" not in text, url
                    assert not changed, (url, last, changed)
                transaction.set_rollback(True)
    assert denied >= 3 or name == "has_perms"


@pytest.mark.parametrize(("owner", "name"), PLACES)
def test_a_page_without_an_answer_about_rights_shows_nothing(
    owner: Any, name: str, c: Company, monkeypatch: Any
) -> None:
    """S-22: lists, records, exports, searches and reports end as an error page without rows and without details."""
    client = client_of(c.boss)
    client.raise_request_exception = False
    customer = c.row(registry["customer"], OWN)
    Customer.objects.filter(pk=customer.pk).update(name="Zilpzalp Ltd")
    monkeypatch.setattr(owner, name, bound(Fuse(getattr(owner, name))))
    failed = 0
    for url in (
        "/crm/customers/",
        registry["customer"].url_for(customer),
        "/crm/customers/export/?format=csv",
        "/search/?q=Zilpzalp",
        "/ui/pick/customer/?q=Zilpzalp",
    ):
        answer = client.get(url)
        text = answer.content.decode()
        failed += answer.status_code >= 500
        assert BOOM not in text and "Traceback" not in text
        assert answer.status_code < 500 or "Zilpzalp Ltd" not in text
    assert failed or name == "has_perms"


def scanner_down(file: Any) -> str:
    """A scanner that does not answer."""
    raise ConnectionError(BOOM)


def test_a_scanner_that_does_not_answer_lets_nothing_in(c: Company, settings: Any) -> None:
    """S-10, S-22: fail closed."""
    settings.SANHE_VIRUS_SCANNER = f"{__name__}.scanner_down"
    customer = c.row(registry["customer"], OWN)
    client = client_of(c.boss)
    client.raise_request_exception = False
    before = Attachment.objects.count()
    url = f"/records/customer/{registry['customer'].key_of(customer)}/attach/"
    answer = client.post(url, {"files": SimpleUploadedFile("a.txt", b"plain"), "submit_id": str(uuid.uuid4())})
    assert Attachment.objects.count() == before
    assert BOOM not in answer.content.decode()


# ---- logs ----


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as the settings have it written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    given = project.LOGGING["formatters"]["line"]
    assert given["()"] == f"{LineFormatter.__module__}.{LineFormatter.__name__}"
    handler.setFormatter(LineFormatter(given["fmt"]))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)  # as in production
    logging.disable(logging.NOTSET)
    yield stream
    logging.disable(logging.CRITICAL)
    root.setLevel(level)
    root.removeHandler(handler)


FORGED = "2026-01-01 00:00:00,000 INFO root: forged"
EVENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ \S+: ")


@pytest.mark.parametrize(
    "end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x1b[2K\r", "\0"]
)
def test_one_event_is_one_line(end: str, log: io.StringIO) -> None:
    """S-24: in the message, its arguments, and the message of an error."""
    logging.getLogger("t").warning(f"a{end}{FORGED}")
    logging.getLogger("t").warning("a %s", f"b{end}{FORGED}")
    try:
        raise ValueError(f"c{end}{FORGED}")
    except ValueError:
        logging.getLogger("t").exception("d")
    lines = log.getvalue().splitlines()
    assert [line for line in lines if line.startswith(FORGED[:20])] == []
    assert sum(bool(EVENT.match(line)) for line in lines) == 3
    assert all(EVENT.match(line) or line.startswith(CONTINUED) for line in lines)


def test_requests_do_not_write_lines_of_their_own(log: io.StringIO, c: Company) -> None:
    """S-24: names, addresses and headers with line ends in them, through the whole program."""
    client = Client(raise_request_exception=False)
    forged = quoted = f"x\n{FORGED}"
    client.post("/login/", {"username": forged, "password": "x"})
    client.get("/nothing/" + quoted.replace("\n", "%0A").replace(" ", "%20"))
    client.get("/login/", headers={"user-agent": forged, "referer": forged, "host": f"evil\n{FORGED}"})
    inside = client_of(c.boss)
    inside.raise_request_exception = False
    inside.get("/crm/customers/" + quoted.replace("\n", "%0A").replace(" ", "%20") + "/")
    lines = log.getvalue().splitlines()
    assert lines and all(EVENT.match(line) or line.startswith(CONTINUED) for line in lines)
    assert not any(line.startswith(FORGED[:20]) for line in lines)


def test_no_password_is_written_anywhere(log: io.StringIO, c: Company, axes: None) -> None:
    """S-24: a login, a failed one, one under a wrong name, a change: neither in the log nor in any table."""
    c.boss.set_password(PASSWORD)
    c.boss.save()
    Client().post("/login/", {"username": c.boss.username, "password": PASSWORD})
    Client().post("/login/", {"username": "nobody", "password": PASSWORD})
    Client().post("/login/", {"username": c.boss.username, "password": PASSWORD[:-1]})
    client = client_of(c.boss)
    client.post(
        "/password/", {"old_password": PASSWORD, "new_password1": f"{PASSWORD}-2", "new_password2": f"{PASSWORD}-3"}
    )
    stale = Client(enforce_csrf_checks=True)
    stale.post("/password/", {"old_password": PASSWORD}, headers={"sec-fetch-site": "same-origin"})
    assert log.getvalue().count("\n") > 0
    assert PASSWORD[:-1] not in log.getvalue()
    names = [model._meta.db_table for model in tables()] + [
        "axes_accessattempt",
        "axes_accesslog",
        "axes_accessfailurelog",
        "django_session",
    ]
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"SELECT count(*) FROM {name} t WHERE t::text LIKE %s", [f"%{PASSWORD[:-1]}%"])
            assert cursor.fetchone() == (0,), name
