"""Invariants of the document library."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kit.rules.checks import Row, check, rows

_PUBLISHED = """
SELECT d.id, d.title, d.state, d.published_id, d.current_id, last.version_id AS last_published
  FROM oa_librarydocument d
  LEFT JOIN LATERAL (SELECT version_id FROM oa_publication p WHERE p.document_id = d.id ORDER BY id DESC LIMIT 1) last
       ON TRUE
 WHERE d.published_id IS DISTINCT FROM last.version_id
    OR d.state = 'published' AND d.published_id IS DISTINCT FROM d.current_id
"""
_VERSIONS = """
SELECT d.id, d.title, v.number AS current, count(a.id) AS versions, max(a.number) AS newest
  FROM oa_librarydocument d
  LEFT JOIN oa_documentversion v ON v.id = d.current_id AND v.document_id = d.id
  LEFT JOIN oa_documentversion a ON a.document_id = d.id
 GROUP BY d.id, d.title, v.number
HAVING v.number IS NULL OR v.number <> max(a.number) OR count(a.id) <> max(a.number)
"""
_LOCKS = """
SELECT d.id, d.title, u.username, u.is_active, d.state, d.deleted_at FROM oa_librarydocument d
  JOIN oa_user u ON u.id = d.checked_out_by_id
 WHERE NOT u.is_active OR d.deleted_at IS NOT NULL OR d.state NOT IN ('draft', 'published')
"""
# The length of the list is kept where receipts are made, so that none can be lost or added.
_READERS = """
SELECT d.id, d.title, d.recipients, count(r.id) AS receipts
  FROM oa_librarydocument d LEFT JOIN oa_readingreceipt r ON r.record_id = d.id AND r.superseded_at IS NULL
 GROUP BY d.id HAVING d.recipients <> count(r.id) OR d.reading_since IS NULL AND count(r.id) > 0
UNION ALL
SELECT d.id, d.title, r.edition, r.id FROM oa_readingreceipt r JOIN oa_librarydocument d ON d.id = r.record_id
 WHERE r.superseded_at IS NULL AND r.edition <> d.major_edition OR r.edition > d.major_edition
    OR NOT EXISTS (SELECT 1 FROM oa_documentversion v JOIN oa_publication p ON p.version_id = v.id
                    WHERE v.document_id = d.id AND v.number = r.edition AND p.at <= r.delivered_at)
"""
_READING = """
SELECT d.id, d.title, d.edition, d.major_edition, v.number AS published
  FROM oa_librarydocument d LEFT JOIN oa_documentversion v ON v.id = d.published_id
 WHERE d.required_reading AND d.published_id IS NOT NULL AND (
       d.reading_since IS NULL OR d.edition <> v.number
       OR EXISTS (SELECT 1 FROM oa_documentversion n WHERE n.document_id = d.id AND NOT n.minor
                     AND n.number > d.major_edition AND n.number <= v.number))
    OR d.reading_since IS NOT NULL AND d.published_id IS NULL
"""
_TREE = """
WITH RECURSIVE tree AS (
    SELECT id FROM oa_folder WHERE parent_id IS NULL
    UNION SELECT f.id FROM oa_folder f JOIN tree t ON f.parent_id = t.id
)
SELECT f.id, f.name, f.parent_id, f.space FROM oa_folder f LEFT JOIN oa_folder p ON p.id = f.parent_id
 WHERE f.id NOT IN (SELECT id FROM tree)
    OR p.id IS NOT NULL AND (p.space, coalesce(p.owner_id, 0), coalesce(p.department_id, 0))
       <> (f.space, coalesce(f.owner_id, 0), coalesce(f.department_id, 0))
"""


@check("I-68", _("the valid version of a document is the one that was published last"))
def published_versions() -> list[Row]:
    """One version is valid at most, and the newest one where the document is called published."""
    return rows(_PUBLISHED)


@check("I-68", _("the versions of a document are numbered from 1 on"))
def version_numbers() -> list[Row]:
    """None is missing, and the document shows the last one."""
    return rows(_VERSIONS)


@check("I-69", _("documents are checked out only by people who work here, and only while they can be changed"))
def locks() -> list[Row]:
    """A lock of somebody who has left would keep everybody out."""
    return rows(_LOCKS)


@check("I-81", _("who has to read a document was asked for the version that has to be read"))
def reading() -> list[Row]:
    """Receipts are as many as people were asked, for a published version, and no major change went unread."""
    return [*rows(_READERS), *rows(_READING)]


@check("I-70", _("every folder hangs in the tree, in the space of the folder above"))
def folders() -> list[Row]:
    """No folder lies in itself: rights are read from the top of the tree down."""
    return rows(_TREE)
