"""The import page: check, import the good rows, get the bad ones back (T-03, UX 6.10)."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.customers.models import Customer
from erp.inventory.models import Unit
from kit.exchange.importing_files import SMALL
from oa.records.jobs import run_job
from oa.records.models import Job
from tests.factories import make_customer, make_user

pytestmark = pytest.mark.django_db
UNITS = "/stock/units/import/"
GOOD = "code,name,decimals\nroll,Roll,0\nbale,Bale,2\n"
BAD = GOOD + "crate,Crate,nine\n"


def browser(*roles: str, name: str = "") -> Client:
    client = Client()
    client.force_login(make_user(name, *roles), backend="oa.organisation.auth.NameOrMailBackend")
    return client


def upload(client: Client, text: str | bytes, page: str = UNITS, name: str = "units.csv", **options: Any) -> Any:
    content = text.encode() if isinstance(text, str) else text
    return client.post(page, {"file": SimpleUploadedFile(name, content), "update": "on", **options})


def checked(client: Client, text: str | bytes, **more: Any) -> tuple[str, str]:
    """The address of the check page and what stands on it."""
    answer = upload(client, text, **more)
    assert answer.status_code == 302, answer.content.decode()
    page = client.get(answer["Location"])
    assert page.status_code == 200
    return answer["Location"], plain(page)


def plain(answer: Any) -> str:
    """The text of a page without its marks."""
    text = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode())
    return " ".join(unescape(text).split())


def write(client: Client, address: str, **fields: Any) -> Any:
    answer = client.post(address, {"step": "write", **fields})
    assert answer.status_code == 302
    return client.get(answer["Location"])


def test_the_first_step_offers_file_columns_and_templates() -> None:
    """UX 6.10: the page says which columns there are, and gives a template with drop-downs."""
    client = browser()
    text = plain(client.get(UNITS))
    assert "Choose a file" in text and "name_zh" in text and "at most 60 characters" in text
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"{UNITS}?template=xlsx").content)).active
    assert [cell.value for cell in sheet[1]] == ["Code*", "Name", "Chinese name", "Decimals", "Active"]
    assert sheet.data_validations.dataValidation[0].formula1 == '"yes,no"'
    assert "Code,Name" in client.get(f"{UNITS}?template=csv").content.decode()


def test_a_template_is_read_back_in_both_languages() -> None:
    """T-03: what the template says over its columns is what the importer reads."""
    client = browser(name="zh")
    user = Customer._meta.get_field("owner").related_model.objects.get(username="zh")
    for language in ("en", "zh-hans"):
        user.language = language
        user.save()
        for page in (
            "/crm/customers/import/",
            "/stock/products/import/",
            "/sales/orders/import/",
            "/finance/vouchers/import/",
        ):
            titles = client.get(f"{page}?template=csv").content
            answer = upload(client, titles + b"x\r\n", page=page)
            text = plain(client.get(answer["Location"]))
            assert "There is no column" not in text and "there twice" not in text, (language, page)


def test_a_file_is_checked_first_and_written_only_then() -> None:
    """T-03: the dry run shows every row and writes nothing; the second step needs no second upload."""
    client = browser()
    address, text = checked(client, GOOD)
    assert "New: 2. Updated: 0. Unchanged: 0. Wrong rows: 0." in text
    assert "Import 2 rows" in text
    assert not Unit.objects.filter(code="roll").exists()
    text = plain(write(client, address))
    assert "The file was imported. New: 2." in text
    assert Unit.objects.filter(code__in=["roll", "bale"]).count() == 2


def test_good_rows_are_imported_and_bad_ones_come_back_with_their_reason() -> None:
    """T-03: the cell is marked, the good rows go in, the bad ones come as a workbook that can be sent back."""
    client = browser()
    address, text = checked(client, BAD)
    assert "Row 4, decimals: “nine” is not a number." in text
    assert 'aria-invalid="true">nine' in client.get(address).content.decode()
    assert "Import the 2 good rows" in text and "Download the 1 bad row" in text
    bad = client.get(f"{address}&bad=1")
    rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(bad.content)).active.iter_rows()]
    assert rows == [
        ["code", "name", "decimals", "Reason"],
        ["crate", "Crate", "nine", "decimals: “nine” is not a number."],
    ]
    assert "New: 2. Updated: 0. Unchanged: 0. Wrong rows: 1." in plain(write(client, address, partial="1"))
    assert Unit.objects.filter(code="roll").exists() and not Unit.objects.filter(code="crate").exists()
    book = openpyxl.load_workbook(io.BytesIO(bad.content))
    book.active["C2"] = 0
    file = io.BytesIO()
    book.save(file)
    address, text = checked(client, file.getvalue(), name="units-errors.xlsx")
    assert "New: 1." in text
    write(client, address)
    assert Unit.objects.filter(code="crate").exists()


def test_a_file_with_errors_is_not_imported_as_a_whole() -> None:
    """I-39: without the choice of the good rows nothing is written."""
    client = browser()
    address, _text = checked(client, BAD)
    assert "Nothing was written." in plain(write(client, address))
    assert not Unit.objects.filter(code__in=["roll", "crate"]).exists()


def test_updates_show_what_they_change() -> None:
    """UX 6.10: rows that update show the old value beside the new one."""
    client = browser()
    address, text = checked(client, "code,name\npc,Item\nkg,Kilogram\n")
    assert "New: 0. Updated: 1. Unchanged: 1." in text
    assert '<s class="t3">Piece</s> Item' in client.get(f"{address}&show=updated").content.decode()
    assert "Kilogram" not in plain(client.get(f"{address}&show=updated"))
    write(client, address)
    assert Unit.objects.get(code="pc").name == "Item"


def test_existing_records_are_only_changed_on_request() -> None:
    """T-03: without the choice to update, records that exist are errors."""
    client = browser()
    answer = client.post(UNITS, {"file": SimpleUploadedFile("units.csv", b"code,name\npc,Item\n")})
    assert "Piece exists already. Choose to update existing records." in plain(client.get(answer["Location"]))


def test_a_form_sent_twice_is_imported_once() -> None:
    """I-31: the same form again has no second effect, and shows the first result."""
    client = browser()
    address, _text = checked(client, GOOD)
    submit = re.search(r'name="submit_id" value="([^"]+)"', client.get(address).content.decode())
    assert submit is not None
    for _attempt in range(2):
        assert "New: 2." in plain(write(client, address, submit_id=submit[1]))
    assert Unit.objects.filter(code="roll").count() == 1


def test_a_file_belongs_to_who_uploaded_it() -> None:
    """S-03: the address of somebody else's file, of another page or of an old file leads to a new upload."""
    client = browser()
    address, _text = checked(client, GOOD)
    for other, place in (
        (browser(), address),
        (client, address.replace("units", "product-groups")),
        (client, f"{UNITS}?file=x"),
    ):
        answer = other.get(place)
        assert (answer.status_code, "not kept any more" in plain(answer)) == (422, True)
    for folder in default_storage.listdir("imports")[0]:
        for file in default_storage.listdir(f"imports/{folder}")[1]:
            default_storage.delete(f"imports/{folder}/{file}")
    assert client.post(address, {"step": "write"}).status_code == 422
    assert not Unit.objects.filter(code="roll").exists()


def test_files_that_cannot_be_read_are_told_on_the_page() -> None:
    """S-13: the page survives what only looks like a file."""
    client = browser()
    for content, said in ((b"", "has no rows"), (b"\xd0\xcf\x11\xe0x", "old workbook"), (b"a\0b", "cannot be stored")):
        answer = upload(client, content)
        assert (answer.status_code, said in plain(answer)) == (422, True)
    answer = client.post(UNITS, {})
    assert (answer.status_code, "Choose a file." in plain(answer)) == (422, True)


def test_unknown_columns_and_strangers_are_refused() -> None:
    """G-21: the page needs the right to add; kinds of documents need the rights of all their commands."""
    _address, text = checked(browser(), "code,name,colour\na,b,c\n")
    assert "There is no column “colour”" in text
    assert browser("sales").get(UNITS).status_code == 403
    assert browser("sales").get("/sales/orders/import/").status_code == 403
    assert "Import" not in plain(browser("sales").get("/sales/orders/"))
    assert browser().get("/sales/orders/import/").status_code == 200
    assert "Import" in plain(browser().get("/sales/orders/"))


def test_visible_rows_only() -> None:
    """G-21: a salesperson sees neither that a customer of somebody else exists nor what it is called."""
    make_customer("Secret", code="C-1", owner=make_user("rival", "sales"))
    _address, text = checked(browser("sales"), "code,name\nC-1,Mine\n", page="/crm/customers/import/")
    assert "This key is taken." in text and "Secret" not in text


@pytest.mark.django_db(transaction=True)
def test_many_rows_become_a_job_with_progress() -> None:
    """UX 6.10: more than 500 rows are checked and imported by a job that leads back to the page."""
    client = browser()
    text = "code,name,decimals\n" + "".join(f"u{n:04},Unit {n},0\n" for n in range(SMALL + 1))
    answer = upload(client, text)
    job = Job.objects.get(kind="import")
    assert str(job.key) in answer["Location"]
    run_job(job.pk)  # unless a worker of this process was quicker
    job.refresh_from_db()
    assert job.state == "done", job.error
    assert (job.result["new"], job.done) == (SMALL + 1, SMALL + 1)
    assert f"New: {SMALL + 1}." in plain(client.get(job.result["url"]))
    assert not Unit.objects.filter(code="u0001").exists()
    client.post(job.result["url"], {"step": "write"})
    second = Job.objects.filter(kind="import").latest("pk")
    assert second.pk != job.pk
    run_job(second.pk)
    second.refresh_from_db()
    assert second.state == "done", second.error
    assert Unit.objects.filter(code__startswith="u0").count() == SMALL + 1
    assert "The file was imported." in plain(client.get(second.result["url"]))


def test_the_check_page_costs_the_same_for_many_rows() -> None:
    """House rule: statements do not grow with the rows of the file."""
    client = browser()

    def count(rows: int) -> int:
        address, _text = checked(client, "code,name\n" + "".join(f"v{rows}-{n},Unit\n" for n in range(rows)))
        with CaptureQueriesContext(connection) as statements:
            client.get(f"{address}&show=all")
        return len(statements)

    assert count(3) == count(300)
