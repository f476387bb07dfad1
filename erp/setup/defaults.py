"""The master data a new installation starts with; people change and delete them as they like."""

from __future__ import annotations

# code, English name, Chinese name, symbol, decimals
CURRENCIES = (
    ("CNY", "Renminbi", "人民币", "¥", 2),
    ("USD", "US dollar", "美元", "$", 2),
    ("EUR", "Euro", "欧元", "€", 2),
    ("GBP", "Pound sterling", "英镑", "£", 2),
    ("HKD", "Hong Kong dollar", "港币", "HK$", 2),
    ("JPY", "Japanese yen", "日元", "JP¥", 0),
)
# code (fixed: documents name their journal by it), English name, Chinese name
JOURNALS = (
    ("SAL", "Sales", "销售"),
    ("PUR", "Purchases", "采购"),
    ("BNK", "Receipts and payments", "收付款"),
    ("INV", "Inventory", "库存"),
    ("GEN", "General", "记账"),
)
# code, English name, Chinese name, net days, from the end of the month
PAYMENT_TERMS = (
    ("NET0", "Immediately", "款到即付", 0, False),
    ("NET30", "Net 30 days", "30 天付清", 30, False),
    ("NET60", "Net 60 days", "60 天付清", 60, False),
    ("EOM30", "30 days from the end of the month", "月结 30 天", 30, True),
)
# code, English name, Chinese name, decimals
UNITS = (
    ("pc", "Piece", "个", 0),
    ("set", "Set", "套", 0),
    ("box", "Box", "箱", 0),
    ("kg", "Kilogram", "千克", 4),
    ("m", "Metre", "米", 4),
    ("h", "Hour", "小时", 2),
    ("job", "Job", "项", 2),
)
