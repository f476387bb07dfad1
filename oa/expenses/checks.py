"""Invariants of expense claims and advances (rules E-01, E-02)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kit.rules.checks import Row, check, rows


@check("I-74", _("claims equal their lines, and invoices are claimed once"))
def claims_add_up() -> list[Row]:
    """Claimed and allowed are the sums of the lines, each converted by its own rate; live invoices stand once."""
    sums = rows("""
        SELECT c.id AS claim, c.number, c.total, s.base, c.allowed, s.allowed AS lines_allowed
          FROM oa_expenseclaim c
          LEFT JOIN (SELECT claim_id, sum(base_amount) AS base, sum(allowed_base) AS allowed
                       FROM oa_expenseline GROUP BY claim_id) s ON s.claim_id = c.id
         WHERE c.total <> coalesce(s.base, 0) OR c.allowed <> coalesce(s.allowed, 0)
            OR c.state NOT IN ('draft', 'returned', 'cancelled') AND s.claim_id IS NULL
    """)
    converted = rows("""
        SELECT id AS line, claim_id AS claim, amount, rate, base_amount, allowed, allowed_base FROM oa_expenseline
         WHERE abs(base_amount - amount * rate) > 0.5 OR abs(allowed_base - allowed * rate) > 0.5
            OR allowed = amount AND allowed_base <> base_amount OR allowed_tax > tax
    """)
    invoices = rows("""
        SELECT l.invoice, string_agg(l.claim_id::text, ' ') AS claims FROM oa_expenseline l
          JOIN oa_expenseclaim c ON c.id = l.claim_id
         WHERE l.invoice <> '' AND c.state IN ('approving', 'approved', 'audited', 'posted', 'paid')
         GROUP BY l.invoice HAVING count(*) > 1
    """)
    asleep = rows("""
        SELECT l.id AS line, c.number, c.state FROM oa_expenseline l JOIN oa_expenseclaim c ON c.id = l.claim_id
         WHERE NOT l.live AND c.state IN ('approving', 'approved', 'audited', 'posted', 'paid')
            OR l.live AND c.state IN ('cancelled', 'reversed')
    """)
    return [*sums, *converted, *invoices, *asleep]


@check("I-75", _("of no advance more is used than was paid out"))
def advances_open() -> list[Row]:
    """What is open is never negative, the state follows it, and rows that undo mirror what they undo."""
    open_rows = rows("""
        SELECT a.id AS advance, a.number, a.state, a.amount, s.open, s.paid
          FROM oa_advance a
          LEFT JOIN (SELECT m.advance_id, sum(m.amount) AS open,
                            sum(m.amount) FILTER (WHERE m.kind = 'paid' OR u.kind = 'paid') AS paid
                       FROM oa_advancemove m LEFT JOIN oa_advancemove u ON u.id = m.reverses_id
                      GROUP BY m.advance_id) s ON s.advance_id = a.id
         WHERE coalesce(s.open, 0) < 0
            OR (a.state IN ('paid', 'settled')) <> (coalesce(s.paid, 0) <> 0)
            OR a.state IN ('paid', 'settled') AND s.paid <> a.amount
            OR a.state = 'paid' AND s.open = 0 OR a.state = 'settled' AND s.open <> 0
    """)
    undone = rows("""
        SELECT u.id AS row, u.amount, m.amount AS undoes FROM oa_advancemove u
          JOIN oa_advancemove m ON m.id = u.reverses_id
         WHERE u.amount <> -m.amount OR u.advance_id <> m.advance_id OR m.reverses_id IS NOT NULL
            OR u.claim_id IS DISTINCT FROM m.claim_id OR u.date < m.date
    """)
    return [*open_rows, *undone]


@check("I-76", _("a claim is paid with what was allowed less what advances took"))
def claims_paid() -> list[Row]:
    """Offsets are those of the posted claim; payments never exceed the rest; paid means that nothing is left."""
    return rows("""
        WITH taken AS (
            SELECT claim_id, -sum(amount) AS amount FROM oa_advancemove WHERE claim_id IS NOT NULL GROUP BY claim_id
        ), planned AS (SELECT claim_id, sum(amount) AS amount FROM oa_claimoffset GROUP BY claim_id),
        paid AS (SELECT claim_id, sum(amount) AS amount FROM oa_claimpayment GROUP BY claim_id)
        SELECT c.id AS claim, c.number, c.state, c.allowed, c."offset", t.amount AS taken, p.amount AS paid
          FROM oa_expenseclaim c LEFT JOIN taken t ON t.claim_id = c.id LEFT JOIN paid p ON p.claim_id = c.id
          LEFT JOIN planned o ON o.claim_id = c.id
         WHERE coalesce(t.amount, 0) <> CASE WHEN c.state IN ('posted', 'paid') THEN c."offset" ELSE 0 END
            OR c.state IN ('audited', 'posted', 'paid') AND c."offset" <> coalesce(o.amount, 0)
            OR coalesce(p.amount, 0) NOT BETWEEN 0 AND CASE WHEN c.state IN ('posted', 'paid')
                                                            THEN c.allowed - c."offset" ELSE 0 END
            OR c.state = 'paid' AND coalesce(p.amount, 0) <> c.allowed - c."offset"
            OR c.state = 'posted' AND coalesce(p.amount, 0) = c.allowed - c."offset"
    """)
