"""The words of documents: read in a limited child, searched within what a person may see (spec office 5.8.2, F-20)."""

from __future__ import annotations

import io
import time
import zipfile
from types import SimpleNamespace

import pytest
import xlsxwriter
from django.urls import reverse

from kit.exchange.limited import Limits, Refused, run_limited
from kit.exchange.previews import READABLE, TEXT, read_text
from oa.documents import services
from oa.documents.models import LibraryDocument, VersionText
from oa.documents.reading import read_version, why
from oa.documents.search import excerpts, found, marked
from oa.documents.services.versions import READING
from oa.records.jobs import run_job
from oa.records.models import Job
from tests.oa.library import client_of, company, document, docx, file, folder, fresh, let, office, pdf

pytestmark = pytest.mark.django_db


def workbook(*cells: str) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        book.add_worksheet("Prices").write_row(0, 0, cells)
    return stream.getvalue()


SLIDE = '<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>伺服电机 motor</a:t></a:r></a:p></p:sld>'
FILES = {
    "plan.txt": "伺服电机 motor".encode("gb18030"),
    "notes.md": "# 伺服电机\n\n*motor*".encode(),
    "list.csv": "编号,名称\n1,伺服电机 motor\n".encode(),
    "letter.docx": docx("伺服电机", "motor"),
    "prices.xlsx": workbook("伺服电机", "motor"),
    "slides.pptx": office("ppt/presentation.xml", "<p/>", **{"ppt/slides/slide1.xml": SLIDE.encode()}),
    "paper.pdf": pdf("motor 伺服电机", "page two"),
}


@pytest.fixture
def c() -> SimpleNamespace:
    made = company()
    made.top = folder("top")
    let(made.top, made.ann, "edit")
    return made


@pytest.mark.parametrize("name", FILES)
def test_words_of_each_kind_are_found(name: str, c: SimpleNamespace) -> None:
    """5.8.2: by Chinese characters and by the beginning of a word, with the place in the text marked."""
    doc = document(c.top, name, FILES[name], by=c.ann)
    assert fresh(doc).current.text.state == "read"
    for asked in ("伺服电机", "服电", "moto"):
        hits = found(LibraryDocument.objects.visible_to(c.ann), asked)
        assert list(hits) == [doc], asked
        assert f"<mark>{asked}</mark>" in excerpts(hits, asked)[doc.pk]
    assert not found(LibraryDocument.objects.all(), "robot").exists()


def test_the_text_is_read_by_a_job_that_tells_no_name(
    c: SimpleNamespace, django_capture_on_commit_callbacks: object
) -> None:
    """5.8.2: after the upload, by a worker; whoever sees all jobs learns nothing of a closed folder."""
    with django_capture_on_commit_callbacks(execute=False):  # type: ignore[operator]
        doc = services.add_document(c.top, file("Zaunkönig.txt", "sings"), by=c.ann)
    job = Job.objects.get(kind=READING)
    assert doc.current is not None and "Zaun" not in f"{job.title}{job.params}"
    assert VersionText.objects.get(pk=doc.current.pk).state == "waiting"
    assert run_job(job.pk)
    assert VersionText.objects.get(pk=doc.current.pk).text == "sings"
    assert read_version(doc.current.pk) == "none"  # doing it again reads nothing twice


BOMB = b"<w:t>" + b" " * 60_000_000 + b"</w:t>"
HOSTILE = {
    "old.docx": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "password"),
    "locked.pdf": (pdf("secret", password=True), "password"),
    "broken.pdf": (b"%PDF-1.7\n1 0 obj\n<</Type/Catalog", "damaged"),
    "cut.docx": (docx("a" * 5000)[:-200], "damaged"),
    "bomb.docx": (office("word/document.xml", "<a/>", **{"word/header1.xml": BOMB}), "inflated"),
    "entities.docx": (docx("&a;", head='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'), "damaged"),
    "laughs.docx": (docx("&b;", head='<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'), "damaged"),
    "deep.docx": (office("word/document.xml", "<w:p>" * 100_000), "damaged"),
    "deep.pdf": (b"%PDF-1.7\n1 0 obj\n" + b"[" * 400_000 + b"\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF", "damaged"),
    "odd.txt": (b"\xff\xfe\x00", "encoding"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_its_child_only(name: str) -> None:
    """F-20, S-13: refused with a code that has words; nothing of it in this process."""
    content, code = HOSTILE[name]
    with pytest.raises(Refused) as caught:
        read_text(io.BytesIO(content), name.rpartition(".")[2])
    assert caught.value.facts["error"] == code
    assert why(code)


def test_the_document_tells_that_it_could_not_be_read(c: SimpleNamespace) -> None:
    """5.8.2: "text could not be read" with the reason; found by its name all the same."""
    doc = document(c.top, "locked.pdf", HOSTILE["locked.pdf"][0], by=c.ann)
    text = fresh(doc).current.text
    assert (text.state, text.reason, text.text) == ("failed", "password", "")
    page = client_of(c.ann).get(reverse("librarydocument-record", args=[f"d-{doc.pk}"])).content.decode()
    assert "text could not be read: It has a password." in page and "There is no preview." in page
    assert list(found(LibraryDocument.objects.all(), "locked")) == [doc]


def test_limits_hold_whatever_the_child_does() -> None:
    """F-20: memory, time of the processor and bytes written are limited by the system, not by good will."""
    tight = Limits(memory=25 * 1024 * 1024, seconds=5, written=1000, waiting=20)
    with pytest.raises(Refused, match="memory"):
        _run(FILES["paper.pdf"], "pdf", tight)
    with pytest.raises(Refused, match="memory"):
        _run(b"words " * 1000, "txt", Limits(512 * 1024 * 1024, 5, 1000, 20))
    started = time.monotonic()
    slow = office("word/document.xml", "<w:t>" + "<a/>" * 9_000_000 + "</w:t>", method=zipfile.ZIP_STORED)
    with pytest.raises(Refused, match="time"):
        _run(slow, "docx", Limits(512 * 1024 * 1024, 1, 10_000, 30))
    assert time.monotonic() - started < 20


def _run(content: bytes, kind: str, limits: Limits) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as given, tempfile.TemporaryFile() as out:
        given.write(content)
        given.flush()
        run_limited("text", given.name, kind, str(TEXT), output=out, limits=limits)


def test_text_is_kept_up_to_a_megabyte(c: SimpleNamespace) -> None:
    """5.8.2: of a stranger text the start; a megabyte of different Chinese pairs does not break the search column."""
    assert len(read_text(io.BytesIO(b"word " * 400_000), "txt").encode()) == TEXT
    signs = "".join(chr(0x4E00 + (n * 7919 + n * n) % 20_000) for n in range(330_000))
    doc = document(c.top, "signs.txt", signs, by=c.ann)
    text = fresh(doc).current.text
    assert text.state == "read" and len(text.text.encode()) <= TEXT
    assert list(found(LibraryDocument.objects.all(), signs[1000:1004])) == [doc]


def test_drafts_that_wait_for_a_second_person_are_not_searched(c: SimpleNamespace) -> None:
    """5.8.2: their published text is, and no reader learns a word of what comes next."""
    c.top.needs_review = True
    c.top.save()
    let(c.top, c.bob, "view")
    doc = document(c.top, content="first words", by=c.ann)
    services.submit_document(doc, by=c.ann)
    services.publish_document(doc, by=None)
    services.check_in(fresh(doc), file(content="secret second words"), by=c.ann)
    read_version(fresh(doc).current.pk)
    client = client_of(c.bob)
    assert "plan.txt" in client.get("/docs/search/?q=first").content.decode()
    assert "Nothing found" in client.get("/docs/search/?q=secret").content.decode()
    page = client.get(reverse("librarydocument-record", args=[f"d-{doc.pk}"])).content.decode()
    assert "first words" in page and "secret" not in page


def test_excerpts_are_escaped() -> None:
    """S-10: what a document says is text, whatever it looks like."""
    assert marked("<b>motor</b> & motor", ["motor"]) == (
        "&lt;b&gt;<mark>motor</mark>&lt;/b&gt; &amp; <mark>motor</mark>"
    )


def test_search_needs_few_statements_however_many_hits(c: SimpleNamespace) -> None:
    """UX 9: hits and excerpts are two statements beside the page's own."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(c.ann)

    def count() -> int:
        client.get("/docs/search/?q=motor")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/docs/search/?q=motor").status_code == 200
        return len(queries)

    for n in range(2):
        document(c.top, f"a{n}.txt", "motor", by=c.ann)
    few = count()
    for n in range(20):
        document(c.top, f"b{n}.txt", "motor", by=c.ann)
    assert count() == few <= 14


def test_every_readable_kind_is_tried() -> None:
    """The list above is complete."""
    assert {name.rpartition(".")[2] for name in FILES} == READABLE
