"""Orders of customers, what is delivered and invoiced to them, and the terms they have."""

from erp.sales.models.deliveries import Delivery, DeliveryLine
from erp.sales.models.invoices import Invoice, InvoiceLine
from erp.sales.models.orders import SalesOrder, SalesOrderLine
from erp.sales.models.terms import CustomerPrice, CustomerTerms

__all__ = [
    "CustomerPrice",
    "CustomerTerms",
    "Delivery",
    "DeliveryLine",
    "Invoice",
    "InvoiceLine",
    "SalesOrder",
    "SalesOrderLine",
]
