"""Example rows of every model that has pages, for tests that walk over all of them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone

from erp.finance.context import ensure_fiscal_year
from erp.finance.models import Account, Currency, Journal, Voucher
from erp.finance.services import post_voucher, save_voucher
from erp.finance.services.vouchers import EntryInput
from kit.pages.resources import Resource
from oa.official.models import UrgencyTerm
from oa.organisation.models import DutyConflict, PersonnelChange, Role, User
from tests.factories import make_customer, make_product, stock
from tests.oa import announcing, leaving, library, official

_numbers = itertools.count(1)


def living_rows(resource: Resource, count: int, *, many: bool = False) -> list[Any]:
    """`count` more rows for the pages of `resource`; with `many` nothing for models with one row by nature."""
    label = resource.meta.label_lower
    if label == "oa.companyprofile":
        return [] if many else [resource.model._default_manager.get()]
    maker = MAKERS.get(resource.slug) or MAKERS.get(label)
    if maker is None:
        return [sample(resource.model, **resource.default_filters) for _ in range(count)]
    made = [maker() for _ in range(count)]
    return [row for row in made if row is not None]


def sample(model: type[models.Model], **columns: Any) -> Any:
    """A row of `model` with every required column filled."""
    number = next(_numbers)
    for field in model._meta.concrete_fields:
        if field.name in columns or field.primary_key or isinstance(field, models.GeneratedField):
            continue
        if field.has_default() or field.null or (field.blank and not field.is_relation and not field.unique):
            continue
        columns[field.name] = _value(field, number)
    return model._default_manager.create(**columns)


def _value(field: Any, number: int) -> Any:
    if field.is_relation:
        found = (
            field.related_model._default_manager.order_by("pk").first()
            if field.related_model._meta.model_name in SHARED
            else None
        )
        return found or sample(field.related_model)
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.DecimalField | models.IntegerField):
        return Decimal(1) if isinstance(field, models.DecimalField) else number
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return timezone.localdate() - dt.timedelta(days=number)
    if isinstance(field, models.EmailField):
        return f"sample{number}@example.com"
    return f"x{number:03}"[-(field.max_length or 40) :]


# Reference rows that one installation has few of: samples share them.
SHARED = {"unit", "currency", "journal", "warehouse", "taxcode", "posting group", "account", "group"}


def _moved(model_name: str) -> Callable[[], Any]:
    def make() -> Any:
        level = stock(make_product(f"W-{next(_numbers):05}"), 5)
        from erp.finance.models import JournalEntry
        from erp.inventory.models import StockMove

        return {
            "stocklevel": level,
            "stockmove": StockMove.objects.order_by("-pk").first(),
            "journalentry": JournalEntry.objects.order_by("-pk").first(),
        }[model_name]

    return make


def _open_item() -> Any:
    customer = make_customer(code=f"W-{next(_numbers):05}")
    voucher = Voucher(journal=Journal.objects.get(code="GEN"), date=timezone.localdate(), memo="opening")
    receivable = Account.objects.get(control="receivable")
    other = Account.objects.filter(type="equity", is_group=False).first()
    save_voucher(
        voucher,
        [EntryInput(receivable, debit=Decimal(7), customer=customer), EntryInput(other, credit=Decimal(7))],
        by=None,
    )
    post_voucher(voucher, by=None)
    return customer.open_items.get()


def _period() -> Any:
    year = ensure_fiscal_year(dt.date(2000 + next(_numbers) % 90, 1, 1))
    return year.periods.first()


def _proxy() -> Any:
    from tests import approving

    return approving.stand_in(sample(User), sample(User))


def _approval() -> Any:
    from tests import approving

    applicant, approver = approving.people("", "")
    return approving.request(approving.flow(approving.step(1, approver)), applicant, amount="900")


def _form_request() -> Any:
    from tests import approving

    of = approving.form()
    return approving.save_request(approving.FormRequest(form=of), {"reason": "x"}, by=approving.person())


def _role() -> Any:
    number = next(_numbers)
    return Role.objects.create(group=Group.objects.create(name=f"Role {number}"), code=f"role-{number}")


def _currency() -> Any:
    number = next(_numbers)
    code = "".join(chr(65 + number // 26**i % 26) for i in range(2))
    return Currency.objects.create(code=f"Q{code}", name=f"Currency {number}")


def _account() -> Any:
    return Account.objects.create(code=f"W{next(_numbers):05}", name="Walk")


def _payment(**columns: Any) -> Callable[[], Any]:
    def make() -> Any:
        from erp.finance.models import Payment, Supplier

        partner = (
            {"customer": make_customer(code=f"W-{next(_numbers):05}")}
            if columns["direction"] in ("receive", "refund")
            else {"supplier": sample(Supplier, code=f"W-{next(_numbers):05}")}
        )
        bank = Account.objects.filter(is_cash=True, is_group=False).first()
        return Payment.objects.create(
            account=bank, currency=Currency.objects.get(code="CNY"), amount=5, **partner, **columns
        )

    return make


def _rule() -> Any:
    from erp.finance.models import PostingRule

    return sample(PostingRule, valid_from=dt.date(2000, 1, 1) + dt.timedelta(days=next(_numbers)))


def _duty() -> Any:
    number = next(_numbers)
    rights = {"first": "erp.add_voucher", "second": "erp.post_voucher"}
    return DutyConflict.objects.create(code=f"duty-{number}", name=f"Duty {number}", **rights)


def _change() -> Any:
    person = User.objects.create(username=f"mover{next(_numbers)}")
    return PersonnelChange.objects.create(person=person, kind="joining", on=timezone.localdate())


def _meeting() -> Any:
    from oa.tasks.models import Meeting

    start = timezone.now() + dt.timedelta(days=next(_numbers))
    return sample(Meeting, starts_at=start, ends_at=start + dt.timedelta(hours=1))


def _library_document() -> Any:
    from django.core.files.base import ContentFile

    from oa.documents.models import Folder
    from oa.documents.services import add_document

    folder = Folder.objects.filter(parent=None, space="company").first()
    file = ContentFile(b"A plan", f"plan {next(_numbers)}.txt")
    return add_document(folder, file, by=None)  # type: ignore[arg-type]


def _claim() -> Any:
    """A claim in approval: drafts are seen by their person only."""
    from tests.oa import spending

    return spending.submitted(spending.person())


def _advance() -> Any:
    from tests.oa import spending

    made = spending.services.save_advance(spending.Advance(title="Fair", amount=Decimal(5)), by=spending.person())
    return spending.services.submit_advance(made, by=made.owner)


def _budget() -> Any:
    from oa.expenses.models import ExpenseBudget

    return sample(ExpenseBudget, year=2000 + next(_numbers) % 200, amount=Decimal(9))


def _expense_payment() -> Any:
    from tests.oa import spending

    return spending.pay(spending.advance(spending.person(), 5))


MAKERS: dict[str, Callable[[], Any]] = {
    "leaverequest": lambda: leaving.living("request"),
    "leaveentry": lambda: leaving.living("entry"),
    "workcalendar": lambda: leaving.living("calendar"),
    "calendarassignment": lambda: leaving.living("assignment"),
    "employment": lambda: leaving.living("employment"),
    "librarydocument": _library_document,
    "expenseclaim": _claim,
    "advance": _advance,
    "expensepayment": _expense_payment,
    "expensebudget": _budget,
    "readingreceipt": lambda: library.required().receipts.get(),
    "proxy": _proxy,
    "approvalrequest": _approval,
    "formrequest": _form_request,
    "stocklevel": _moved("stocklevel"),
    "stockmove": _moved("stockmove"),
    "journalentry": _moved("journalentry"),
    "openitem": _open_item,
    "period": _period,
    "role": _role,
    "currency": _currency,
    "account": _account,
    "postingrule": _rule,
    "meeting": _meeting,
    "receipt": _payment(direction="receive"),
    "payment": _payment(direction="pay"),
    "customerrefund": _payment(direction="refund"),
    "supplierrefund": _payment(direction="recover"),
    "dutyconflict": _duty,
    "personnelchange": _change,
    "outgoingdocument": lambda: official.living("outgoing"),
    "incomingdocument": lambda: official.living("incoming"),
    "supervision": lambda: official.living("turn"),
    "officialopinion": lambda: official.living("opinion"),
    "outgoingtext": lambda: official.living("text"),
    "officialnumber": lambda: official.living("number"),
    "outgoingreceipt": lambda: official.living("receipt"),
    "sealrequest": lambda: official.living("seal"),
    "urgencyterm": lambda: UrgencyTerm.objects.order_by("pk").first(),
    "clearance": lambda: official.clear(sample(User), 1),
    "news": lambda: announcing.living("news"),
    "announcement": lambda: announcing.living("draft"),
    "announcementreceipt": lambda: announcing.living("receipts"),
    "announcementedition": lambda: announcing.living("editions"),
}
