"""The import page: check, import the good rows, get the bad ones back (T-03, UX 6.10)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from erp.inventory.models import Unit
from oa.records.models import Job
from tests.factories import make_user
from tests.kit.test_exporting import sheet_of

pytestmark = pytest.mark.django_db
GOOD = "code,name,decimals\nroll,Roll,0\nbale,Bale,2\n"


def browser(*roles: str) -> Client:
    client = Client()
    client.force_login(make_user("", *roles), backend="oa.organisation.auth.NameOrMailBackend")
    return client


def upload(client: Client, text: str, **options: Any) -> Any:
    return client.post(
        "/stock/units/import/", {"file": SimpleUploadedFile("units.csv", text.encode()), "update": "on", **options}
    )


def token_of(answer: Any) -> str:
    found = re.search(r'name="token" value="([0-9a-f]+)"', answer.content.decode())
    assert found is not None
    return found[1]


def test_a_file_is_checked_first_and_written_only_then() -> None:
    client = browser()
    answer = upload(client, GOOD)
    assert "2 new" in answer.content.decode() and not Unit.objects.filter(code="roll").exists()
    done = client.post("/stock/units/import/", {"token": token_of(answer), "action": "import"})
    assert done.status_code == 200 and Unit.objects.filter(code__in=["roll", "bale"]).count() == 2


def test_good_rows_are_imported_and_bad_ones_come_back_with_their_reason() -> None:
    client = browser()
    answer = upload(client, GOOD + "crate,Crate,nine\n")
    text = answer.content.decode()
    assert "2 new" in text and "1 with errors" in text and "nine" in text
    bad = client.post("/stock/units/import/", {"token": token_of(answer), "action": "bad"})
    last = [cell.value for cell in list(sheet_of(bad.content).iter_rows())[-1]]
    assert last[:3] == ["crate", "Crate", "nine"] and "nine" in last[3]
    client.post("/stock/units/import/", {"token": token_of(answer), "action": "import"})
    assert Unit.objects.filter(code="roll").exists() and not Unit.objects.filter(code="crate").exists()


def test_a_file_sent_twice_is_imported_once() -> None:
    client = browser()
    token = token_of(upload(client, GOOD))
    for _attempt in range(2):
        client.post("/stock/units/import/", {"token": token, "action": "import"})
    assert Unit.objects.filter(code="roll").count() == 1


def test_the_file_of_another_session_is_not_found() -> None:
    token = token_of(upload(browser(), GOOD))
    assert browser().post("/stock/units/import/", {"token": token, "action": "import"}).status_code == 404


def test_many_rows_become_a_job_with_progress() -> None:
    client = browser()
    text = "code,name,decimals\n" + "".join(f"u{n:04},Unit {n},0\n" for n in range(600))
    answer = client.post("/stock/units/import/", {"token": token_of(upload(client, text)), "action": "import"})
    job = Job.objects.get(kind="import")
    assert answer.status_code == 302 and str(job.key) in answer["Location"]


def test_unknown_columns_and_strangers_are_refused() -> None:
    assert "colour" in upload(browser(), "code,name,colour\na,b,c\n").content.decode()
    assert browser("sales").get("/stock/units/import/").status_code == 403
    assert browser().get("/stock/units/import/?template=1")["Content-Type"].startswith("application/vnd")
