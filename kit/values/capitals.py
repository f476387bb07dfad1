"""Amounts in words for papers: RMB capitals (人民币大写) and English, by UX 6.9."""

from __future__ import annotations

from decimal import Decimal

from kit.values.money import round_money

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (10**3, "thousand"))


def rmb_capitals(amount: Decimal) -> str:
    """`amount` in Chinese capitals with 元, 角 and 分: 20010 -> 贰万零壹拾元整.

    Rounded to 分; ends with 整 when there is no 分, starts at 角 or 分 below one 元, one 零 for a gap, 负 before
    negative amounts.
    """
    cents = int(round_money(abs(amount)).scaleb(2))
    yuan, rest = divmod(cents, 100)
    jiao, fen = divmod(rest, 10)
    words = f"{_chinese_integer(yuan)}元" if yuan else ""
    if jiao:
        words += f"{DIGITS[jiao]}角"
    if fen:
        words += f"{'零' if yuan and not jiao else ''}{DIGITS[fen]}分"
    else:
        words = f"{words or '零元'}整"
    return f"负{words}" if amount < 0 and cents else words


def _chinese_integer(number: int) -> str:
    """A positive integer in capitals; what stands before 亿 is written like a number of its own."""
    for unit, name in ((10**8, "亿"), (10**4, "万")):
        if number >= unit:
            high, low = divmod(number, unit)
            gap = "零" if 0 < low < unit // 10 else ""
            return f"{_chinese_integer(high)}{name}{gap}{_chinese_integer(low) if low else ''}"
    return _below_ten_thousand(number)


def _below_ten_thousand(number: int) -> str:
    words, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            words += f"{'零' if gap and words else ''}{DIGITS[digit]}{PLACES[place]}"
        gap = not digit
    return words


def english_words(amount: Decimal, exponent: int = 2) -> str:
    """`amount` in English with its minor units as a fraction: 1280.5 -> one thousand two hundred eighty and 50/100.

    `exponent` is the number of decimals of the currency; without any there is no fraction.
    """
    minor = int(round_money(abs(amount), exponent).scaleb(exponent))
    whole, rest = divmod(minor, 10**exponent)
    words = _english_integer(whole)
    if exponent:
        words += f" and {rest:0{exponent}}/{10**exponent}"
    return f"minus {words}" if amount < 0 and minor else words


def _english_integer(number: int) -> str:
    for unit, name in SCALES:
        if number >= unit:
            high, low = divmod(number, unit)
            return f"{_english_integer(high)} {name}" + (f" {_english_integer(low)}" if low else "")
    if number >= 100:
        high, low = divmod(number, 100)
        return f"{ONES[high]} hundred" + (f" {_english_integer(low)}" if low else "")
    if number < 20:
        return ONES[number]
    high, low = divmod(number, 10)
    return TENS[high] + (f"-{ONES[low]}" if low else "")


def amount_in_words(amount: Decimal, currency: str, language: str, exponent: int = 2) -> str:
    """The line "amount in words" of a paper: RMB as 人民币…, any other currency named before its words.

    Chinese capitals only exist for 元, 角 and 分, so a foreign currency keeps its code in front of them; a
    currency without decimals never has any.
    """
    if language.startswith("zh"):
        return f"{'人民币' if currency == 'CNY' else currency + ' '}{rmb_capitals(round_money(amount, exponent))}"
    words = english_words(amount, exponent)
    return f"{currency} {words[0].upper()}{words[1:]} only"
