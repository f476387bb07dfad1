"""Facade: lets Django find the back office of operations."""

from erp.finance import admin as finance
from erp.inventory import admin as inventory
from erp.purchasing import admin as purchasing
from erp.sales import admin as sales

__all__ = ["finance", "inventory", "purchasing", "sales"]
