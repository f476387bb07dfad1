"""Invariants of official documents and seals (rules N-11 to N-14, spec office 5.8.3)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kit.rules.checks import Row, check, rows

_GAPS = """
SELECT word_id AS word, year, count(*), count(DISTINCT running) AS numbers, min(running) AS first, max(running) AS last,
       max(c.last) AS counter
  FROM oa_officialnumber n
  LEFT JOIN oa_counter c ON c.key = 'official:' || n.word_id || ':' || n.year
 GROUP BY word_id, year
HAVING min(running) <> 1 OR max(running) <> count(*) OR count(DISTINCT running) <> count(*)
    OR max(c.last) IS DISTINCT FROM max(running)
"""
_STRAY_NUMBERS = """
SELECT d.id AS document, d.number, d.state, n.text, n.state AS number_state
  FROM oa_outgoingdocument d LEFT JOIN oa_officialnumber n ON n.document_id = d.id AND n.state <> 'reserved'
 WHERE d.number IS DISTINCT FROM n.text
    OR d.number IS NOT NULL AND (n.state = 'void') <> (d.state = 'cancelled')
"""
_CHANGED = """
SELECT d.id AS document, d.number, d.edition FROM oa_outgoingdocument d
  LEFT JOIN oa_outgoingtext t ON t.outgoing_id = d.id AND t.number = d.edition
 WHERE d.signed_digest <> ''
   AND d.signed_digest <> encode(sha256(convert_to(d.title || E'\\n' || d.body, 'UTF8')), 'hex')
    OR (t.title, t.body) IS DISTINCT FROM (d.title, d.body)
    OR d.signed_by_id = d.created_by_id
    OR d.edition <> (SELECT count(*) FROM oa_outgoingtext x WHERE x.outgoing_id = d.id)
"""
_RECEIPTS = """
SELECT d.id AS document, d.state, d.recipients, count(r.id) AS receipts FROM oa_outgoingdocument d
  LEFT JOIN oa_outgoingreceipt r ON r.record_id = d.id
 GROUP BY d.id
HAVING count(r.id) <> d.recipients
    OR d.distributed_at IS NOT NULL AND count(r.id) = 0 AND d.outside = '' AND d.copy_outside = ''
    OR d.distributed_at IS NULL AND count(r.id) > 0
    OR count(r.id) FILTER (WHERE r.confirmed_at IS NOT NULL AND r.opened_at IS NULL) > 0
"""
_SERIAL = """
SELECT r.record_id AS document, r.id AS receipt, r.position FROM oa_outgoingreceipt r
  JOIN oa_outgoingdocument d ON d.id = r.record_id AND d.order = 'serial'
  JOIN oa_outgoingreceipt b ON b.record_id = r.record_id AND b.position < r.position AND b.confirmed_at IS NULL
  JOIN oa_user u ON u.id = b.user_id AND u.is_active
 WHERE r.opened_at IS NOT NULL AND r.confirmed_at IS NULL
"""
_LENT = """
SELECT seal_id AS seal, count(*) FROM oa_sealrequest WHERE state = 'lent' GROUP BY seal_id HAVING count(*) > 1
"""
_UNASKED = """
SELECT id AS request, state FROM oa_sealrequest
 WHERE state IN ('used', 'lent', 'returned') AND (used_at IS NULL OR decided_by_id = created_by_id)
    OR (state = 'returned') <> (returned_at IS NOT NULL)
"""
_NOT_FED_BACK = """
SELECT id AS document, state FROM oa_incomingdocument WHERE state IN ('fedback', 'closed', 'filed') AND feedback = ''
"""


@check("I-78", _("numbers of official documents have no gaps, and each belongs to one document"))
def numbers() -> list[Row]:
    """By word and year from 1 without a gap; a signed document has the number of its row, a cancelled one is void."""
    return [*rows(_GAPS), *rows(_STRAY_NUMBERS)]


@check("I-79", _("the text of a signed document is what was signed"))
def texts() -> list[Row]:
    """Digest and newest version agree with the document, nobody signed alone, and nothing closed without feedback."""
    return [*rows(_CHANGED), *rows(_NOT_FED_BACK)]


@check("I-80", _("distributed documents have receipts, and a seal is lent once"))
def hands() -> list[Row]:
    """As many receipts as recipients, in turn where that is wished; a lent seal is in one hand."""
    return [*rows(_RECEIPTS), *rows(_SERIAL), *rows(_LENT), *rows(_UNASKED)]
