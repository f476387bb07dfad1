"""Charts: well-formed, safe under a strict content security policy, true to the figures (UX 8.8)."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from kit.exchange.charts import Series, bar_chart, donut, line_chart, sparkline, stacked_bar_chart

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "\"><script>alert(1)</script>' onload=x & \x00\x0b {{7*7}} 苏州"
MONTHS = [f"2026-{month:02}" for month in range(1, 13)]
VALUES = [Decimal(value) for value in (310000, 420000, 250000, 380000, -30000, 120000) * 2]

CHARTS = {
    "bar": bar_chart(
        MONTHS,
        [Series(HOSTILE, VALUES, [f"/o/?m={m}&x=\"'" for m in MONTHS])],
        title=HOSTILE,
        unit=HOSTILE,
        partial=True,
    ),
    "bars": bar_chart([HOSTILE] * 12, [Series("a", VALUES), Series(HOSTILE, VALUES)], title=HOSTILE),
    "stacked": stacked_bar_chart(MONTHS, [Series(f"s{i}{HOSTILE}", VALUES) for i in range(8)], title=HOSTILE),
    "line": line_chart(MONTHS, [Series(HOSTILE, [None, *VALUES[1:]])], title=HOSTILE),
    "spark": sparkline(VALUES, title=HOSTILE),
    "donut": donut([HOSTILE, "b", "c"], [5, 3, 2], title=HOSTILE, links=["javascript:alert(1)", None, "/x"]),
    "whole": donut(["all"], [5], title="x"),
    "empty": bar_chart([], [], title="x"),
    "zero": bar_chart(["a"], [Series("", [0])], title="x"),
    "nothing": line_chart(["a"], [Series("", [None])], title="x"),
}


def tree(svg: str) -> Any:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own drawing


@pytest.mark.parametrize("name", CHARTS)
def test_charts_are_safe(name: str) -> None:
    """S-09, UX 8.8: well-formed XML without style, script, handlers or foreign addresses; texts are escaped."""
    root = tree(CHARTS[name])
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {
            "svg",
            "g",
            "a",
            "rect",
            "line",
            "polyline",
            "circle",
            "path",
            "text",
            "title",
        }
        assert not [key for key in element.attrib if key == "style" or key.startswith("on")]
        assert element.get("href", "/").startswith("/")
    assert root.get("role") == "img"
    assert "<script" not in CHARTS[name]


def test_every_mark_has_a_caption_and_its_link() -> None:
    """UX 8.8: each bar is a link with a title that says label and value."""
    bars = list(tree(CHARTS["bar"]).iter(f"{SVG}a"))
    assert len(bars) == 12
    assert bars[1].get("href") == "/o/?m=2026-02&x=\"'"
    assert bars[1].find(f"{SVG}rect/{SVG}title").text.startswith("2026-02: 420,000")


def test_bars_start_at_zero_and_keep_proportions() -> None:
    """UX 8.8: the axis starts at 0, so heights compare; a negative bar hangs below it."""
    rects = list(tree(bar_chart(["a", "b", "c"], [Series("", [100, 50, -25])], title="x")).iter(f"{SVG}rect"))
    heights = [float(rect.get("height")) for rect in rects]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)
    assert float(rects[2].get("y")) == pytest.approx(float(rects[0].get("y")) + heights[0], abs=0.2)
    assert heights[2] == pytest.approx(heights[0] / 4, abs=0.2)


@pytest.mark.parametrize("top", ["0.07", "1", "7", "999", "1001", "123456.78", "9999999999"])
def test_axis_has_few_round_ticks(top: str) -> None:
    """UX 8.8: three to six lines from 0, evenly spaced, reaching at least the highest value."""
    root = tree(bar_chart(["a"], [Series("", [Decimal(top)])], title="x"))
    labels = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "end"]
    ticks = [Decimal(label.replace(",", "")) for label in labels]
    assert 3 <= len(ticks) <= 6
    assert ticks[0] == 0
    assert ticks[-1] >= Decimal(top)
    assert {b - a for a, b in pairwise(ticks)} == {ticks[1]}


def test_the_unfinished_period_is_marked() -> None:
    """UX 8.8: only the last bar of a running period is hatched."""
    classes = [rect.get("class") for rect in tree(CHARTS["bar"]).iter(f"{SVG}rect")]
    assert classes == ["s1"] * 11 + ["s1 partial"]


def test_at_most_six_series() -> None:
    """UX 8.8: more series than six are added up as one."""
    svg = stacked_bar_chart(["a"], [Series(f"s{i}", [Decimal(i)]) for i in range(9)], title="x")
    captions = [rect.find(f"{SVG}title").text for rect in tree(svg).iter(f"{SVG}rect") if len(rect)]
    assert len(captions) == 6
    assert captions[-1] == "a other: 26"


def test_a_missing_value_breaks_the_line() -> None:
    """UX 8.8: nothing is drawn where there is no figure."""
    root = tree(line_chart(list("abcd"), [Series("", [1, 2, None, 4])], title="x"))
    assert len(list(root.iter(f"{SVG}circle"))) == 3
    assert [len(re.findall(",", line.get("points"))) for line in root.iter(f"{SVG}polyline")] == [2]


def test_shares_of_a_donut() -> None:
    """UX 8.8: captions carry value and share."""
    captions = [title.text for title in tree(CHARTS["donut"]).iter(f"{SVG}title")]
    assert captions[1:] == ["b: 3 (30.0%)", "c: 2 (20.0%)"]


def test_a_sparkline_needs_two_values() -> None:
    """UX 8.8: one point is no line."""
    assert sparkline([5], title="x") == ""
