"""Cells and titles of imported files as people write them (UX 6.10, rule F-18)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kit.exchange.importing_columns import Column, day, match_header, number, yes_or_no


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1,234.5", "money", "1234.5"),
        ("１２", "quantity", "12"),
        ("１，２３４．５０", "money", "1234.50"),
        ("-3", "quantity", "-3"),
        ("0.15", "fraction", "0.15"),
        ("15%", "fraction", "0.15"),
        ("13", "percent", "13"),
        ("1.2万", "money", "12000"),
        (" 12 ", "integer", "12"),
        ("¥1,280", "money", "1280"),
        ("9.123456", "price", "9.123456"),
    ],
)
def test_numbers_as_people_write_them(text: str, kind: str, value: str) -> None:
    """F-18: thousands, full-width digits, percent; nothing is rounded."""
    assert number(text, kind) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("13 %%x", "money"),
        ("9,8", "money"),
        ("1.234,50", "money"),
        ("1.005", "money"),
        ("1e400", "price"),
        ("abc", "integer"),
        ("1.5", "integer"),
        ("nan", "money"),
        ("1,23,456", "money"),
        ("10000000000000000", "money"),
    ],
)
def test_numbers_that_are_none(text: str, kind: str) -> None:
    """F-18: a comma before decimals, too many decimals and text are refused, never guessed."""
    with pytest.raises(ValueError, match="“"):
        number(text, kind)


def test_dates_as_people_write_them() -> None:
    """F-18: a date has its year; months have the days they have."""
    for text in (
        "1996-07-04",
        "1996/7/4",
        "1996.07.04",
        "19960704",
        "1996年7月4日",
        "1996-07-04 00:00:00",
        "１９９６-０７-０４",
    ):
        assert day(text).isoformat() == "1996-07-04"
    for text in ("2026-02-31", "31.2.2026", "7/4/1996", "0704", "35250", "2026-13-01", "1996", "yesterday"):
        with pytest.raises(ValueError, match="is not a date"):
            day(text)


def test_yes_and_no_in_both_languages() -> None:
    """Booleans are read in English, Chinese and as machines write them."""
    assert [yes_or_no(text) for text in ("yes", "TRUE", "1", "是")] == [True] * 4
    assert [yes_or_no(text) for text in ("No", "false", "0", "否")] == [False] * 4
    with pytest.raises(ValueError, match="neither yes nor no"):
        yes_or_no("perhaps")


def test_titles_in_any_case_and_language() -> None:
    """T-03: name, label and Chinese title are the same column; unknown and double ones are told."""
    columns = [
        Column("unit_price", "Unit price", "price", aliases=("单价",)),
        Column("code", "Code", aliases=("编码",)),
    ]
    for title in ("unit_price", "Unit Price", " UNIT-PRICE* ", "unitprice", "单价", "单 价"):
        assert match_header(columns, 1, [title, "编码"]).columns[0].name == "unit_price"
    header = match_header(columns, 1, ["code", "colour", "", "编码", "Reason"])
    assert (header.unknown, header.double, header.ignored) == (("colour",), ("编码",), frozenset({4}))
