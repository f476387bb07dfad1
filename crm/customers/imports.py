"""Customers and contacts from files and into files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from crm.customers.duplicates import refuse_twins
from crm.customers.models import CustomerGroup
from crm.customers.services import fill_customer
from kit.exchange import exporting, importing
from kit.exchange.importing_columns import maker
from kit.exchange.importing_records import RecordImporter
from kit.exchange.importing_run import Entry, RecordRun
from oa.organisation.people import person_called


class CustomerImporter(RecordImporter):
    """Customers by code. Unknown groups and owners are made; owners can log in once they get a password."""

    kind = "customers"
    resource = "customer"
    required = ("code",)
    bulk = True
    make: ClassVar = {"group": maker(CustomerGroup), "owner": person_called}
    aliases: ClassVar = {
        "code": ("客户编码", "客户编号", "客户代码", "编码", "编号", "代码"),
        "name": ("客户名称", "名称"),
        "short_name": ("简称",),
        "type": ("类型", "客户类型"),
        "group": ("客户分组", "客户组", "分组"),
        "country": ("国家", "国家地区"),
        "region": ("地区", "省份", "省", "区域"),
        "city": ("城市",),
        "address": ("地址",),
        "phone": ("电话", "联系电话"),
        "email": ("邮箱", "电子邮箱", "电子邮件", "email address"),
        "tax_number": ("税号", "纳税人识别号", "统一社会信用代码"),
        "owner": ("负责人", "业务员", "销售员"),
    }

    choices: ClassVar = {"twins": _("Import customers whose name or tax number is there already")}

    def complete(self, run: RecordRun, entries: Sequence[Entry]) -> None:
        """Duplicates are not imported, unless that is wished (C-01)."""
        if not run.batch.options.twins:
            refuse_twins(run.batch, entries, {name: self.title_of(name) for name in ("tax_number", "name")})

    def prepare(self, record: Any, by: Any) -> None:
        """What `save_customer` does to a new customer with a code."""
        fill_customer(record, by)


class ContactImporter(RecordImporter):
    """Contacts by customer and name."""

    kind = "contacts"
    resource = "contact"
    aliases: ClassVar = {
        "customer": ("客户", "客户编码", "客户编号", "客户代码"),
        "name": ("姓名", "联系人", "联系人姓名", "名称"),
        "role": ("角色",),
        "title": ("职务",),
        "phone": ("电话", "联系电话"),
        "email": ("邮箱", "电子邮箱", "电子邮件"),
    }


for importer in (CustomerImporter(), ContactImporter()):
    importing.register(importer)
    exporting.register(importer.kind, importer.exporter)
