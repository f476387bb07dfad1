"""Facade: lets Django find the models. Import from the sections instead."""

from crm.contracts.models import Contract
from crm.customers.models import Address, Contact, Customer, CustomerGroup, Tag
from crm.followups.models import FollowUp
from crm.marketing.models import MarketingPlan

__all__ = ["Address", "Contact", "Contract", "Customer", "CustomerGroup", "FollowUp", "MarketingPlan", "Tag"]
