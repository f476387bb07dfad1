"""Commands on customers."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm.customers.models import Customer
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.records.bulk import locked
from oa.records.commands import command
from oa.records.numbering import next_number


@command
def save_customer(customer: Customer, *, by: Any) -> Customer:
    """Store a customer; a new one gets a code from the sequence, and its maker as owner."""
    if not customer.code:
        customer.code = next_number("customer", business_day())
    if not customer.pk:
        fill_customer(customer, by)
    customer.save()
    return customer


def fill_customer(customer: Customer, by: Any) -> None:
    """What a new customer gets from its maker: the owner, unless there is one, and the owner's department."""
    customer.created_by = by
    if customer.owner_id is None and by is not None:
        customer.owner = by
    if customer.department_id is None and customer.owner is not None:
        customer.department_id = customer.owner.department_id


@transaction.atomic
def transfer_customer(customer: Customer, owner: Any, *, by: Any) -> Customer:
    """Give a customer to another owner, with the department of that person (rule C-15).

    What hangs on the customer becomes visible to the new owner with it. Raises BusinessError.
    """
    if not owner.is_active:
        raise BusinessError(_("%s does not work here any more; choose somebody else.") % owner, field="owner")
    customer = locked(Customer.objects.all(), customer.pk)
    customer.owner, customer.department_id = owner, owner.department_id
    customer.version += 1
    customer.save()
    return customer
