"""Invariants of leave."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kit.rules.checks import Row, check, rows

_BELOW = """
SELECT person_id AS person, type_id AS type, date, balance FROM (
    SELECT e.person_id, e.type_id, e.date, t.overdraft,
           sum(sum(e.units)) OVER (PARTITION BY e.person_id, e.type_id ORDER BY e.date) AS balance
      FROM oa_leaveentry e JOIN oa_leavetype t ON t.id = e.type_id WHERE t.limited
     GROUP BY e.person_id, e.type_id, e.date, t.overdraft
) d WHERE balance < -overdraft ORDER BY person_id, type_id, date
"""
_OVER_EXPIRED = """
SELECT g.id AS grant, g.units, sum(e.units) AS expired, sum(coalesce(c.units, 0)) AS carried
  FROM oa_leaveentry e JOIN oa_leaveentry g ON g.id = e.grant_id
  LEFT JOIN oa_leaveentry c ON c.grant_id = g.id AND c.kind = 'carry'
 WHERE e.kind = 'expiry' GROUP BY g.id
HAVING -sum(e.units) > g.units OR sum(coalesce(c.units, 0)) > -sum(e.units) OR min(e.date) <= g.expires_on
"""
_DIFFERS = """
SELECT r.id AS request, r.units, r.returned, sum(e.units) AS booked FROM oa_leaverequest r
  LEFT JOIN oa_leaveentry e ON e.request_id = r.id
 WHERE r.state IN ('approved', 'taken', 'cancelling', 'cancelled') GROUP BY r.id
HAVING coalesce(sum(e.units), 0) <> r.returned - r.units
    OR coalesce(sum(e.units) FILTER (WHERE e.kind = 'return'), 0) <> r.returned
    OR r.state = 'cancelled' AND r.returned <> r.units
"""
_USES = """
SELECT r.id AS request, r.state, count(e.id) AS uses FROM oa_leaverequest r
  LEFT JOIN oa_leaveentry e ON e.request_id = r.id AND e.kind = 'use'
 GROUP BY r.id
HAVING count(e.id) <> CASE WHEN r.state IN ('draft', 'approving') THEN 0 ELSE 1 END
    OR bool_or(e.person_id <> r.person_id OR e.type_id <> r.type_id OR e.date <> r.first_day)
"""
_TWICE = """
SELECT a.id AS request, b.id AS other, a.person_id AS person
  FROM oa_leaverequest a JOIN oa_leaverequest b ON a.person_id = b.person_id AND a.id < b.id
   AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
 WHERE a.state IN ('approving', 'approved', 'taken', 'cancelling')
   AND b.state IN ('approving', 'approved', 'taken', 'cancelling') ORDER BY a.id
"""


@check("I-71", _("no balance of leave falls below what its type allows on any day, and only what is left expires"))
def balances() -> list[Row]:
    """Sums up to each day; no grant expires or is carried beyond what it was."""
    return [*rows(_BELOW), *rows(_OVER_EXPIRED)]


@check("I-72", _("what leave took and gave back in the ledger is what its request says"))
def used() -> list[Row]:
    """Entries of a request add up to what it costs."""
    return rows(_DIFFERS)


@check("I-73", _("approved leave has exactly one entry that takes it, and nobody is away twice at a time"))
def taken_once() -> list[Row]:
    """One use for what was approved, none for what was not; no overlaps."""
    return [*rows(_USES), *rows(_TWICE)]
