"""Invariants of outgoing mail."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kit.rules.checks import Row, check, rows

_STUCK = """
SELECT id, state, "to", subject, created_at, lease_until FROM oa_outboxmail
 WHERE state = 'pending' AND coalesce(lease_until, created_at) < clock_timestamp() - interval '15 minutes'
    OR state = 'sending' AND (lease_until IS NULL OR lease_until < clock_timestamp() - interval '15 minutes')
    OR (state = 'sent') <> (sent_at IS NOT NULL)
 ORDER BY id
"""
_TWICE = """
SELECT message_id, count(*) FROM oa_outboxmail GROUP BY message_id HAVING count(*) > 1
UNION ALL SELECT dedupe, count(*) FROM oa_outboxmail GROUP BY dedupe HAVING count(*) > 1
"""


@check("I-38", _("no mail waits for more than 15 minutes, and none is meant twice"))
def outbox() -> list[Row]:
    """Pending mails are taken, taken ones are finished or given back, and every mail is intended once."""
    return [*rows(_STUCK), *rows(_TWICE)]
