"""Statements that break one invariant each, with the guards switched off."""

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
MUTATIONS = [
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
    m(
        "I-14",
        "balance of both sides",
        """UPDATE erp_periodbalance SET debit = debit + 1, credit = credit + 1
        WHERE id = (SELECT min(id) FROM erp_periodbalance)""",
    ),
    m("I-14", "balance lost", "DELETE FROM erp_periodbalance WHERE id = (SELECT min(id) FROM erp_periodbalance)"),
    m("I-15", "on hand", "UPDATE erp_stocklevel SET on_hand = on_hand + 1 WHERE on_hand > 0"),
    m("I-15", "value", "UPDATE erp_stocklevel SET value = value + 0.01 WHERE on_hand > 0"),
    m("I-15", "level lost", "DELETE FROM erp_stocklevel"),
    m("I-15", "running quantity", "UPDATE erp_stockmove SET quantity_after = quantity_after + 1 WHERE id % 2 = 0"),
    m("I-15", "running value", "UPDATE erp_stockmove SET value_after = value_after + 1 WHERE id % 2 = 0"),
    m(
        "I-16",
        "value of a move",
        """UPDATE erp_stockmove SET value = value + 1 WHERE id = (
        SELECT min(id) FROM erp_stockmove)""",
    ),
    m("I-16", "entry of a move", "UPDATE erp_stockmove SET entry_id = NULL WHERE value <> 0"),
    m(
        "I-16",
        "inventory posted by hand",
        """UPDATE erp_journalline SET account_id = (
        SELECT id FROM erp_account WHERE control = 'inventory') WHERE entry_id = (
        SELECT min(id) FROM erp_journalentry WHERE source = 'erp.voucher') AND debit > 0""",
    ),
    m("I-16", "date of a move", "UPDATE erp_stockmove SET date = date - 1"),
    m(
        "I-17",
        "value without stock",
        "UPDATE erp_stocklevel SET on_hand = 0, reserved = 0, value = 0.01",
        ("erp_stocklevel", "level_value"),
    ),
    m(
        "I-17",
        "negative value",
        "UPDATE erp_stocklevel SET value = -1 WHERE on_hand > 0",
        ("erp_stocklevel", "level_value"),
    ),
    m(
        "I-18",
        "issued before it came",
        """UPDATE erp_stockmove SET date = date - 30 WHERE kind = 'delivery'
        AND quantity < 0""",
    ),
    m(
        "I-18",
        "more issued than there was",
        """UPDATE erp_stockmove SET quantity = quantity - 100000 WHERE id = (
        SELECT min(id) FROM erp_stockmove WHERE kind = 'delivery')""",
    ),
    m("I-19", "reserved of a level", "UPDATE erp_stocklevel SET reserved = reserved + 1 WHERE on_hand > reserved"),
    m(
        "I-19",
        "more reserved than there is",
        "UPDATE erp_stocklevel SET reserved = on_hand + 1",
        ("erp_stocklevel", "level_reserved_on_hand"),
    ),
    m("I-19", "reserved by nobody", "UPDATE erp_salesorderline SET reserved = 0 WHERE reserved > 0"),
    m(
        "I-19",
        "reserved for a closed order",
        """UPDATE erp_salesorder SET state = 'closed'
        WHERE id IN (SELECT order_id FROM erp_salesorderline WHERE reserved > 0)""",
    ),
    m("I-19", "reserved and delivered", "UPDATE erp_salesorderline SET reserved = 1 WHERE moved = quantity"),
    m("I-21", "delivered quantity", "UPDATE erp_salesorderline SET moved = moved - 1 WHERE moved > 0"),
    m(
        "I-21",
        "delivery line",
        """UPDATE erp_deliveryline SET quantity = quantity + 1 WHERE id = (
        SELECT min(id) FROM erp_deliveryline)""",
    ),
    m("I-21", "more than ordered", "UPDATE erp_salesorderline SET quantity = moved - 1 WHERE moved > 2"),
    m("I-21", "received quantity", "UPDATE erp_purchaseorderline SET moved = moved + 1 WHERE moved > 0"),
    m(
        "I-21",
        "more than ordered of a supplier",
        "UPDATE erp_purchaseorderline SET quantity = moved - 1 WHERE moved > 2",
    ),
    m("I-22", "invoiced quantity", "UPDATE erp_salesorderline SET billed = billed + 1 WHERE billed > 0"),
    m(
        "I-22",
        "invoiced and not delivered",
        """UPDATE erp_salesorderline SET moved = billed - 1
        WHERE billed > 0 AND moved >= billed""",
    ),
    m("I-22", "billed quantity", "UPDATE erp_billline SET quantity = quantity + 1 WHERE order_line_id IS NOT NULL"),
    m("I-22", "more credited than invoiced", "UPDATE erp_salesorderline SET credited = billed + 1 WHERE billed > 0"),
    m("I-23", "total of an order", "UPDATE erp_salesorder SET total = total + 1"),
    m("I-23", "net of an order", "UPDATE erp_purchaseorder SET net = net + 1, total = total + 1"),
    m("I-23", "base total of an invoice", "UPDATE erp_invoice SET base_total = base_total + 1"),
    m("I-23", "line of a bill", "UPDATE erp_billline SET net = net + 1"),
    m(
        "I-23",
        "receivable of an invoice",
        """UPDATE erp_journalline SET debit = debit + 1, amount = amount + 1
        WHERE customer_id IS NOT NULL AND debit > 0 AND entry_id IN (
        SELECT id FROM erp_journalentry WHERE source = 'erp.invoice')""",
    ),
    m("I-23", "cost of a delivery", "UPDATE erp_delivery SET cost = cost + 1 WHERE state <> 'draft'"),
    m("I-23", "cost of a delivery line", "UPDATE erp_deliveryline SET cost = cost + 1"),
    m(
        "I-23",
        "quantity of a delivery line",
        """UPDATE erp_deliveryline SET quantity = quantity * 2,
        factor = factor WHERE quantity > 0""",
    ),
    m("I-23", "value of a receipt", "UPDATE erp_goodsreceipt SET value = value + 1 WHERE state <> 'draft'"),
    m("I-23", "amount of a payment", "UPDATE erp_payment SET amount = amount + 1 WHERE amount > 0"),
    m("I-23", "line of a voucher", "UPDATE erp_voucherline SET debit = debit + 1 WHERE debit > 0"),
    m(
        "I-24",
        "tax of a line",
        """UPDATE erp_invoiceline SET tax = tax + 0.01 WHERE invoice_id IN (
        SELECT id FROM erp_invoice WHERE tax_method = 'line' AND NOT prices_include_tax)""",
    ),
    m(
        "I-24",
        "tax included in the price",
        """UPDATE erp_invoiceline SET tax = tax + 0.01, net = net - 0.01
        WHERE invoice_id IN (SELECT id FROM erp_invoice WHERE prices_include_tax)""",
    ),
    m(
        "I-24",
        "tax of a rate",
        """UPDATE erp_salesorderline SET tax = tax + 0.01 WHERE order_id IN (
        SELECT id FROM erp_salesorder WHERE tax_method = 'tax')""",
    ),
    m("I-24", "price of a line", "UPDATE erp_purchaseorderline SET price = price + 1"),
    m("I-25", "allocated amount", "UPDATE erp_allocation SET amount = amount + 1 WHERE amount > 0"),
    m(
        "I-25",
        "remaining amount",
        """UPDATE erp_openitem SET remaining = remaining - 0.01
        WHERE remaining > 1""",
    ),
    m(
        "I-25",
        "remaining in base currency",
        "UPDATE erp_openitem SET base_remaining = base_remaining - 0.01 WHERE remaining > 1",
    ),
    m(
        "I-25",
        "another partner",
        """UPDATE erp_openitem SET customer_id = (SELECT max(id) FROM crm_customer)
        WHERE customer_id = (SELECT min(id) FROM crm_customer) AND amount > 0""",
    ),
    m("I-25", "undone differently", """UPDATE erp_allocation SET amount = amount * 2 WHERE reverses_id IS NOT NULL"""),
    m(
        "I-25",
        "open amount of an invoice",
        "UPDATE erp_invoice SET open_amount = open_amount + 1 WHERE state = 'posted'",
    ),
    m("I-25", "open amount of a bill", "UPDATE erp_bill SET open_amount = 0 WHERE state = 'posted'"),
    m("I-29", "state jumped", "UPDATE erp_salesorderhistory SET state = 'cancelled' WHERE state = 'draft'"),
    m("I-29", "state jumped last", "UPDATE erp_salesorder SET state = 'draft' WHERE state = 'closed'"),
    m("I-29", "no such state", "UPDATE erp_salesorder SET state = 'lost' WHERE state = 'draft'"),
    m("I-31", "effect lost", "UPDATE oa_idempotencykey SET effect_id = 999999999"),
    m("I-31", "effect without key", "UPDATE oa_idempotencykey SET effect_id = NULL"),
    m("I-31", "no such model", "UPDATE oa_idempotencykey SET effect = 'erp.unheardof'"),
    m("I-33", "comment on nothing", "UPDATE oa_comment SET object_id = 999999999"),
    m("I-33", "file of nothing", "UPDATE oa_attachment SET object_id = 999999999"),
    m("I-33", "file lost", "UPDATE oa_attachment SET file = 'attachments/lost.pdf'"),
    m("I-33", "size of a file", "UPDATE oa_attachment SET size = size + 1"),
    m("I-33", "entry of nothing", f"UPDATE erp_journalentry SET source_id = 999999999 WHERE id = {ENTRY}"),
    m(
        "I-33",
        "move of nothing",
        "UPDATE erp_stockmove SET source = 'erp.unheardof' WHERE id = (SELECT min(id) FROM erp_stockmove)",
    ),
    m("I-33", "open item of nothing", "UPDATE erp_openitem SET source_id = source_id + 999999999"),
    m(
        "I-37",
        "posted tomorrow",
        f"UPDATE erp_journalentry SET posted_at = now() + interval '1 day' WHERE id = {ENTRY}",
    ),
    m("I-37", "dated after its posting", "UPDATE erp_stockmove SET date = date + 3"),
    m("I-37", "posted before it was made", "UPDATE erp_invoice SET posted_at = created_at - interval '1 day'"),
    m("I-37", "posted without number", "UPDATE erp_bill SET number = NULL"),
    m("I-38", "mail waits", "UPDATE oa_outboxmail SET created_at = now() - interval '16 minutes'"),
    m(
        "I-38",
        "mail is being sent for ever",
        """UPDATE oa_outboxmail SET state = 'sending',
        lease_until = now() - interval '1 hour'""",
    ),
    m("I-38", "sent without time", "UPDATE oa_outboxmail SET state = 'sent'"),
]
