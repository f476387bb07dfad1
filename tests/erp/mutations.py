"""Statements that break the invariants of the ledger, one each, with the guards switched off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Mutation:
    """One way to break invariant `code`; `drop` names constraints (table, name) that stand in the way."""

    code: str
    about: str
    sql: str
    drop: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.code} {self.about}"


def m(code: str, about: str, sql: str, *drop: tuple[str, str]) -> Mutation:
    return Mutation(code, about, sql, drop)


ENTRY = "(SELECT min(id) FROM erp_journalentry)"
REVERSAL = "(SELECT min(id) FROM erp_journalentry WHERE reversal_of_id IS NOT NULL)"
LEDGER = [
    m(
        "I-01",
        "no side",
        "UPDATE erp_journalline SET debit = 0, credit = 0 WHERE entry_id = " + ENTRY,
        ("erp_journalline", "line_one_side"),
    ),
    m(
        "I-01",
        "both sides",
        f"UPDATE erp_journalline SET debit = 5, credit = 5 WHERE entry_id = {ENTRY}",
        ("erp_journalline", "line_one_side"),
    ),
    m(
        "I-01",
        "negative and not red",
        "UPDATE erp_journalline SET red = FALSE WHERE red",
        ("erp_journalline", "line_sign"),
    ),
    m(
        "I-02",
        "one cent more",
        f"UPDATE erp_journalline SET debit = debit + 0.01 WHERE debit > 0 AND entry_id = {ENTRY}",
    ),
    m("I-02", "another total", f"UPDATE erp_journalentry SET total = total + 1 WHERE id = {ENTRY}"),
    m(
        "I-03",
        "foreign amount of an invoice",
        """UPDATE erp_journalline SET amount = amount + 1 WHERE id = (
        SELECT min(l.id) FROM erp_journalline l JOIN erp_journalentry e ON e.id = l.entry_id
          JOIN erp_currency c ON c.id = l.currency_id WHERE c.code = 'USD' AND e.source = 'erp.invoice')""",
    ),
    m("I-03", "base amount", f"UPDATE erp_journalline SET amount = 0 WHERE entry_id = {ENTRY} AND debit > 0"),
    m("I-04", "line lost", "DELETE FROM erp_journalline WHERE id = (SELECT max(id) FROM erp_journalline)"),
    m(
        "I-04",
        "line added",
        f"""INSERT INTO erp_journalline (entry_id, account_id, date, debit, credit, red,
        currency_id, amount, rate, memo) SELECT entry_id, account_id, date, debit, credit, red, currency_id, amount,
        rate, memo FROM erp_journalline WHERE entry_id = {ENTRY}""",
    ),
    m("I-04", "lines without entry", f"DELETE FROM erp_journalentry WHERE id = {ENTRY}"),
    m(
        "I-05",
        "group account",
        f"""UPDATE erp_journalline SET account_id = (SELECT id FROM erp_account WHERE code = '2221')
        WHERE entry_id = {ENTRY}""",
    ),
    m(
        "I-05",
        "account got a child",
        """UPDATE erp_account SET parent_id = (
        SELECT account_id FROM erp_journalline ORDER BY id LIMIT 1) WHERE code = '1101'""",
    ),
    m("I-05", "date of a line", f"UPDATE erp_journalline SET date = date - 1 WHERE entry_id = {ENTRY}"),
    m(
        "I-05",
        "archived account",
        """UPDATE erp_account SET active = FALSE WHERE code = '3001';
        UPDATE erp_accounthistory SET pgh_created_at = now() - interval '1 day'
         WHERE pgh_obj_id = (SELECT id FROM erp_account WHERE code = '3001')""",
    ),
    m(
        "I-06",
        "posted twice",
        f"""UPDATE erp_journalentry e SET source = o.source, source_id = o.source_id,
        purpose = o.purpose FROM erp_journalentry o WHERE o.id = {ENTRY} AND e.id = {ENTRY} + 1""",
        ("erp_journalentry", "entry_posted_once"),
    ),
    m("I-06", "draft with an entry", "UPDATE erp_invoice SET state = 'draft' WHERE state = 'posted'"),
    m("I-07", "entry lost", f"DELETE FROM erp_journalentry WHERE id = {ENTRY}"),
    m("I-07", "entry renumbered", f"UPDATE erp_journalentry SET number = number || '9' WHERE id = {ENTRY}"),
    m("I-07", "entry sequence", f"UPDATE erp_journalentry SET sequence = sequence + 100 WHERE id = {ENTRY}"),
    m("I-07", "number of a draft", "UPDATE erp_salesorder SET number = 'SO-0000-0001' WHERE state = 'draft'"),
    m("I-07", "order lost", "DELETE FROM erp_salesorder WHERE number LIKE '%-0002'"),
    m("I-07", "first receipt of money lost", "DELETE FROM erp_payment WHERE number LIKE 'RC-%-0001'"),
    m("I-07", "delivery renumbered", "UPDATE erp_delivery SET number = 'DN-0000-0009' WHERE number LIKE 'DN-%-0001'"),
    m("I-08", "counter of a journal", "UPDATE oa_counter SET last = last + 1 WHERE key LIKE 'journal:%'"),
    m("I-08", "counter of documents", "UPDATE oa_counter SET last = last - 1 WHERE key LIKE 'sales-order:%'"),
    m("I-08", "counter of payments", "UPDATE oa_counter SET last = last + 1 WHERE key LIKE 'payment:%'"),
    m("I-08", "counter lost", "DELETE FROM oa_counter WHERE key LIKE 'voucher:%'"),
    m(
        "I-09",
        "amount of a reversal",
        f"""UPDATE erp_journalline SET debit = debit * 2, credit = credit * 2,
        amount = amount * 2 WHERE entry_id = {REVERSAL}""",
    ),
    m(
        "I-09",
        "account of a reversal",
        f"""UPDATE erp_journalline SET account_id = (
        SELECT id FROM erp_account WHERE code = '1101') WHERE id = (
        SELECT min(id) FROM erp_journalline WHERE entry_id = {REVERSAL})""",
    ),
    m(
        "I-09",
        "partner of a reversal",
        """UPDATE erp_journalline SET customer_id = NULL, supplier_id = NULL
        WHERE entry_id IN (SELECT id FROM erp_journalentry WHERE reversal_of_id IS NOT NULL)""",
    ),
    m(
        "I-09",
        "reversed twice",
        f"""UPDATE erp_journalentry SET reversal_of_id = (
        SELECT reversal_of_id FROM erp_journalentry WHERE id = {REVERSAL}) WHERE id = (
        SELECT max(id) FROM erp_journalentry WHERE reversal_of_id IS NOT NULL)""",
        ("erp_journalentry", "erp_journalentry_reversal_of_id_key"),
    ),
    m("I-09", "reversal before its original", f"UPDATE erp_journalentry SET date = date - 40 WHERE id = {REVERSAL}"),
    m("I-09", "rate of a reversal", f"UPDATE erp_journalline SET rate = rate * 2 WHERE entry_id = {REVERSAL}"),
    m(
        "I-09",
        "reversal of a reversal",
        f"""UPDATE erp_journalentry SET reversal_of_id = {ENTRY}
        WHERE id = (SELECT reversal_of_id FROM erp_journalentry WHERE id = {REVERSAL})""",
    ),
    m("I-09", "reversed document is live", "UPDATE erp_voucher SET state = 'posted' WHERE state = 'reversed'"),
    m(
        "I-09",
        "document reversed without counter document",
        "UPDATE erp_payment SET state = 'reversed' WHERE state = 'posted' AND reversal_of_id IS NULL",
    ),
    m("I-10", "outside of the period", f"UPDATE erp_journalentry SET date = date - 400 WHERE id = {ENTRY}"),
    m("I-10", "closed before", "UPDATE erp_period SET closed_at = now() - interval '1 year' WHERE state = 'closed'"),
    m("I-10", "periods overlap", """UPDATE erp_period SET "end" = "end" + 3 WHERE state = 'closed'"""),
    m("I-11", "open item lost", "DELETE FROM erp_openitem WHERE remaining <> 0"),
    m(
        "I-11",
        "base amount of an open item",
        """UPDATE erp_openitem SET base_remaining = base_remaining + 0.01,
        base_amount = base_amount + 0.01 WHERE id = (SELECT min(id) FROM erp_openitem WHERE remaining > 0)""",
    ),
    m(
        "I-11",
        "open item of somebody else",
        """UPDATE erp_openitem SET customer_id = (
        SELECT max(id) FROM crm_customer) WHERE customer_id = (SELECT min(id) FROM crm_customer) AND remaining <> 0""",
    ),
    m(
        "I-11",
        "control line without partner",
        """UPDATE erp_journalline SET customer_id = NULL
        WHERE id = (SELECT min(id) FROM erp_journalline WHERE customer_id IS NOT NULL)""",
    ),
    m("I-12", "receipt line not cleared", "UPDATE erp_goodsreceiptline SET cleared = cleared - 1 WHERE cleared > 0"),
    m(
        "I-12",
        "billed quantity of a receipt line",
        "UPDATE erp_goodsreceiptline SET billed = billed + 1 WHERE billed > 0",
    ),
    m("I-12", "value of a receipt line", "UPDATE erp_goodsreceiptline SET value = value + 1 WHERE billed = 0"),
    m(
        "I-12",
        "cost expensed too early",
        "UPDATE erp_salesorderline SET expensed_cost = delivered_cost WHERE moved > billed",
    ),
    m(
        "I-12",
        "cost not expensed",
        """UPDATE erp_salesorderline SET expensed_cost = 0
        WHERE moved > 0 AND moved = billed AND delivered_cost > 0""",
    ),
    m(
        "I-13",
        "balance",
        "UPDATE erp_periodbalance SET debit = debit + 1 WHERE id = (SELECT min(id) FROM erp_periodbalance)",
    ),
    m("I-13", "ledger", f"DELETE FROM erp_journalline WHERE entry_id = {ENTRY} AND debit > 0"),
    m("I-13", "month missing", "DELETE FROM erp_period WHERE state = 'open' AND number = 6"),
    m("I-13", "months overlap", 'UPDATE erp_period SET "end" = "end" + 1 WHERE number = 6'),
    m("I-13", "years overlap", "UPDATE erp_fiscalyear SET start = start - 400"),
    m(
        "I-14",
        "balance of both sides",
        """UPDATE erp_periodbalance SET debit = debit + 1, credit = credit + 1
        WHERE id = (SELECT min(id) FROM erp_periodbalance)""",
    ),
    m("I-14", "balance lost", "DELETE FROM erp_periodbalance WHERE id = (SELECT min(id) FROM erp_periodbalance)"),
]
