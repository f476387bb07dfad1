"""Invariants of announcements (rules N-01 to N-04)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kit.rules.checks import Row, check, rows

# Receipts are the recipient list; its length is kept where they are made, so that none can be lost or added.
_LISTS = """
SELECT a.id AS announcement, a.state, a.recipients, count(r.id) AS receipts
  FROM oa_announcement a LEFT JOIN oa_announcementreceipt r ON r.record_id = a.id AND r.superseded_at IS NULL
 GROUP BY a.id HAVING a.recipients <> count(r.id) OR a.published_at IS NULL AND count(r.id) > 0
"""
_FOREIGN = """
SELECT r.id AS receipt, r.record_id AS announcement, r.edition FROM oa_announcementreceipt r
  JOIN oa_announcement a ON a.id = r.record_id
 WHERE r.superseded_at IS NULL AND r.edition <> a.major_edition
    OR r.superseded_at IS NOT NULL AND r.edition >= a.major_edition
    OR r.delivered_at < a.published_at OR a.published_at IS NULL
    OR NOT EXISTS (SELECT 1 FROM oa_announcementedition e
                    WHERE e.announcement_id = a.id AND e.number = r.edition AND e.major)
"""
_TIMES = """
SELECT id AS announcement, state, published_at FROM oa_announcement
 WHERE published_at > clock_timestamp() + interval '5 seconds'
    OR (published_at IS NULL) = (state IN ('published', 'expired', 'archived', 'withdrawn'))
    OR approval_required AND published_at IS NOT NULL AND decided_by_id IS NULL
    OR decided_by_id = owner_id OR decided_by_id = submitted_by_id
"""
_EDITIONS = """
SELECT a.id AS announcement, a.edition, count(e.id) AS versions, max(e.number) AS newest
  FROM oa_announcement a LEFT JOIN oa_announcementedition e ON e.announcement_id = a.id
 GROUP BY a.id
HAVING a.published_at IS NOT NULL AND (
           count(e.id) <> a.edition OR max(e.number) IS DISTINCT FROM a.edition
           OR coalesce(max(e.number) FILTER (WHERE e.major), 0) <> a.major_edition
           OR NOT coalesce(bool_or(e.number = a.edition AND (e.title, e.body) = (a.title, a.body)), FALSE))
    OR a.published_at IS NULL AND (count(e.id) > 0 OR a.edition <> 1)
"""


@check("I-65", _("every announcement has receipts exactly for its recipients"))
def recipient_lists() -> list[Row]:
    """The receipts of present texts are as many as people were addressed, none before the publication."""
    return [*rows(_LISTS), *rows(_FOREIGN)]


@check("I-66", _("announcements were published in the past, approved by somebody else where that is needed"))
def publications() -> list[Row]:
    """States and times agree, and nobody approved their own text."""
    return rows(_TIMES)


@check("I-67", _("the text of an announcement is that of its newest version"))
def editions() -> list[Row]:
    """Versions are numbered without gaps, one of them is the present text."""
    return rows(_EDITIONS)
