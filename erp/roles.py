"""What the shipped roles may do in operations (see `oa.roles`).

Duties are kept apart (rule G-22): who sells does not ship or invoice, who buys does not receive or pay, who
posts money does not open periods, who reverses is not who posted in the first place. Who ships or receives does
not allow more than was ordered (rule G-12): that is for the sales manager and for purchasing.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

# Lists that documents choose from, without cost or bank data.
CATALOGUE = """
    view_product view_productgroup view_productunit view_unit view_warehouse view_taxcode view_currency
    view_exchangerate view_paymentterms view_stocklevel
"""

SALES = f"""
    {CATALOGUE} view_salesorder* add_salesorder* change_salesorder* delete_salesorder* confirm_salesorder
    view_delivery view_deliveryline view_invoice view_invoiceline view_openitem view_customerterms*
    view_customerprice*
"""
SALES_MANAGER = f"""
    {SALES} close_salesorder cancel_salesorder add_customerprice change_customerprice delete_customerprice
    view_payment exceed_tolerance
"""
WAREHOUSE = f"""
    {CATALOGUE} view_product* view_supplier view_salesorder* view_purchaseorder* view_stockmove
    *_delivery* *_goodsreceipt* view_stockadjustment* add_stockadjustment* change_stockadjustment*
    delete_stockadjustment* post_stockadjustment
"""
PURCHASING = f"""
    {CATALOGUE} view_product* add_product* change_product* add_unit view_stockmove view_stockadjustment*
    view_supplier* add_supplier change_supplier *_purchaseorder* view_goodsreceipt* view_bill* view_salesorder
    view_salesorderline exceed_tolerance
"""
# Reads everything of operations; writes and posts what is owed and paid.
ACCOUNTANT = """
    view_* add_invoice* change_invoice* delete_invoice* post_invoice add_bill* change_bill* delete_bill* post_bill
    add_payment change_payment delete_payment post_payment *_paymentallocation add_allocation
    add_voucher* change_voucher* delete_voucher* post_voucher add_exchangerate change_exchangerate
    add_customerterms change_customerterms add_expensepayment post_expensepayment
"""
CHIEF = f"""
    {ACCOUNTANT} reverse_* release_salesorder delete_allocation delete_exchangerate change_supplier
    *_account *_taxcode *_postinggroup *_postingrule *_expenseaccount *_journal *_currency *_paymentterms
    add_fiscalyear change_period close_period backdate_stockmove
"""

GRANTS: dict[str, str] = {
    "administrator": "*",
    "sales": SALES,
    "sales-manager": SALES_MANAGER,
    "warehouse": WAREHOUSE,
    "purchasing": PURCHASING,
    "accountant": ACCOUNTANT,
    "chief-accountant": CHIEF,
    "auditor": "view_* export_*",
}

# Duties that do not belong into one hand, as pairs that a company may switch on (rule G-22).
DUTIES = (
    ("approve-sales", "Make and confirm a sales order", "销售订单制单与审核", "document",
     "erp.add_salesorder", "erp.confirm_salesorder"),
    ("approve-purchase", "Make and confirm a purchase order", "采购订单制单与审核", "document",
     "erp.add_purchaseorder", "erp.confirm_purchaseorder"),
    ("approve-voucher", "Prepare and post a voucher", "凭证制单与审核", "document",
     "erp.add_voucher", "erp.post_voucher"),
    ("approve-count", "Count and approve a stock difference", "盘点与差异审批", "document",
     "erp.add_stockadjustment", "erp.post_stockadjustment"),
    ("order-receive", "Order and receive goods", "采购下单与收货", "person",
     "erp.add_purchaseorder erp.confirm_purchaseorder", "erp.post_goodsreceipt"),
    ("receive-bill", "Receive goods and post bills", "收货与进项发票入账", "person",
     "erp.post_goodsreceipt", "erp.post_bill"),
    ("bill-pay", "Post bills and pay them", "进项发票入账与付款", "person",
     "erp.post_bill", "erp.post_payment"),
    ("supplier-pay", "Create suppliers and pay them", "供应商建档与付款", "person",
     "erp.add_supplier", "erp.post_payment"),
)  # fmt: skip

# Rights that no button names, as the role editor calls them.
gettext_noop("Can close and reopen periods")
gettext_noop("Can allow more than the tolerance of an order")
gettext_noop("Can post stock movements with an earlier date")
