"""Search by words, Chinese characters, pinyin and initials."""

from __future__ import annotations

import pytest
from django.db import connection

from crm.customers.models import Customer
from crm.followups.models import FollowUp
from kit.rules.search import matching, pinyin_key, tsquery
from tests.factories import make_customer, make_user


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("Acme GmbH", "'acme':* & 'gmbh':*"),
        ("明锐", "'明锐'"),
        ("苏州明锐", "'苏州' & '州明' & '明锐'"),
        ("锐", "'锐'"),
        ("Müller", "'muller':*"),
        ("ＡＢＣ１２", "'abc12':*"),
        ("SV-750W", "'sv':* & '750w':*"),
        ("a'b\\c", "'a':* & 'b':* & 'c':*"),
        ("  !? ", ""),
        ("SV明锐", "'sv':* & '明锐'"),
        ("a a 明锐明锐", "'a':* & '明锐' & '锐明'"),
        ("x" * 5000, f"'{'x' * 60}':*"),
        (" ".join(f"w{n:02}" for n in range(5000)), " & ".join(f"'w{n:02}':*" for n in range(40))),
    ],
)
def test_typed_words_become_a_query(typed: str, query: str) -> None:
    """Words as prefixes, Chinese by pairs, all of them required; nothing typed can break the syntax."""
    assert tsquery(typed) == query


@pytest.mark.django_db
def test_words_of_any_length_are_found() -> None:
    """S-07: a word is kept and asked for by its first letters; a longer one is no error."""
    Customer.objects.create(code="LONG", name=f"{'donau' * 20} {'x' * 90}")
    for typed in ("donau" * 20, "donau" * 3, "x" * 90, "x" * 9000):
        assert [c.code for c in matching(Customer.objects.all(), typed)] == ["LONG"], typed[:20]


@pytest.mark.django_db
def test_texts_of_any_length_are_kept() -> None:
    """S-07: many letters cost a pass over them and never too many lexemes; the first 100,000 are found again."""
    letters = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(600_000))
    note = make_customer(code="LONG").followups.create(text=letters, owner=make_user("writer"))
    for part, found in ((letters[:2], True), (letters[99_990:100_000], True), ("ж" * 9, False)):
        assert matching(FollowUp.objects.all(), part).filter(pk=note.pk).exists() is found


def test_pinyin_has_every_tail_of_the_initials() -> None:
    """苏州明锐 is found by szmr, zmr, mr and by its full pinyin."""
    assert pinyin_key("苏州明锐") == "suzhoumingrui szmr zmr mr r"
    assert pinyin_key("Acme 明锐 GmbH 苏州") == "mingrui mr r suzhou sz z"
    assert pinyin_key("no Chinese") == "" and len(pinyin_key("锐" * 900)) == 1000


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("明锐", {"mingrui"}),
        ("苏州", {"mingrui", "suzhou"}),
        ("szmr", {"mingrui"}),
        ("mr", {"mingrui"}),
        ("suzhou", {"mingrui", "suzhou"}),
        ("suzhoum", {"mingrui"}),
        ("锐明", set()),
        ("muller", {"muller"}),
        ("Müller", {"muller"}),
        ("MULL", {"muller"}),
        ("uller", set()),
        ("精密", {"mingrui"}),
        ("0512", {"mingrui"}),
        ("cafe zurich", {"cafe"}),
        ("Café", {"cafe"}),
        ("ｃａｆｅ", {"cafe"}),
        ("москва", {"moskva"}),
        ("明锐 0512", {"mingrui"}),
        ("明锐 9999", set()),
        ("'", set()),
        ("", {"mingrui", "suzhou", "muller", "cafe", "moskva"}),
    ],
)
def test_customers_are_found(typed: str, found: set[str]) -> None:
    """DESIGN, cornerstone Search: by Chinese, pinyin, initials, prefixes, with and without accents, any width."""
    names = {
        "mingrui": "苏州明锐精密机械有限公司",
        "suzhou": "苏州工业园区管理处",
        "muller": "Müller & Söhne",
        "cafe": "Café Zürich",
        "moskva": "ООО Москва",
    }
    for code, name in names.items():
        Customer.objects.create(code=code, name=name, phone="0512-6288" if code == "mingrui" else "")
    assert {c.code for c in matching(Customer.objects.all(), typed)} == found


@pytest.mark.django_db
def test_search_uses_its_index() -> None:
    """DESIGN: a two-character Chinese query never scans."""
    Customer.objects.bulk_create(Customer(code=f"C{number}", name=f"客户{number}", pinyin="") for number in range(2000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_customer")
        cursor.execute("SET LOCAL enable_seqscan = off")
        sql, params = matching(Customer.objects.all(), "明锐").order_by().query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", params)
        assert "customer_search" in "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.django_db
def test_names_changed_later_are_found_by_their_new_pinyin() -> None:
    """Stored with every save and bulk_create."""
    customer = Customer.objects.create(code="X", name="明锐")
    customer.name = "恒拓"
    customer.save()
    assert not matching(Customer.objects.all(), "mr").exists()
    assert matching(Customer.objects.all(), "ht").get() == customer
