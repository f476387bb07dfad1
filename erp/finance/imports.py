"""Accounts, suppliers and journals from files and into files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from erp.finance.imported_vouchers import JournalImporter
from erp.finance.models import Account, JournalLine
from erp.finance.models.accounts import AccountType, Side
from kit.exchange import exporting, importing
from kit.exchange.importing_records import RecordImporter
from kit.exchange.importing_run import Entry, RecordRun

# The side on which accounts of a type usually stand.
NORMAL_SIDES = {
    AccountType.LIABILITY: Side.CREDIT,
    AccountType.EQUITY: Side.CREDIT,
    AccountType.INCOME: Side.CREDIT,
}


class AccountImporter(RecordImporter):
    """Accounts by code. A parent becomes a group; type and normal side follow the parent where they are open."""

    kind = "accounts"
    resource = "account"
    aliases: ClassVar = {
        "code": ("科目编码", "科目代码", "科目编号", "编码", "代码"),
        "name": ("科目名称", "名称"),
        "name_zh": ("中文名称", "中文名", "科目中文名称"),
        "type": ("科目类型", "类型"),
        "normal_side": ("余额方向", "方向"),
        "parent": ("上级科目", "上级", "上级编码", "parent account", "parent code"),
    }

    def complete(self, run: RecordRun, entries: Sequence[Entry]) -> None:
        """Parents become groups, new accounts get the type of their parent."""
        above = {}
        for entry in (entry for entry in entries if not entry.row.bad):
            if entry.own or entry.new or "parent" in entry.changed:
                above[id(entry.record)] = entry.own.get("parent") or entry.record.parent
        told = {id(entry.record) for entry in entries if not entry.new or entry.row.get("type")}
        for entry in entries:
            if not entry.row.bad and entry.new:
                self._fill(entry, above, told)
        self._make_groups(run, entries, above)

    def _fill(self, entry: Entry, above: dict[int, Account | None], told: set[int]) -> None:
        """The type of the next account above that has one, and the side that goes with it."""
        account, row = entry.record, entry.row
        if row.get("type") is None:
            parent = above.get(id(account))
            for _step in range(len(above)):  # circles were refused, but their rows are still here
                if parent is None or parent.pk or id(parent) in told:
                    break
                parent = above.get(id(parent))
            account.type = parent.type if parent is not None else account.type
        if row.get("normal_side") is None:
            account.normal_side = NORMAL_SIDES.get(AccountType(account.type), Side.DEBIT)

    def _make_groups(self, run: RecordRun, entries: Sequence[Entry], above: dict[int, Account | None]) -> None:
        """Mark what others name as parent; refused for accounts that are posted to."""
        mine = {entry.record.pk: entry for entry in entries if entry.record.pk}
        stored = {p.pk: p for p in above.values() if p is not None and p.pk and not p.is_group}
        posted = set(JournalLine.objects.filter(account__in=stored).values_list("account", flat=True).distinct())
        for entry in entries:
            parent = above.get(id(entry.record))
            if parent is None:
                continue
            if parent.pk in posted:
                message = _("%s is posted to and cannot become a group.") % parent
                run.batch.error(entry.row, self.title_of("parent"), message)
            parent.is_group = True
            if parent.pk in mine and parent.pk in stored:
                mine[parent.pk].record.is_group = True
                mine[parent.pk].changed.add("is_group")
        Account.objects.filter(pk__in=stored.keys() - posted - mine.keys()).update(is_group=True)


class SupplierImporter(RecordImporter):
    """Suppliers by code."""

    kind = "suppliers"
    resource = "supplier"
    required = ("code",)
    bulk = True
    aliases: ClassVar = {
        "code": ("供应商编码", "供应商编号", "供应商代码", "编码", "编号", "代码"),
        "name": ("供应商名称", "名称"),
        "country": ("国家", "国家地区"),
        "city": ("城市",),
        "phone": ("电话", "联系电话"),
        "email": ("邮箱", "电子邮箱", "电子邮件"),
        "tax_number": ("税号", "纳税人识别号", "统一社会信用代码"),
        "currency": ("币种", "货币"),
        "payment_terms": ("付款条件", "付款条款"),
    }

    def prepare(self, record: Any, by: Any) -> None:
        """What `save_supplier` does to a new supplier with a code."""
        record.created_by = by


for importer in (AccountImporter(), SupplierImporter(), JournalImporter()):
    importing.register(importer)
    exporting.register(importer.kind, importer.exporter)
