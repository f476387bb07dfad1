"""Parameters of reports from texts, and the report base (UX 6.7, 7.4)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from kit.exchange import reports
from kit.exchange.reports import SYSTEM, Param, Report, ReportColumn, parse_params, query_of, run
from kit.values.errors import BusinessError


class Nobody:
    """A reader without rights."""

    def has_perm(self, permission: str) -> bool:
        return False


class Rainfall(Report):
    """A report without a database."""

    name = "rainfall"
    title = "Rainfall"
    section = "stock"
    permission = "weather.view_rain"
    total_by = "unit"
    params = (
        Param("month", "Month", "period", "2026-02"),
        Param("place", "Place", "text"),
        Param("snow", "With snow", "bool"),
        Param("kind", "Kind", "choice", "all", choices=[("all", "Everything"), ("day", "By day")]),
        Param("from", "From", "date", lambda known: known["month"][0]),
    )

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        return [
            ReportColumn("place", "Place", display=lambda row: row["place"].title()),
            ReportColumn("unit", "Unit"),
            ReportColumn("fallen", "Fallen", "quantity", total=True),
            ReportColumn("code", "Code", screen=False),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        return [
            {"place": "suzhou", "unit": "mm", "fallen": Decimal("1.5"), "code": "007"},
            {"place": "wuxi", "unit": "in", "fallen": Decimal("2"), "code": "008"},
            {"place": "shanghai", "unit": "mm", "fallen": None, "code": "009"},
        ]


@pytest.fixture
def rain() -> Rainfall:
    return Rainfall()


def test_defaults(rain: Rainfall) -> None:
    """UX 6.7: texts and functions of what is known stand in for what is left out; empty counts as left out."""
    expected = {
        "month": (dt.date(2026, 2, 1), dt.date(2026, 2, 28)),
        "place": None,
        "snow": False,
        "kind": "all",
        "from": dt.date(2026, 2, 1),
    }
    assert parse_params(rain, {}) == expected
    assert parse_params(rain, {"place": " ", "month": "", "snow": ""}) == expected


def test_values_are_read_and_written_back(rain: Rainfall) -> None:
    """UX 6.7: parameters are an address; what it says is read again."""
    given = {"month": "2024-02", "place": "Suzhou", "snow": "yes", "kind": "day", "from": "2024-02-29"}
    params = parse_params(rain, given)
    assert params["month"] == (dt.date(2024, 2, 1), dt.date(2024, 2, 29))
    assert query_of(rain, params) == given
    assert reports.params_text(rain, params) == (
        "Month: 2024-02, Place: Suzhou, With snow: yes, Kind: By day, From: 2024-02-29"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [("month", "2026-13"), ("month", "x"), ("snow", "maybe"), ("kind", "week"), ("from", "30.11.2026")],
)
def test_a_bad_value_is_named(rain: Rainfall, name: str, text: str) -> None:
    """UX 7.4: the message quotes what was typed, at its field."""
    with pytest.raises(BusinessError) as error:
        parse_params(rain, {name: text})
    assert [problem.field for problem in error.value] == [name]
    assert text in str(error.value)


def test_result(rain: Rainfall) -> None:
    """UX 6.2.6: sums by unit, people's columns apart from machines'."""
    result = run(rain, parse_params(rain, {}), SYSTEM)
    assert result.totals == [{"unit": "in", "fallen": 2}, {"unit": "mm", "fallen": Decimal("1.5")}]
    assert [column.name for column in result.screen] == ["place", "unit", "fallen"]
    assert result.columns[0].shown(result.rows[0]) == "Suzhou"
    assert reports.to_csv(result).decode().splitlines() == [
        "place,unit,fallen,code",
        "suzhou,mm,1.5,007",
        "wuxi,in,2,008",
        "shanghai,mm,,009",
    ]


def test_without_the_right_nothing_runs(rain: Rainfall) -> None:
    """G-21: the right is asked at every run; a function may decide, and several rights may be needed."""
    with pytest.raises(BusinessError, match="Rainfall"):
        run(rain, {}, Nobody())
    assert not rain.allowed(Nobody())

    class Open(Rainfall):
        permission = staticmethod(lambda user: isinstance(user, Nobody))

    class Both(Rainfall):
        permission = ("weather.view_rain", "weather.view_snow")

    assert Open().allowed(Nobody())
    assert Both().allowed(SYSTEM)
    assert not Both().allowed(Nobody())


def test_an_unknown_report_is_named() -> None:
    """UX 7.4: the message lists the reports there are."""
    with pytest.raises(BusinessError, match="sales"):
        reports.get("nothing")
