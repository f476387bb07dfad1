"""Journals from files: one posted voucher per entry; and vouchers into files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.customers.models import Customer
from erp.finance.context import GENERAL
from erp.finance.currencies import base_currency, rate_on
from erp.finance.models import Account, Currency, Journal, JournalLine, Supplier, Voucher, VoucherLine
from erp.finance.models.accounts import AccountType, Side
from erp.finance.services import post_voucher, save_voucher
from erp.finance.services.vouchers import EntryInput
from kit.exchange import exporting
from kit.exchange.importing import Batch, Column, Row
from kit.exchange.importing_batch import REFUSED
from kit.exchange.importing_documents import DocumentImporter, FileDocument, known
from kit.values.errors import BusinessError
from kit.values.money import ONE, ZERO
from oa.organisation.models import Department

# How plain text ledgers begin the names of accounts of a type.
STEMS = {
    AccountType.ASSET: ("asset", "资产"),
    AccountType.LIABILITY: ("liabilit", "负债"),
    AccountType.EQUITY: ("equity", "capital", "权益", "所有者权益"),
    AccountType.INCOME: ("income", "revenue", "sales", "收入"),
    AccountType.EXPENSE: ("expense", "费用"),
    AccountType.COST: ("cost", "成本"),
}
CREDIT = (AccountType.LIABILITY, AccountType.EQUITY, AccountType.INCOME)
NAMES = {
    "debit": "debit",
    "credit": "credit",
    "account": "account",
    "memo": "memo",
    "date": "date",
    "customer": "customer",
    "supplier": "supplier",
}
Amounts = tuple[int, Decimal, Decimal, int, int | None, int | None]


class JournalImporter(DocumentImporter):
    """Journal entries, told apart by month and entry; each becomes a posted voucher of the general journal.

    Lines on receivables and payables need their customer or supplier, accounts of stock take documents only.
    `create_accounts` makes unknown accounts, which are no control accounts.
    """

    kind = "journal-entries"
    title = gettext_lazy("journal entries")
    resource = "voucher"
    permissions = ("erp.add_voucher", "erp.post_voucher")
    head: ClassVar = ("date",)

    @cached_property
    def _columns(self) -> list[Column]:
        return [
            Column("date", gettext_lazy("date"), "date", required=True, aliases=("日期", "凭证日期")),
            Column(
                "entry",
                gettext_lazy("entry"),
                required=True,
                length=80,
                aliases=("entry_id", "entry number", "voucher", "凭证号", "凭证字号", "凭证编号", "分录号"),
            ),
            Column("line", gettext_lazy("line"), aliases=("行号",)),
            Column(
                "account",
                gettext_lazy("account"),
                "record",
                required=True,
                model=Account,
                own=True,
                aliases=("account code", "科目", "科目编码", "科目代码", "会计科目"),
            ),
            Column("debit", gettext_lazy("debit"), "money", aliases=("借方", "借方金额")),
            Column("credit", gettext_lazy("credit"), "money", aliases=("贷方", "贷方金额")),
            Column("currency", gettext_lazy("currency"), "record", model=Currency, aliases=("币种", "货币")),
            Column("rate", gettext_lazy("rate"), "rate", aliases=("exchange rate", "汇率")),
            Column("memo", gettext_lazy("summary"), length=300, aliases=("description", "摘要")),
            Column("customer", gettext_lazy("customer"), "record", model=Customer, aliases=("客户",)),
            Column("supplier", gettext_lazy("supplier"), "record", model=Supplier, aliases=("供应商",)),
            Column("department", gettext_lazy("department"), "record", model=Department, aliases=("部门",)),
        ]

    def columns(self) -> Sequence[Column]:
        """The columns of a journal."""
        return self._columns

    def key(self, row: Row) -> Hashable:
        """Numbers of entries start again every month."""
        if not known(row, "date", "entry"):
            return None
        return f"{row.values['date']:%Y-%m}", row.values["entry"]

    def write(self, batch: Batch) -> None:
        """Save and post one voucher per entry, in the order of their dates."""
        documents = self.documents(batch)
        documents = [d for d in documents if self._accounts(batch, d)]
        stored = _stored(documents)
        journal, base = Journal.objects.get(code=GENERAL), base_currency()
        rates: dict[tuple[int, dt.date], Decimal] = {}
        documents.sort(key=lambda document: document.first.values["date"])
        for done, document in enumerate(documents, start=1):
            found = stored.get(document.key)
            if found is not None:
                _compare(batch, document, found, base)
            else:
                _write(batch, document, journal, base, rates)
            batch.tell(done, len(documents))

    def _accounts(self, batch: Batch, document: FileDocument) -> bool:
        """Make the accounts that do not exist, or refuse them."""
        for row in document.rows:
            text = row.values["account"]
            if isinstance(text, Account):
                continue
            made = self._made(batch, text)
            if made is None:
                message = _("There is no account “%s”. Import accounts first, or let them be made.")
                batch.error(row, "account", message % text)
            elif isinstance(made, str):
                batch.error(row, "account", made)
            else:
                row.values["account"] = made
        if document.bad:
            batch.hold(document.rows)
        return not document.bad

    def _made(self, batch: Batch, text: str) -> Account | str | None:
        """The account `text`, made if that is wished; a text says why not."""
        made = batch.memory.setdefault("accounts", {})
        if text in made:
            return made[text]
        if not batch.options.create_accounts:
            return None
        if batch.by is not None and not batch.by.has_perm("erp.add_account"):
            return str(_("There is no account “%s”, and you may not make one.") % text)
        if len(text) > (Account._meta.get_field("code").max_length or 0):
            return str(_("“%s” is too long for the code of an account.") % text)
        kind = account_type(text)
        side = Side.CREDIT if kind in CREDIT else Side.DEBIT
        made[text] = Account.objects.create(code=text, name=text, type=kind, normal_side=side, created_by=batch.by)
        batch.report.note(_("Account “%s” is new; the import creates it.") % text)
        return made[text]

    # ---- out ----

    def exporter(self, filters: Mapping[str, str], user: Any) -> tuple[list[exporting.Column], Iterable[Any]]:
        """`manage.py export`: posted vouchers; `scope=all` is the whole ledger with the entries of documents."""
        kinds = {"record": "text"}
        columns = [exporting.Column(c.name, c.label, kinds.get(c.kind, c.kind)) for c in self._columns]
        given = dict(filters)
        scope = given.pop("scope", "vouchers")
        dates = Q()
        for name, column in (("date_from", "date__gte"), ("date_to", "date__lte")):
            if name in given:
                dates &= Q(**{column: self._columns[0].parse(given.pop(name))})
        if given or scope not in ("vouchers", "all"):
            raise BusinessError(
                _("There is no filter “%(name)s”; there are: %(names)s.")
                % {"name": next(iter(given), scope), "names": "date_from, date_to, scope=all"}
            )
        return columns, _ledger(dates, user) if scope == "all" else _vouchers(dates, user)


def account_type(name: str) -> AccountType:
    """The type that the first part of a ledger account's name tells: `Expenses:Food` is an expense."""
    first = name.split(":")[0].strip().casefold()
    return next((kind for kind, stems in STEMS.items() if first.startswith(stems)), AccountType.ASSET)


def _write(
    batch: Batch, document: FileDocument, journal: Journal, base: Currency, rates: dict[tuple[int, dt.date], Decimal]
) -> None:
    first = document.first
    entry = first.values["entry"]
    memo = first.get("memo") or _("Entry %s") % entry
    voucher = Voucher(journal=journal, date=first.values["date"], memo=memo, reference=entry)
    try:
        lines = [_input(row, voucher, base, rates) for row in document.rows]
        with transaction.atomic():
            save_voucher(voucher, lines, by=batch.by)
            post_voucher(voucher, by=batch.by)
    except REFUSED as error:
        batch.refuse(document.key, document.rows, error, lines=document.rows, names=NAMES)
        return
    batch.report.new += 1
    batch.done(document.rows, "new")


def _input(row: Row, voucher: Voucher, base: Currency, rates: dict[tuple[int, dt.date], Decimal]) -> EntryInput:
    currency = row.get("currency", base)
    rate = row.get("rate")
    if rate is None:
        key = currency.pk, voucher.date
        if key not in rates:
            rates[key] = rate_on(currency, voucher.date, base_code=base.code)
        rate = rates[key]
    return EntryInput(
        row.values["account"],
        row.get("debit", ZERO),
        row.get("credit", ZERO),
        row.get("memo") or voucher.memo,
        currency,
        ONE if currency.pk == base.pk else rate,
        row.get("customer"),
        row.get("supplier"),
        row.get("department"),
    )


def _stored(documents: Sequence[FileDocument]) -> dict[Hashable, Voucher]:
    """The vouchers that were made of these entries before, or that have their numbers."""
    entries = {document.first.values["entry"] for document in documents}
    rows = Voucher.objects.filter(Q(reference__in=entries) | Q(number__in=entries)).exclude(state="draft")
    vouchers = list(rows.order_by("pk").prefetch_related("lines"))
    found: dict[Hashable, Voucher] = {(f"{v.date:%Y-%m}", v.number): v for v in vouchers}
    for voucher in vouchers:  # a reversal has the reference of its original, which comes first
        found.setdefault((f"{voucher.date:%Y-%m}", voucher.reference), voucher)
    return found


def _compare(batch: Batch, document: FileDocument, voucher: Voucher, base: Currency) -> None:
    """An entry that is posted already is never changed: it is the same, or refused."""
    if not batch.options.update:
        batch.error(document.first, "entry", _("This entry was imported already as %s.") % voucher)
    elif _amounts(document, base) != [_amount(line) for line in voucher.lines.all()]:
        message = _("This entry is posted as %s and differs. Reverse that voucher, or correct the file.")
        batch.error(document.first, "entry", message % voucher)
    if document.bad:
        batch.hold(document.rows)
        return
    batch.report.unchanged += 1
    batch.done(document.rows, "unchanged")


def _amounts(document: FileDocument, base: Currency) -> list[Amounts]:
    return [
        (
            row.values["account"].pk,
            row.get("debit", ZERO),
            row.get("credit", ZERO),
            row.get("currency", base).pk,
            getattr(row.get("customer"), "pk", None),
            getattr(row.get("supplier"), "pk", None),
        )
        for row in document.rows
    ]


def _amount(line: VoucherLine) -> Amounts:
    return line.account_id, line.debit, line.credit, line.currency_id, line.customer_id, line.supplier_id


# ---- out ----

_LINE = ("account", "currency", "customer", "supplier", "department")


def _vouchers(dates: Q, user: Any) -> Iterator[list[Any]]:
    """Lines of posted vouchers; an entry is called by its reference where that tells it from others."""
    vouchers = Voucher.objects.visible_to(user).filter(dates).exclude(state="draft").order_by()
    named = vouchers.exclude(reference="").annotate(month=TruncMonth("date")).values_list("month", "reference")
    alone = set(named.annotate(n=Count("pk")).filter(n=1).values_list("month", "reference"))
    rows = VoucherLine.objects.filter(voucher__in=vouchers).select_related("voucher", *_LINE)
    for line in rows.order_by("voucher__date", "voucher_id", "position").iterator(chunk_size=2000):
        voucher = line.voucher
        own = (voucher.date.replace(day=1), voucher.reference) in alone
        yield [
            voucher.date,
            voucher.reference if own else voucher.number,
            line.position,
            line.account.code,
            line.debit or None,
            line.credit or None,
            line.currency.code,
            line.rate,
            line.memo,
            *_partners(line),
        ]


def _ledger(dates: Q, user: Any) -> Iterator[list[Any]]:
    """Lines of all entries of the ledger, in their currency."""
    rows = JournalLine.objects.visible_to(user).filter(dates).select_related("entry", *_LINE)
    position, entry = 0, None
    for line in rows.order_by("date", "entry_id", "pk").iterator(chunk_size=2000):
        position, entry = (position + 1, entry) if line.entry_id == entry else (1, line.entry_id)
        debit, credit = (line.amount, None) if line.debit else (None, -line.amount)
        yield [
            line.date,
            line.entry.number,
            position,
            line.account.code,
            debit,
            credit,
            line.currency.code,
            line.rate,
            line.memo or line.entry.memo,
            *_partners(line),
        ]


def _partners(line: Any) -> list[str]:
    return [getattr(other, "code", "") for other in (line.customer, line.supplier, line.department)]
