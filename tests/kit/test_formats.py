"""Figures as people type and read them (UX 6.5.5, 7.3, 7.7)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest

from kit.pages import formats


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1280", D(1280)),
        ("1,280.5", D("1280.5")),
        ("１２３．５", D("123.5")),
        ("=40*1.05", D("42.00")),
        ("=(12+3)/4", D("3.75")),
        ("1.2w", D(12000)),
        ("1.2万", D(12000)),
        ("−5", D(-5)),
        ("13%", D(13)),
        ("", None),
        (" 7 ", D(7)),
        ("¥ 8", D(8)),
    ],
)
def test_numbers_are_read_as_typed(text: str, value: D | None) -> None:
    assert formats.parse_number(text) == value


@pytest.mark.parametrize(
    "text", ["abc", "13 % x", "=__import__('os')", "=2**99", "1e400", "=1/0", "NaN", "=a.b", "9" * 40]
)
def test_what_is_no_number_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="“"):
        formats.parse_number(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-05", dt.date(2026, 11, 5)),
        ("20261105", dt.date(2026, 11, 5)),
        ("1123", dt.date(2026, 11, 23)),
        ("11-23", dt.date(2026, 11, 23)),
        ("+7", dt.date(2026, 12, 1)),
        ("t", dt.date(2026, 11, 24)),
        ("", None),
        ("2026/11/5", dt.date(2026, 11, 5)),
    ],
)
def test_dates_are_read_as_typed(text: str, value: dt.date | None) -> None:
    assert formats.parse_date(text, dt.date(2026, 11, 24)) == value


@pytest.mark.parametrize("text", ["2026-02-31", "1345", "yesterday", "2026-11-05-06"])
def test_what_is_no_date_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="“"):
        formats.parse_date(text, dt.date(2026, 11, 24))


def test_amounts_have_thousands_and_a_true_minus() -> None:
    assert formats.money(D("-12480")) == "\u221212,480.00"
    assert formats.trimmed(D("1286.5000")) == "1,286.5"
    assert formats.trimmed(D("86.500000"), 2) == "86.50"
    assert formats.percent(D("21.44")) == "21.4%"
