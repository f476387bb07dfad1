"""Facade: lets Django find the back office of the customers app."""

from crm.contracts import admin as contracts
from crm.customers import admin as customers
from crm.followups import admin as followups
from crm.marketing import admin as marketing

__all__ = ["contracts", "customers", "followups", "marketing"]
