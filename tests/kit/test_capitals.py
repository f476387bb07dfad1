"""Amounts in words (UX 6.9)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.values.capitals import amount_in_words, english_words, rmb_capitals

RMB = {
    # the values of UX 6.9
    "140048.00": "壹拾肆万零肆拾捌元整",
    "10050.05": "壹万零伍拾元零伍分",
    "1000000.5": "壹佰万元伍角整",
    "0.07": "柒分",
    "20010": "贰万零壹拾元整",
    # below one 元, zero, negative
    "0": "零元整",
    "0.004": "零元整",
    "-0.004": "零元整",
    "0.5": "伍角整",
    "0.57": "伍角柒分",
    "-12480.30": "负壹万贰仟肆佰捌拾元叁角整",
    # one 零 for a gap, however long
    "1001": "壹仟零壹元整",
    "1010.01": "壹仟零壹拾元零壹分",
    "100000001": "壹亿零壹元整",
    "100010000": "壹亿零壹万元整",
    "100001000": "壹亿零壹仟元整",
    "1000100": "壹佰万零壹佰元整",
    "1007000.53": "壹佰万柒仟元伍角叁分",
    # 万 before 亿, the largest numeric(18,2)
    "1000000000000": "壹万亿元整",
    "9999999999999999.99": "玖仟玖佰玖拾玖万玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
    # half up to 分
    "0.005": "壹分",
    "9.995": "壹拾元整",
}


@pytest.mark.parametrize(("amount", "words"), RMB.items())
def test_rmb_capitals(amount: str, words: str) -> None:
    """UX 6.9: 大写 of the given test values and of the gaps around them."""
    assert rmb_capitals(Decimal(amount)) == words


def _read(words: str) -> Decimal:
    """The amount that capitals say: an independent reader of what `rmb_capitals` writes."""
    sign = Decimal(-1 if words.startswith("负") else 1)
    total, section, digit = 0, 0, 0
    for char in words.lstrip("负").replace("整", ""):
        if char in "零壹贰叁肆伍陆柒捌玖":
            digit = "零壹贰叁肆伍陆柒捌玖".index(char)
        elif char in "拾佰仟":
            section, digit = section + digit * {"拾": 10, "佰": 100, "仟": 1000}[char] * 100, 0
        elif char in "万亿":
            section = (section + digit * 100) * (10**4 if char == "万" else 1)
            total, section, digit = (total + section, 0, 0) if char == "万" else ((total + section) * 10**8, 0, 0)
        elif char == "元":
            total, section, digit = total + section + digit * 100, 0, 0
        else:
            total, digit = total + digit * (10 if char == "角" else 1), 0
    return sign * Decimal(total) / 100


@given(st.decimals(min_value="-999999999999.99", max_value="999999999999.99", places=2))
def test_rmb_capitals_say_the_amount(amount: Decimal) -> None:
    """UX 6.9: reading the capitals back gives the amount, and never two 零 in a row."""
    words = rmb_capitals(amount)
    assert _read(words) == amount
    assert "零零" not in words


@pytest.mark.parametrize(
    ("amount", "exponent", "words"),
    [
        ("0", 2, "zero and 00/100"),
        ("1280.5", 2, "one thousand two hundred eighty and 50/100"),
        ("21.07", 2, "twenty-one and 07/100"),
        ("-1000001", 2, "minus one million one and 00/100"),
        ("115", 0, "one hundred fifteen"),
        (
            "9999999999999999.99",
            2,
            "nine thousand nine hundred ninety-nine trillion nine hundred ninety-nine billion nine hundred "
            "ninety-nine million nine hundred ninety-nine thousand nine hundred ninety-nine and 99/100",
        ),
    ],
)
def test_english_words(amount: str, exponent: int, words: str) -> None:
    """UX 6.9: English words with the minor units of the currency."""
    assert english_words(Decimal(amount), exponent) == words


def test_amount_in_words_names_the_currency() -> None:
    """UX 6.9: the line on the paper names RMB as 人民币 and any other currency by its code."""
    assert amount_in_words(Decimal("20010"), "CNY", "zh-hans") == "人民币贰万零壹拾元整"
    assert amount_in_words(Decimal("20010"), "USD", "zh-hans") == "USD 贰万零壹拾元整"
    assert amount_in_words(Decimal("1280.50"), "USD", "en") == ("USD One thousand two hundred eighty and 50/100 only")
    assert amount_in_words(Decimal("500"), "JPY", "en", 0) == "JPY Five hundred only"
