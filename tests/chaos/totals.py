"""What must be the same in a restored company: `python -m tests.chaos.totals` prints it for the one of SANHE_VAR."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

TOTALS = {
    "entries": "SELECT count(*), sum(total), max(id) FROM erp_journalentry",
    "accounts": "SELECT account_id, sum(debit), sum(credit), count(*) FROM erp_journalline GROUP BY 1 ORDER BY 1",
    "stock": "SELECT product_id, warehouse_id, on_hand, value, reserved FROM erp_stocklevel ORDER BY 1, 2",
    "moves": "SELECT product_id, warehouse_id, sum(quantity), sum(value), count(*) FROM erp_stockmove GROUP BY 1, 2"
    " ORDER BY 1, 2",
    "customers": "SELECT customer_id, sum(remaining), sum(base_remaining), count(*) FROM erp_openitem"
    " WHERE customer_id IS NOT NULL GROUP BY 1 ORDER BY 1",
    "suppliers": "SELECT supplier_id, sum(remaining), sum(base_remaining), count(*) FROM erp_openitem"
    " WHERE supplier_id IS NOT NULL GROUP BY 1 ORDER BY 1",
    "orders": "SELECT state, count(*), sum(total) FROM erp_salesorder GROUP BY 1 ORDER BY 1",
    "keys": "SELECT count(*) FROM oa_idempotencykey",
    "attachments": "SELECT id, name, size, sha256 FROM oa_attachment ORDER BY 1",
}


def totals() -> dict[str, list[list[str]]]:
    """The totals by name, as the present transaction sees them."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for name, sql in TOTALS.items():
            cursor.execute(sql)
            found[name] = [[str(value) for value in row] for row in cursor.fetchall()]
    return found


def contents() -> dict[str, str]:
    """SHA-256 of the file of every attachment, read from the storage."""
    from oa.records.models import Attachment

    found = {}
    for row in Attachment.objects.all():
        with row.file.open("rb") as file:
            found[str(row.pk)] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def main() -> None:
    """Print both."""
    import django

    from config import embedded

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    embedded.start()
    django.setup()
    told: dict[str, Any] = {"totals": totals(), "contents": contents()}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
