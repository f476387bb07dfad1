"""Duplicates in files of customers (rule C-01): by name and tax number, stored or in the file itself."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.customers.duplicates import same
from crm.customers.models import Customer
from kit.exchange.importing import Report, importer_of, run
from kit.exchange.importing_batch import Options
from kit.exchange.reading import read_table
from oa.organisation.models import Department, User
from tests import factories as make
from tests.plans import Large

pytestmark = pytest.mark.django_db

TITLES = "code,name,tax_number,type"


def bring(*rows: str, by: User | None = None, **options: bool) -> Report:
    table = read_table("\n".join((TITLES, *rows)).encode(), "customers.csv")
    return run(importer_of("customers"), table, by=by, options=Options(**options))


def test_a_known_name_or_number_is_not_imported() -> None:
    """C-01: in plain form; the error stands at the row and the column, with the customer it is about."""
    make.make_customer("Blue Harbour Ltd", code="C-1", tax_number="9132 0500-MA1X")
    report = bring("N-1,BLUE-HARBOUR GmbH,,company", "N-2,Red,91320500ma1x,company", "N-3,Green,91320500MA2X,company")
    assert [(error.row, error.column) for error in report.errors] == [(2, "name"), (3, "tax_number")]
    assert all("C-1 Blue Harbour Ltd" in error.message for error in report.errors)
    assert "same name" in report.errors[0].message and "same tax number" in report.errors[1].message
    assert not report.written and Customer.objects.count() == 1


def test_a_row_that_repeats_an_earlier_one_is_not_imported() -> None:
    """C-01: rows of the same file are compared as well, across the rows that are read at a time."""
    between = [f"M-{n},Middle {n},,company" for n in range(1000)]
    report = bring(
        "N-1,Red Lamp,91320500ma1x,company", *between, "N-2,RED LAMP Inc.,,company", "N-3,X,91320500-MA1X,company"
    )
    assert [(error.row, error.message) for error in report.errors] == [
        (1003, "Row 2 has the same name."), (1004, "Row 2 has the same tax number."),
    ]  # fmt: skip


def test_good_rows_are_imported_without_the_others() -> None:
    """C-01 with UX 6.10: what is there already is left out, the rest is stored."""
    make.make_customer("Blue Harbour", code="C-1")
    report = bring("N-1,Blue Harbour,,company", "N-2,Green,,company", partial=True)
    assert report.written and set(Customer.objects.values_list("code", flat=True)) == {"C-1", "N-2"}


def test_who_wishes_so_imports_them_all_the_same() -> None:
    """C-01: branches share a tax number with their head office; that is said, and then taken."""
    make.make_customer("Blue Harbour", code="C-1", tax_number="91320500MA1X")
    report = bring("N-1,Blue Harbour (South),91320500MA1X,company", twins=True)
    assert report.written and not report.errors


def test_persons_may_have_the_same_name_and_short_words_tell_nothing() -> None:
    """C-01: two people are called Wang Wei; a name of one letter or a number of five is no duplicate."""
    report = bring(
        "P-1,Wang Wei,,person",
        "P-2,Wang Wei,,person",
        "P-3,Wang Wei,,company",
        "A-1,X,123,company",
        "A-2,X,123,company",
    )
    assert report.written, report.errors


def test_a_customer_is_no_duplicate_of_itself() -> None:
    """C-01: a file that changes customers is compared only where a name or a number becomes another one."""
    make.make_customer("Blue Harbour", code="C-1", tax_number="91320500MA1X")
    make.make_customer("Blue Harbour", code="C-2")
    assert bring("C-1,BLUE HARBOUR,91320500MA1X,company", "C-2,Blue Harbour,,company", update=True).errors[0].row == 2
    assert bring("C-1,Blue Harbour,91320500-MA1X,company", update=True).written
    assert bring("C-2,Blue Harbour,91320500MA1X,company", update=True).errors[0].column == "tax_number"


def test_of_what_one_does_not_see_only_who_is_responsible_is_told() -> None:
    """C-01, G-21: the row is refused, and nothing of the hidden customer stands in the report."""
    south, north = (Department.objects.create(code=code, name=name) for code, name in (("S", "South"), ("N", "North")))
    sam = make.make_user("sam", "sales-manager", name="Sam Low", department=south)
    nora = make.make_user("nora", "sales", name="Nora Fell", department=north)
    make.make_customer("Blue Harbour", code="C-7", owner=nora, department=north, city="Wuxi")
    if Customer.objects.visible_to(sam).exists():
        sam = make.make_user("sid", "sales", name="Sid Low", department=south)
    (error,) = bring("N-1,Blue Harbour,,company", by=sam).errors
    assert "Nora Fell · North" in error.message
    assert not any(word in str(error) for word in ("C-7", "Wuxi"))


def test_the_check_takes_the_same_statements_for_many_rows() -> None:
    """PERFORMANCE 3, C-01: per chunk, not per row."""
    counts = []
    for start, many in ((0, 5), (100, 400)):
        rows = [f"N-{n},Company {n} of the north,{90000000 + n},company" for n in range(start, start + many)]
        with CaptureQueriesContext(connection) as queries:
            assert bring(*rows).written
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_names_and_numbers_are_found_by_an_index() -> None:
    """PERFORMANCE 3: no scan of the customers for the check."""
    Customer.objects.bulk_create(
        Customer(code=f"B-{n}", name=f"Company {n} of the south", tax_number=f"{80000000 + n}") for n in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_customer")
    found = same({"company7ofthesouth"}, {"80000009"}).order_by("pk")
    with CaptureQueriesContext(connection) as queries:
        assert [row.code for row in found] == ["B-7", "B-9"]
    ways = list(Large({"crm_customer"}, 10).scans(queries.captured_queries[-1]["sql"]))
    assert ways and all(how != "Seq Scan" and rows <= 10 for _table, how, rows in ways)
