"""docs/security.md answers every requirement of OWASP ASVS 5.0, levels 1 and 2, and what it names is there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from django.conf import settings

source = (Path(settings.BASE_DIR) / "config/settings.py").read_text()
TEXT = (Path(settings.BASE_DIR) / "docs/security.md").read_text()
ROWS = re.findall(r"^\| ([\d.-]+) \| ([12]) \| (\S+) \| (.*) \|$", TEXT, re.MULTILINE)
# How many the standard has: chapter -> (level 1, level 2).
COUNTS = {
    1: (8, 19), 2: (4, 7), 3: (8, 11), 4: (2, 8), 5: (4, 5), 6: (13, 22), 7: (6, 12), 8: (4, 3), 9: (4, 3),
    10: (5, 24), 11: (3, 11), 12: (3, 6), 13: (1, 12), 14: (2, 7), 15: (3, 10), 16: (0, 16), 17: (0, 7),
}  # fmt: skip


def numbers(text: str) -> list[str]:
    """`1.2.3-1.2.5` one by one."""
    first, _dash, last = text.partition("-")
    section, _dot, start = first.rpartition(".")
    return [f"{section}.{n}" for n in range(int(start), int((last or first).rpartition(".")[2]) + 1)]


def test_every_requirement_is_answered_once() -> None:
    """B10: 70 of level 1 and 183 of level 2."""
    found = [(number, level) for text, level, _answer, _where in ROWS for number in numbers(text)]
    assert [number for number, times in Counter(n for n, _level in found).items() if times > 1] == []
    per_chapter = Counter((int(number.partition(".")[0]), level) for number, level in found)
    assert {c: (per_chapter[c, "1"], per_chapter[c, "2"]) for c in COUNTS} == COUNTS
    assert sum(level == "1" for _n, level in found) == 70 and sum(level == "2" for _n, level in found) == 183


def test_what_is_named_is_there() -> None:
    """Tests by file and function, settings by name; an answer is one of the six."""
    assert {answer for _n, _level, answer, _where in ROWS} == {"test", "setting", "design", "operator", "n/a", "open"}
    for number, _level, answer, where in ROWS:
        tests = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", where)
        names = re.findall(r"`([A-Z][A-Z_]{5,})`", where)
        assert answer != "test" or tests, number
        assert answer != "setting" or names, number
        for file, function in tests:
            text = (Path(settings.BASE_DIR) / file).read_text()
            assert not function or f"def {function}(" in text, (number, function)
        for name in names if answer == "setting" else ():
            assert hasattr(settings, name) or name in source, (number, name)
    for file in re.findall(r"`(tests/[\w/]+\.py)`", TEXT):
        assert (Path(settings.BASE_DIR) / file).exists(), file


def test_every_threat_has_a_test_or_a_reason() -> None:
    """S-01 to S-26 stand in the table of section 3, and each is named by a test of its row."""
    rows = re.findall(r"^\| ((?:S-\d\d(?:, )?)+) \| (.*?) \|", TEXT, re.MULTILINE)
    told = {code: re.findall(r"`(tests/[\w/]+\.py)`", tests) for codes, tests in rows for code in codes.split(", ")}
    assert sorted(told) == [f"S-{number:02}" for number in range(1, 27)]
    for code, files in told.items():
        assert any(code in (Path(settings.BASE_DIR) / file).read_text() for file in files), code
