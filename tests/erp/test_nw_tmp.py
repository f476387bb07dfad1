import csv, datetime as dt
from decimal import Decimal as D
import pytest
from crm.customers.models import Customer
from erp.finance.models import Currency
from erp.inventory.models import Product, ProductGroup, Unit, Warehouse
from erp.sales.models import SalesOrder, SalesOrderLine
from erp.trade.amounts import Priced, line_amounts
from kit.exchange import reports
from kit.exchange.reports import SYSTEM
from oa.organisation.models import User
pytestmark=pytest.mark.django_db
R="/work/shared/data/northwind/"
def read(n): return list(csv.DictReader(open(R+n,encoding="utf-8")))
def test_northwind():
    cur=Currency.objects.get(code="CNY"); wh=Warehouse.objects.first(); unit=Unit.objects.get(code="pc")
    cats={r["CategoryID"]:ProductGroup.objects.create(code=r["CategoryName"],name=r["CategoryName"]) for r in read("categories.csv")}
    prods={r["ProductID"]:Product.objects.create(code=r["ProductID"],name=r["ProductName"],unit=unit,group=cats[r["CategoryID"]]) for r in read("products.csv")}
    custs={r["CustomerID"]:Customer.objects.create(code=r["CustomerID"],name=r["CompanyName"],country=r["Country"]) for r in read("customers.csv")}
    emps={r["EmployeeID"]:User.objects.create(username="e"+r["EmployeeID"],name=r["FirstName"]) for r in read("employees.csv")}
    orders={}
    for r in read("orders.csv"):
        orders[r["OrderID"]]=SalesOrder(customer=custs[r["CustomerID"]],owner=emps[r["EmployeeID"]],date=dt.date.fromisoformat(r["OrderDate"][:10]),currency=cur,warehouse=wh,ship_country=r["ShipCountry"],state="closed" if r["ShippedDate"] else "confirmed",number="N"+r["OrderID"])
    SalesOrder.objects.bulk_create(orders.values())
    lines=[]
    for i,r in enumerate(read("order_details.csv")):
        disc=D(r["Discount"])*100
        a=line_amounts([Priced(D(r["Quantity"]),D(r["UnitPrice"]),disc,D(0))],per_tax=False,includes_tax=False,exponent=2)[0]
        lines.append(SalesOrderLine(order=orders[r["OrderID"]],position=i,product=prods[r["ProductID"]],unit=unit,quantity=D(r["Quantity"]),price=D(r["UnitPrice"]),discount=disc,net=a.net,tax=0,warehouse=wh))
    SalesOrderLine.objects.bulk_create(lines)
    def rows(**p):
        f=reports.get("sales"); return reports.run(f,reports.parse_params(f,p),SYSTEM).rows
    for g,f,key,keyf in (("year","expected_sales_by_year","year_",str),("month","expected_sales_by_month","month_",str),("customer","expected_sales_by_customer","CustomerID",str),("owner","expected_sales_by_employee","EmployeeID",lambda x:"e"+x),("country","expected_sales_by_ship_country","ShipCountry",str),("product","expected_sales_by_product","ProductID",str),("category","expected_sales_by_category","CategoryName",str)):
        got={r[g]:r for r in rows(group_by=g)}; exp=read(f"expected/{f}.csv")
        assert len(got)==len(exp),(g,len(got),len(exp))
        for e in exp:
            r=got[keyf(e[key])]
            assert r["quantity"]==D(e["qty"]) and r["gross"]==D(e["gross"]) and r["net"]==D(e["net_lines_rounded"]),(g,e,r)
            if "orders" in e: assert r["documents"]==int(e["orders"])
    f=reports.get("sales"); t=reports.run(f,reports.parse_params(f,{"group_by":"year"}),SYSTEM).totals[0]; print(t)
