"""Invariants between expense claims and the ledger (rule E-04)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kit.rules.checks import Row, check, rows


@check("I-77", _("accounts of employees equal their advances and unpaid claims"))
def employees_tie() -> list[Row]:
    """Per person: advances that are open less what booked claims leave to pay; and no line there without a person."""
    people = rows("""
        WITH ledger AS (
            SELECT l.employee_id AS person, sum(l.debit - l.credit) AS amount
              FROM erp_journalline l JOIN erp_account a ON a.id = l.account_id
             WHERE a.control = 'employee' OR l.employee_id IS NOT NULL GROUP BY 1
        ), held AS (
            SELECT a.owner_id AS person, sum(m.amount) AS amount
              FROM oa_advancemove m JOIN oa_advance a ON a.id = m.advance_id GROUP BY 1
        ), owed AS (
            SELECT c.owner_id AS person, sum(c.allowed - c."offset" - coalesce(p.paid, 0)) AS amount
              FROM oa_expenseclaim c
              LEFT JOIN (SELECT claim_id, sum(amount) AS paid FROM oa_claimpayment GROUP BY 1) p ON p.claim_id = c.id
             WHERE c.state IN ('posted', 'paid') GROUP BY 1
        )
        SELECT person, l.amount AS ledger, h.amount AS advances, o.amount AS owed
          FROM ledger l FULL JOIN held h USING (person) FULL JOIN owed o USING (person)
         WHERE coalesce(l.amount, 0) <> coalesce(h.amount, 0) - coalesce(o.amount, 0)
    """)
    nameless = rows("""
        SELECT l.id AS line, a.code AS account FROM erp_journalline l JOIN erp_account a ON a.id = l.account_id
         WHERE a.control = 'employee' AND l.employee_id IS NULL
    """)
    return [*people, *nameless]


@check("I-77", _("booked claims and expense payments equal their entries"))
def expense_entries() -> list[Row]:
    """A claim's entry is what was allowed, and lives as long as the claim; a payment's bank line is its lines."""
    claims = rows("""
        SELECT c.number, c.state, c.allowed, s.owed, e.id AS entry, r.id AS reversal
          FROM oa_expenseclaim c
          FULL JOIN (SELECT * FROM erp_journalentry WHERE source = 'oa.expenseclaim' AND purpose = 'post') e
            ON e.source_id = c.id
          LEFT JOIN erp_journalentry r ON r.reversal_of_id = e.id
          LEFT JOIN (SELECT entry_id, sum(credit - debit) AS owed FROM erp_journalline
                      WHERE employee_id IS NOT NULL GROUP BY 1) s ON s.entry_id = e.id
         WHERE (c.state IN ('posted', 'paid', 'reversed')) IS DISTINCT FROM (e.id IS NOT NULL)
            OR e.id IS NOT NULL AND (s.owed IS DISTINCT FROM c.allowed OR (c.state = 'reversed') <> (r.id IS NOT NULL))
            OR e.id IS NOT NULL AND e.date <> c.posted_on
    """)
    payments = rows("""
        SELECT p.number, p.amount, s.amount AS lines, b.bank
          FROM erp_expensepayment p
          LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM erp_expensepaymentline GROUP BY 1) s
            ON s.payment_id = p.id
          LEFT JOIN erp_journalentry e ON e.source = 'erp.expensepayment' AND e.source_id = p.id
          LEFT JOIN (SELECT entry_id, account_id, sum(credit - debit) AS bank FROM erp_journalline GROUP BY 1, 2) b
            ON b.entry_id = e.id AND b.account_id = p.account_id
         WHERE p.state <> 'draft' AND (p.reversal_of_id IS NULL AND s.amount IS DISTINCT FROM p.amount
            OR b.bank IS DISTINCT FROM CASE p.flow WHEN 'pay' THEN p.amount ELSE -p.amount END)
    """)
    return [*claims, *payments]
