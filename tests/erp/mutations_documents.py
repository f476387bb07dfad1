"""Statements that break the invariants of stock, documents, forms and files, with the guards switched off."""

from __future__ import annotations

from tests.erp.mutations import ENTRY, LEDGER, m

SOMEBODY, ALL_LEFT = "(SELECT min(id) FROM oa_user)", "UPDATE oa_user SET is_active = FALSE"
DOCUMENTS = [
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
        "I-17",
        "value left behind once",
        """UPDATE erp_stockmove SET quantity_after = 0 WHERE id = (
        SELECT min(id) FROM erp_stockmove WHERE value_after > 0)""",
    ),
    m("I-17", "negative value once", "UPDATE erp_stockmove SET value_after = -1 WHERE quantity_after > 0"),
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
    m("I-18", "level may, warehouse may not", "UPDATE erp_stocklevel SET allow_negative = TRUE"),
    m(
        "I-18",
        "negative after it was forbidden again",
        """INSERT INTO erp_warehousehistory SELECT (jsonb_populate_record(NULL::erp_warehousehistory,
            to_jsonb(w) || jsonb_build_object('pgh_id', 999999, 'pgh_obj_id', w.id, 'pgh_label', 'changed',
                'allow_negative', TRUE, 'pgh_created_at', now() - interval '20 days'))).* FROM erp_warehouse w;
        UPDATE erp_stockmove SET quantity = quantity - 100000 WHERE id = (
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
    m("I-21", "excess that nobody allowed", "UPDATE erp_delivery SET excess_allowed_by_id = NULL"),
    m("I-21", "excess of a supplier that nobody allowed", "UPDATE erp_goodsreceipt SET excess_allowed_by_id = NULL"),
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
    m(
        "I-24",
        "output tax on another account",
        """UPDATE erp_journalline SET account_id = (SELECT id FROM erp_account WHERE code = '5001')
        WHERE account_id IN (SELECT output_account_id FROM erp_taxcode)
          AND entry_id IN (SELECT id FROM erp_journalentry WHERE source = 'erp.invoice')""",
    ),
    m(
        "I-24",
        "input tax in the ledger",
        """UPDATE erp_journalline SET debit = debit + 1, amount = amount + 1
        WHERE account_id IN (SELECT input_account_id FROM erp_taxcode) AND debit > 0""",
    ),
    m(
        "I-24",
        "tax in base currency",
        """UPDATE erp_journalline SET debit = debit * 2, credit = credit * 2
        WHERE account_id IN (SELECT output_account_id FROM erp_taxcode)""",
    ),
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
    m(
        "I-31",
        "effect without record",
        "UPDATE oa_idempotencykey SET effect_id = NULL",
        ("oa_idempotencykey", "key_names_its_effect"),
    ),
    m("I-31", "effect without key", "DELETE FROM oa_idempotencykey"),
    m("I-31", "effect of another key", "UPDATE oa_idempotencykey SET key = gen_random_uuid()"),
    m("I-31", "no such model", "UPDATE oa_idempotencykey SET effect = 'erp.unheardof'"),
    m("I-30", "one word", "UPDATE oa_auditentry SET what = what || '.' WHERE id = (SELECT min(id) FROM oa_auditentry)"),
    m("I-30", "entries swapped", "UPDATE oa_auditentry a SET what = b.what FROM oa_auditentry b WHERE b.id <> a.id"),
    m("I-30", "first entry lost", "DELETE FROM oa_auditentry WHERE id = (SELECT min(id) FROM oa_auditentry)"),
    m("I-30", "seal taken off", "UPDATE oa_auditentry SET digest = '' WHERE id = (SELECT max(id) FROM oa_auditentry)"),
    m("I-33", "comment on nothing", "UPDATE oa_comment SET object_id = 999999999"),
    m("I-33", "file of nothing", "UPDATE oa_attachment SET object_id = 999999999"),
    m("I-33", "file lost", "UPDATE oa_attachment SET file = 'attachments/lost.pdf'"),
    m("I-33", "size of a file", "UPDATE oa_attachment SET size = size + 1"),
    m("I-33", "content of a file", "UPDATE oa_attachment SET sha256 = repeat('0', 64)"),
    m("I-33", "message about nothing", "UPDATE oa_notification SET object_id = 999999999"),
    m("I-33", "order of nobody", "UPDATE erp_salesorder SET customer_id = 999999999"),
    m("I-33", "line of a vanished product", "DELETE FROM erp_product WHERE code = 'CABLE'"),
    m("I-33", "entry of nothing", f"UPDATE erp_journalentry SET source_id = 999999999 WHERE id = {ENTRY}"),
    m(
        "I-33",
        "move of nothing",
        "UPDATE erp_stockmove SET source = 'erp.unheardof' WHERE id = (SELECT min(id) FROM erp_stockmove)",
    ),
    m("I-33", "open item of nothing", "UPDATE erp_openitem SET source_id = source_id + 999999999"),
    m("I-34", "owner of customers left", f"UPDATE crm_customer SET owner_id = {SOMEBODY}; {ALL_LEFT}"),
    m("I-34", "owner of a draft left", f"UPDATE erp_salesorder SET owner_id = {SOMEBODY}, state = 'draft'; {ALL_LEFT}"),
    m("I-34", "head left", f"UPDATE oa_department SET head_id = {SOMEBODY}; {ALL_LEFT}"),
    m("I-34", "department below itself", "UPDATE oa_department SET parent_id = id"),
    m("I-34", "own manager", "UPDATE oa_user SET manager_id = id"),
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
ANNOUNCEMENTS = [
    m(
        "I-65",
        "receipt lost",
        "DELETE FROM oa_announcementreceipt WHERE id = (SELECT max(id) FROM oa_announcementreceipt)",
    ),
    m("I-65", "recipient too much", "UPDATE oa_announcement SET recipients = recipients + 1"),
    m(
        "I-65",
        "receipt for another version",
        "UPDATE oa_announcementreceipt SET edition = 1 WHERE superseded_at IS NULL",
    ),
    m("I-65", "replaced receipt of the present version", "UPDATE oa_announcementreceipt SET edition = 2"),
    m("I-65", "delivered before it was published", "UPDATE oa_announcementreceipt SET delivered_at = '2000-01-01'"),
    m("I-66", "published tomorrow", "UPDATE oa_announcement SET published_at = now() + interval '1 day'"),
    m(
        "I-66",
        "published without a time",
        "UPDATE oa_announcement SET published_at = NULL",
        ("oa_announcement", "announcement_published"),
    ),
    m(
        "I-66",
        "not approved",
        "UPDATE oa_announcement SET decided_by_id = NULL",
        ("oa_announcement", "announcement_approved"),
    ),
    m(
        "I-66",
        "approved by the author",
        "UPDATE oa_announcement SET decided_by_id = owner_id",
        ("oa_announcement", "announcement_four_eyes"),
    ),
    m("I-67", "version lost", "DELETE FROM oa_announcementedition WHERE number = 1"),
    m("I-67", "another text", "UPDATE oa_announcement SET body = body || '!'"),
    m("I-67", "version changed", "UPDATE oa_announcementedition SET body = body || '!'"),
    m("I-67", "two present versions", "UPDATE oa_announcementedition SET number = number + 1 WHERE number = 2"),
]
MUTATIONS = [*LEDGER, *DOCUMENTS, *ANNOUNCEMENTS]
