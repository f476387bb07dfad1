"""Supplier bills: draft, match, post, reverse (rules P-09 to P-12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import PURCHASES, posting_context
from erp.finance.currencies import rate_on
from erp.finance.ledger import post_entry, source_of
from erp.finance.models import ExchangeRate, JournalLine
from erp.finance.models.accounts import Control, Purpose
from erp.finance.models.openitems import ItemKind
from erp.finance.openitems import items_of, on_settled, open_items
from erp.inventory.ledger import post_moves
from erp.inventory.models import MoveKind, StockMove
from erp.purchasing.models import Bill, BillLine, GoodsReceiptLine, PurchaseOrder, PurchaseOrderLine
