"""Invariants of tasks and meetings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kit.rules.checks import Row, check, rows

_OVERLAPS = """
SELECT a.id AS booking, b.id AS other, a.room_id AS room, a.starts_at
  FROM oa_booking a JOIN oa_booking b ON a.room_id = b.room_id AND a.id < b.id
   AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
 WHERE a.taken AND b.taken ORDER BY a.id
"""
_STRAY = """
SELECT b.id AS booking, b.meeting_id AS meeting, m.state FROM oa_booking b JOIN oa_meeting m ON m.id = b.meeting_id
 WHERE b.taken <> (m.state IN ('invited', 'confirmed', 'held', 'minuted'))
    OR (b.starts_at, b.ends_at) <> (m.starts_at, m.ends_at)
 ORDER BY b.id
"""
_CIRCLES = """
WITH RECURSIVE way AS (
    SELECT task_id AS first, needs_id AS id FROM oa_taskneed
    UNION SELECT way.first, n.needs_id FROM way JOIN oa_taskneed n ON n.task_id = way.id
) SELECT DISTINCT first AS task FROM way WHERE id = first ORDER BY first
"""
_OWN_PARTS = """
WITH RECURSIVE way AS (
    SELECT id AS first, parent_id AS id FROM oa_task WHERE parent_id IS NOT NULL
    UNION SELECT way.first, t.parent_id FROM way JOIN oa_task t ON t.id = way.id WHERE t.parent_id IS NOT NULL
) SELECT DISTINCT first AS task FROM way WHERE id = first ORDER BY first
"""
_TWICE = """
SELECT series_id AS series, occurrence, count(*) FROM oa_task WHERE series_id IS NOT NULL
 GROUP BY series_id, occurrence HAVING count(*) > 1 OR occurrence IS NULL
"""
_BEHIND = """
SELECT s.id AS series, s.next_on, max(t.occurrence) AS made FROM oa_taskseries s JOIN oa_task t ON t.series_id = s.id
 GROUP BY s.id HAVING s.next_on <= max(t.occurrence)
"""
_UNDONE = """
SELECT d.id AS decision, d.meeting_id AS meeting FROM oa_decision d JOIN oa_meeting m ON m.id = d.meeting_id
  LEFT JOIN oa_task t ON t.id = d.task_id
 WHERE m.state = 'minuted' AND d.owner_id IS NOT NULL AND t.id IS NULL ORDER BY d.id
"""
_SELF_VERIFIED = """
SELECT id AS task, state FROM oa_task
 WHERE verified_by_id = done_by_id OR (state = 'verified') <> (verified_by_id IS NOT NULL)
    OR state IN ('done', 'verified') AND done_at IS NULL
"""


@check("I-60", _("a room has one meeting at a time, and is booked exactly for meetings that are called"))
def bookings() -> list[Row]:
    """No two taken bookings of a room overlap; each follows the state and the time of its meeting."""
    return [*rows(_OVERLAPS), *rows(_STRAY)]


@check("I-61", _("no task waits for itself or is a part of itself"))
def circles() -> list[Row]:
    """Dependencies and parts have no circle."""
    return [*rows(_CIRCLES), *rows(_OWN_PARTS)]


@check("I-62", _("a recurring task is made once for each of its days"))
def occurrences() -> list[Row]:
    """No day twice, and the next day lies after the last one that was made."""
    return [*rows(_TWICE), *rows(_BEHIND)]


@check("I-63", _("what a meeting with minutes decided for somebody is that person's task"))
def decisions() -> list[Row]:
    """Decisions of published minutes have their tasks."""
    return rows(_UNDONE)


@check("I-64", _("nobody has verified what they did themselves"))
def verified() -> list[Row]:
    """Done tasks say when, verified ones by whom."""
    return rows(_SELF_VERIFIED)
