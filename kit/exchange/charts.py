"""Charts as SVG text, drawn on the server by the rules of UX 8.8.

Pure functions. The text carries presentation attributes and class names, never a style attribute or a script,
so it passes a strict content security policy, takes its colours from the page's theme where there is one, and
prints as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import cos, floor, log10, pi, sin
from typing import Any
from xml.sax.saxutils import escape, quoteattr  # nosec B406  # writes only, parses nothing

from django.utils.translation import gettext as _

from kit.pages.formats import MINUS

# Accent, grey, then four more; the page's style sheet overrides them by the classes s1 … s6.
COLOURS = ("#3765e0", "#a3acba", "#2a9d62", "#d98a0b", "#7c5fd3", "#1793a8")
INK, FAINT, GRID, AXIS = "#141a26", "#5c667a", "#e5e8ed", "#bfc5d0"
MAX_SERIES = 6
FONT = 11


@dataclass(frozen=True)
class Series:
    """A named row of numbers, one for each label; `links` are the pages behind them."""

    name: str
    values: Sequence[Decimal | int | None]
    links: Sequence[str | None] = ()

    def link(self, position: int) -> str | None:
        """The page behind one value."""
        return self.links[position] if position < len(self.links) else None


@dataclass(frozen=True)
class _Frame:
    """The plot area and the scale of the vertical axis."""

    width: int
    height: int
    left: float
    top: float
    bottom: float
    low: float
    high: float
    tick: float

    @property
    def ticks(self) -> list[float]:
        """The values of the grid lines."""
        return [self.low + i * self.tick for i in range(round((self.high - self.low) / self.tick) + 1)]

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)

    def step(self, count: int) -> float:
        return (self.width - self.left - 6) / max(count, 1)


def bar_chart(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    title: str,
    unit: str = "",
    height: int = 200,
    width: int = 640,
    partial: bool = False,
) -> str:
    """Bars side by side, from 0; `partial` marks the last label as a period that is not over yet."""
    shown = _at_most(series, MAX_SERIES)
    frame = _frame([v for s in shown for v in s.values], width, height, _legend_height(shown))
    step = frame.step(len(labels))
    bar = min(step * 0.8 / max(len(shown), 1), 34)
    body = []
    for position, label in enumerate(labels):
        start = frame.left + step * position + (step - bar * len(shown)) / 2
        for number, row in enumerate(shown):
            if row.values[position] is None:
                continue
            value = _number(row.values[position])
            cut = " partial" if partial and position == len(labels) - 1 else ""
            shape = _bar(frame, start + bar * number, max(bar - 1.5, 1), 0, value, f"s{number + 1}{cut}", number)
            body.append(_mark(shape, _caption(label, row, position, len(shown), unit), row.link(position)))
    return _svg(frame, [_axis(frame), *body, _labels(frame, labels), _legend(frame, shown)], _title(title, unit))


def stacked_bar_chart(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    title: str,
    unit: str = "",
    height: int = 200,
    width: int = 640,
) -> str:
    """Bars on top of each other, from 0; negative parts hang below the axis."""
    shown = _at_most(series, MAX_SERIES)
    columns = [[_number(row.values[i]) for row in shown] for i in range(len(labels))]
    ends: list[Any] = [sum(v for v in column if v > 0) for column in columns]
    ends += [sum(v for v in column if v < 0) for column in columns]
    frame = _frame(ends, width, height, _legend_height(shown))
    step = frame.step(len(labels))
    bar = min(step * 0.7, 44)
    body = []
    for position, label in enumerate(labels):
        left, above, below = frame.left + step * position + (step - bar) / 2, 0.0, 0.0
        for number, row in enumerate(shown):
            value = columns[position][number]
            base = above if value >= 0 else below
            above, below = (above + value, below) if value >= 0 else (above, below + value)
            shape = _bar(frame, left, bar, base, base + value, f"s{number + 1}", number)
            body.append(_mark(shape, _caption(label, row, position, len(shown), unit), row.link(position)))
    return _svg(frame, [_axis(frame), *body, _labels(frame, labels), _legend(frame, shown)], _title(title, unit))


def line_chart(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    title: str,
    unit: str = "",
    height: int = 200,
    width: int = 640,
) -> str:
    """Straight lines between the values, a dot for each; a missing value (None) breaks the line."""
    shown = _at_most(series, MAX_SERIES)
    frame = _frame([v for s in shown for v in s.values], width, height, _legend_height(shown))
    step = frame.step(len(labels))
    lines, dots = [], []
    for number, row in enumerate(shown):
        points = [
            None if value is None else (frame.left + step * (i + 0.5), frame.y(float(value)))
            for i, value in enumerate(row.values)
        ]
        lines += [_polyline(run, number) for run in _runs(points)]
        for i, point in enumerate(points):
            if point is not None:
                dot = (
                    f'<circle class="s{number + 1}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="3" '
                    f'fill="{COLOURS[number]}">'
                )
                dots.append(_mark((dot, "</circle>"), _caption(labels[i], row, i, len(shown), unit), row.link(i)))
    parts = [_axis(frame), *lines, *dots, _labels(frame, labels), _legend(frame, shown)]
    return _svg(frame, parts, _title(title, unit))


def sparkline(values: Sequence[Decimal | int], *, title: str, width: int = 72, height: int = 20) -> str:
    """A line without axes for a table cell; empty with fewer than two values."""
    if len(values) < 2:
        return ""
    numbers = [float(value) for value in values]
    low, span = min(numbers), (max(numbers) - min(numbers)) or 1
    step = (width - 2) / (len(numbers) - 1)
    points = " ".join(
        f"{1 + step * i:.1f},{height - 2 - (v - low) / span * (height - 4):.1f}" for i, v in enumerate(numbers)
    )
    return (
        f'<svg class="spark" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label={quoteattr(_clean(title))}><title>{escape(_clean(title))}</title>'
        f'<polyline points="{points}" fill="none" stroke="{COLOURS[0]}" stroke-width="1.5"/></svg>'
    )


def donut(
    labels: Sequence[str],
    values: Sequence[Decimal | int],
    *,
    title: str,
    unit: str = "",
    links: Sequence[str | None] = (),
    size: int = 160,
    width: int = 360,
) -> str:
    """A ring of the first four parts (more is not readable); negative values count as nothing."""
    numbers = [max(_number(value), 0.0) for value in values][:4]
    whole = sum(numbers)
    radius, centre = size / 2 - 16, size / 2
    parts, angle = [], -pi / 2
    for i, value in enumerate(numbers):
        share = value / whole if whole else 0
        caption = f"{labels[i]}: {value_text(values[i])}{unit and ' ' + unit} ({share:.1%})"
        if value:
            link = links[i] if i < len(links) else None
            parts.append(_mark(_arc(centre, radius, angle, share, i), caption, link))
        angle += 2 * pi * share
        parts.append(
            f'<rect class="s{i + 1}" x="{size + 8}" y="{18 + i * 22}" width="9" height="9" rx="2" fill="{COLOURS[i]}"/>'
            + _text(size + 23, 26 + i * 22, f"{labels[i]}  {share:.0%}", "v")
        )
    return _wrap(width, size, "".join(parts), _title(title, unit))


# Parts ---------------------------------------------------------------------------------------------------------


def _number(value: Decimal | int | None) -> float:
    return float(value or 0)


def _at_most(series: Sequence[Series], limit: int) -> list[Series]:
    """At most `limit` series; the ones too many are added up as "other"."""
    if len(series) <= limit:
        return list(series)
    rest = series[limit - 1 :]
    sums = [
        sum((Decimal(v or 0) for v in column), Decimal(0)) for column in zip(*(s.values for s in rest), strict=True)
    ]
    return [*series[: limit - 1], Series(_("other"), sums)]


def _frame(values: Sequence[Any], width: int, height: int, top: int) -> _Frame:
    numbers = [_number(value) for value in values] or [0.0]
    low, high = min(0.0, *numbers), max(0.0, *numbers)
    step = _tick_step(high - low)
    low, high = floor(low / step) * step, -floor(-high / step) * step
    if low == high:
        high = step
    frame = _Frame(width, height, 0, 8 + top, height - 22, low, high, step)
    longest = max(len(value_text(_exact(tick))) for tick in frame.ticks)
    return replace(frame, left=10 + longest * 6.4)


def _tick_step(span: float) -> float:
    """A round step (1, 2, 2.5 or 5 times a power of ten) that gives three or four intervals at most."""
    if span <= 0:
        return 1.0
    rough = span / 4
    power = 10.0 ** floor(log10(rough))
    return next((power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999), power * 10)


def _exact(value: float) -> Decimal:
    return Decimal(repr(round(value, 6)))


def value_text(value: Any) -> str:
    """A value on an axis or in a caption: thousands, as few decimals as it has, a real minus."""
    text = f"{Decimal(str(value)).quantize(Decimal('0.01')) + 0:,f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def _axis(frame: _Frame) -> str:
    parts = []
    for tick in frame.ticks:
        y = frame.y(tick)
        zero = abs(tick) < (frame.high - frame.low) / 1000
        parts.append(
            f'<line class="{"axis" if zero else "grid"}" x1="{frame.left:.1f}" x2="{frame.width}" y1="{y:.1f}" '
            f'y2="{y:.1f}" stroke="{AXIS if zero else GRID}"/>'
            + _text(frame.left - 6, y + 4, value_text(_exact(tick)), "end")
        )
    return "".join(parts)


def _labels(frame: _Frame, labels: Sequence[str]) -> str:
    """Labels under the axis; where they would touch, only every second, third, … is written."""
    step = frame.step(len(labels))
    widest = max((_text_width(label) for label in labels), default=0)
    every = max(1, -int(-(min(widest, 90) + 8) // step)) if labels else 1
    return "".join(
        _text(frame.left + step * (i + 0.5), frame.height - 7, _shortened(label, max(step * every, 40)), "mid")
        for i, label in enumerate(labels)
        if i % every == 0
    )


def _legend_height(series: Sequence[Series]) -> int:
    return 20 if len(series) > 1 else 0


def _legend(frame: _Frame, series: Sequence[Series]) -> str:
    if len(series) < 2:
        return ""
    parts, x = [], frame.left
    for number, row in enumerate(series):
        parts.append(
            f'<rect class="s{number + 1}" x="{x:.1f}" y="3" width="9" height="9" rx="2" fill="{COLOURS[number]}"/>'
            + _text(x + 13, 11, row.name, "")
        )
        x += 28 + _text_width(row.name)
    return "".join(parts)


def _bar(frame: _Frame, x: float, width: float, base: float, end: float, css: str, number: int) -> tuple[str, str]:
    top, bottom = sorted((frame.y(base), frame.y(end)))
    dashed = f' stroke="{COLOURS[number]}" stroke-dasharray="3 2" fill-opacity="0.55"' if "partial" in css else ""
    return (
        f'<rect class="{css}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{max(bottom - top, 0.5):.1f}" '
        f'rx="2" fill="{COLOURS[number]}"{dashed}>',
        "</rect>",
    )


def _polyline(points: Sequence[tuple[float, float]], number: int) -> str:
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline class="l{number + 1}s" points="{text}" fill="none" stroke="{COLOURS[number]}" '
        'stroke-width="2" stroke-linejoin="round"/>'
    )


def _runs(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """Stretches without a gap; a single point needs no line."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if len(run) > 1]


def _arc(centre: float, radius: float, start: float, share: float, number: int) -> tuple[str, str]:
    """A stretch of the ring as a thick stroke; a full ring is a circle."""
    common = f'fill="none" stroke="{COLOURS[number]}" stroke-width="24" class="l{number + 1}s"'
    if share > 0.9999:
        return f'<circle cx="{centre}" cy="{centre}" r="{radius}" {common}>', "</circle>"
    end = start + 2 * pi * share
    points = [f"{centre + radius * cos(a):.2f} {centre + radius * sin(a):.2f}" for a in (start, end)]
    large = 1 if share > 0.5 else 0
    return f'<path d="M {points[0]} A {radius} {radius} 0 {large} 1 {points[1]}" {common}>', "</path>"


def _mark(shape: tuple[str, str], caption: str, link: str | None) -> str:
    """A shape with its caption, inside a link where there is a page behind it."""
    drawn = f"{shape[0]}<title>{escape(_clean(caption))}</title>{shape[1]}"
    safe = link and link.startswith(("/", "?", "#", "https://", "http://"))
    return f"<a href={quoteattr(_clean(link))}>{drawn}</a>" if link and safe else drawn


def _caption(label: str, row: Series, position: int, count: int, unit: str) -> str:
    name = f" {row.name}" if count > 1 and row.name else ""
    return f"{label}{name}: {value_text(row.values[position] or 0)}{unit and ' ' + unit}"


def _text(x: float, y: float, text: str, css: str) -> str:
    anchor = {"end": ' text-anchor="end"', "mid": ' text-anchor="middle"'}.get(css, "")
    kind = f' class="{css}"' if css else ""
    return (
        f'<text{kind} x="{x:.1f}" y="{y:.1f}" font-size="{FONT}" fill="{INK if css == "v" else FAINT}"{anchor}>'
        f"{escape(_clean(text))}</text>"
    )


def _text_width(text: str) -> float:
    return sum(11 if ord(char) > 0x2E7F else 6.2 for char in text)


def _shortened(text: str, room: float) -> str:
    if _text_width(text) <= room:
        return text
    while text and _text_width(text) > room - 8:
        text = text[:-1]
    return f"{text}…"


def _clean(text: object) -> str:
    """`text` without characters that XML cannot hold."""
    return "".join(c for c in str(text) if c >= " " and c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff")


def _title(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title


def _svg(frame: _Frame, parts: Sequence[str], title: str) -> str:
    return _wrap(frame.width, frame.height, "".join(parts), title)


def _wrap(width: int, height: int, body: str, title: str) -> str:
    return (
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label={quoteattr(_clean(title))}>{body}</svg>'
    )
