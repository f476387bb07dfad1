"""Printing figures and keeping them in `bench/last.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from harness import ROOT
from harness.measure import Result, Rows

LAST = ROOT / "bench" / "last.json"


@dataclass(frozen=True)
class Figure:
    """A figure with what it must reach and what it aims at.

    `must` and `aim` are about `ratio` where there is one, else about `value`; more is better where `rising`.
    """

    name: str
    value: float
    unit: str
    ratio: float | None
    must: float
    aim: float

    def verdict(self, *, rising: bool = False) -> str:
        """How the figure stands against its targets."""
        got = self.value if self.ratio is None else self.ratio
        reached = (lambda target: got >= target) if rising else (lambda target: got <= target)
        return "reaches its aim" if reached(self.aim) else "holds" if reached(self.must) else "MISSED"


RISING = {"parallel_8", "list_rps"}


def keep(figures: Sequence[Figure]) -> None:
    """Print figures and put them into `bench/last.json`, in place of earlier ones of the same names."""
    for figure in figures:
        ratio = "" if figure.ratio is None else f"  ratio {figure.ratio:.2f}"
        verdict = figure.verdict(rising=figure.name in RISING)
        targets = f"must {figure.must:g}, aim {figure.aim:g}"
        print(f"{figure.name:25} {figure.value:8.1f} {figure.unit}{ratio}  {targets}: {verdict}")
    known = json.loads(LAST.read_text()) if LAST.exists() else []
    names = {figure.name for figure in figures}
    rows = [row for row in known if row["name"] not in names] + [asdict(figure) for figure in figures]
    for row in rows:
        row["value"], row["ratio"] = round(row["value"], 3), row["ratio"] and round(row["ratio"], 3)
    LAST.write_text(json.dumps(rows, indent=1) + "\n")


def show_times(ours: Result, plain: Result) -> None:
    """A table of milliseconds by step, and processor time."""
    print(f"{'step':10}{'services ms':>14}{'plain ms':>12}{'ratio':>8}")
    for step in ours.samples[0].wall:
        _times(step, ours.wall(step), plain.wall(step))
    _times("all", ours.wall(), plain.wall())
    _times("CPU client", ours.client, plain.client)
    _times("CPU server", ours.server, plain.server)
    _times("CPU both", ours.cpu, plain.cpu)


def _times(name: str, ours: float, plain: float) -> None:
    ratio = f"{ours / plain:8.2f}" if plain else ""
    print(f"{name:10}{ours * 1000:14.1f}{plain * 1000:12.1f}{ratio}")


def show_statements(by_lines: dict[int, dict[str, int]], plain: dict[str, int]) -> None:
    """Statements by step, for documents of different length."""
    print("statements " + "".join(f"{f'{lines} lines':>12}" for lines in by_lines) + f"{'plain':>12}")
    for step in plain:
        print(f"{step:11}" + "".join(f"{counts[step]:12}" for counts in by_lines.values()) + f"{plain[step]:12}")
    totals = [sum(counts.values()) for counts in (*by_lines.values(), plain)]
    print(f"{'all':11}" + "".join(f"{total:12}" for total in totals))


def show_rows(ours: Rows, plain: Rows) -> None:
    """Rows by table; the two roads must write the same."""
    for name, mine, other in (("inserted", ours.inserted, plain.inserted), ("updated", ours.updated, plain.updated)):
        print(f"rows {name}: services {mine.total()}, plain {other.total()}")
        tables = sorted({*mine, *other})
        print("  " + ", ".join(f"{table.partition('_')[2]} {mine[table]}" for table in tables if mine[table]))
    if ours.inserted != plain.inserted:
        more, less = ours.inserted - plain.inserted, plain.inserted - ours.inserted
        raise SystemExit(f"The roads insert different rows: {dict(more)} {dict(less)}")
