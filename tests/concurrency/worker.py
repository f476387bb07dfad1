"""What the processes of the concurrency tests do. Every command returns what came of each of its attempts."""

from __future__ import annotations

import os
import sys
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.STORAGES["staticfiles"] = {"BACKEND": settings.PLAIN_STATIC}  # nothing is collected for tests
django.setup()

from django.db import connection, transaction  # noqa: E402 - needs the settings
from django.db.models import QuerySet  # noqa: E402

from erp.finance import context, ledger  # noqa: E402
from erp.finance.context import GENERAL, posting_context  # noqa: E402
from erp.finance.ledger import Line, Source, post_entry  # noqa: E402
from erp.finance.models import Account, Journal, JournalEntry, OpenItem, Payment, Period, Voucher  # noqa: E402
from erp.finance.services import close_period, pay, post_payment, post_voucher, reverse_payment, save_voucher  # noqa: E402
from erp.finance.services.vouchers import EntryInput  # noqa: E402
from erp.sales.models import SalesOrder  # noqa: E402
from erp.sales.services import confirm_order, deliver_order, invoice_order, save_order  # noqa: E402
from erp.trade import orders  # noqa: E402
from erp.trade.lines import LineInput  # noqa: E402
from kit.pages.views import edit as editing  # noqa: E402
from kit.rules.prepared import Prepared  # noqa: E402
from oa.approvals import engine  # noqa: E402
from oa.expenses.services import posting  # noqa: E402
from oa.leave.services import ledger as leave_ledger  # noqa: E402
from oa.organisation import duties, factors, handover  # noqa: E402
from oa.organisation.models import User  # noqa: E402
from oa.records import numbering, signatures  # noqa: E402
from oa.records.idempotency import once  # noqa: E402
from tests import factories as make  # noqa: E402
from tests.concurrency import office, official, spending  # noqa: E402
from tests.concurrency.office import Outcome, attempt  # noqa: E402
from tests.concurrency.unlocked import unlocked  # noqa: E402
from tests.oa.world import client_of  # noqa: E402
from tests.security.pages import form_of  # noqa: E402


def serve(pipe: Any, gate: Any) -> None:
    """Take commands from `pipe` until there is none; all workers start each at the same moment."""
    while (message := pipe.recv()) is not None:
        database, command, given, control = message
        try:
            connection.close()
            connection.settings_dict["NAME"] = database
            with without_locks() if control else _as_it_is():
                connection.ensure_connection()
                gate.wait(60)
                answer = COMMANDS[command](**given) if given is not None else None
        except BaseException:
            answer = traceback.format_exc()
        connection.close()
        pipe.send(answer)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


# What everybody dawdles at in the negative control, long enough for all to have read on a busy machine too:
# seconds before it, seconds after it.
DAWDLING: dict[Callable[..., Any], tuple[float, float]] = {
    numbering.next_number: (0.2, 0),
    handover.hand_over: (0.2, 0),
    duties.held_keys: (0.2, 0),
    factors._counter: (0, 0.5),
    engine.open_run: (0, 0.3),
    leave_ledger.write_use: (0.5, 0),
    posting.open_amounts: (0, 0.3),
    editing.check_version: (0, 0.2),
    signatures.signing: (0, 1.0),
    signatures._in_turn: (0.8, 0),  # after those who sign have read, and before they write
}


@contextmanager
def without_locks() -> Iterator[None]:
    """The negative control: rows are read without a lock, and everybody dawdles before writing."""
    locking, kept = QuerySet.select_for_update, Prepared.get
    QuerySet.select_for_update = lambda self, *args, **kwargs: self._chain()  # type: ignore[method-assign]
    Prepared.get = unlocked  # type: ignore[method-assign]
    replaced = {function: _slow(function, *pauses) for function, pauses in DAWDLING.items()}
    replaced[orders.lock_billed_orders] = lambda *args: None  # documents behind open items are not locked either
    for function, other in replaced.items():
        _replace_everywhere(function, other)
    try:
        yield
    finally:
        QuerySet.select_for_update, Prepared.get = locking, kept  # type: ignore[method-assign]
        for function, other in replaced.items():
            _replace_everywhere(other, function)


def _slow(function: Callable[..., Any], before: float, after: float) -> Callable[..., Any]:
    def slowly(*args: Any) -> Any:
        time.sleep(before)
        result = function(*args)
        time.sleep(after)
        return result

    return slowly


def _replace_everywhere(old: Any, new: Any) -> None:
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is old:
                setattr(module, name, new)


def deliver(keys: list[int]) -> Outcome:
    """Deliver each order completely."""
    outcome: Outcome = Counter()
    for key in keys:
        attempt(outcome, lambda key=key: deliver_order(SalesOrder(pk=key), by=None))
    return outcome


def confirm(keys: list[int]) -> Outcome:
    """Confirm each order."""
    outcome: Outcome = Counter()
    for key in keys:
        attempt(outcome, lambda key=key: confirm_order(SalesOrder(pk=key), by=None))
    return outcome


def invoice(keys: list[int]) -> Outcome:
    """Invoice what is delivered of each order."""
    outcome: Outcome = Counter()
    for key in keys:
        attempt(outcome, lambda key=key: invoice_order(SalesOrder(pk=key), by=None))
    return outcome


def settle(item: int) -> Outcome:
    """Receive the whole amount of an open item."""
    due = OpenItem.objects.get(pk=item)
    payment = Payment(customer=due.customer, account=make.bank(), currency=due.currency, amount=due.amount)
    outcome: Outcome = Counter()
    attempt(outcome, lambda: pay(payment, {item: due.amount}, by=None))
    return outcome


def post_draft(payment: int) -> Outcome:
    """Post a draft receipt."""
    outcome: Outcome = Counter()
    attempt(outcome, lambda: post_payment(Payment(pk=payment), by=None))
    return outcome


def submit(key: str, user: int, customer: int, product: int) -> Outcome:
    """Send the form of a new order."""
    by = User.objects.get(pk=user)
    buyer, item = make.Customer.objects.get(pk=customer), make.Product.objects.get(pk=product)
    store = make.warehouse()

    def effect() -> SalesOrder:
        return save_order(SalesOrder(customer=buyer, warehouse=store), [LineInput(item, Decimal(1))], by=by)

    outcome: Outcome = Counter()
    attempt(outcome, lambda: once(key, by, "order.save", effect))
    return outcome


def post_entries(first: int, count: int, accounts: list[int]) -> Outcome:
    """Post `count` entries of a journal."""
    debit, credit = accounts
    outcome: Outcome = Counter()
    for number in range(first, first + count):
        attempt(outcome, lambda: _post_one(number, debit, credit))  # noqa: B023
    return outcome


@transaction.atomic
def _post_one(number: int, debit: int, credit: int) -> None:
    lines = [Line(debit, Decimal(1)), Line(credit, Decimal(-1))]
    post_entry(posting_context(make.today(), GENERAL), Source("erp.voucher", number, f"T{number}"), lines, by=None)


def post_vouchers(count: int, accounts: list[int]) -> Outcome:
    """Write `count` vouchers and post them."""
    debit, credit = (Account.objects.get(pk=key) for key in accounts)
    outcome: Outcome = Counter()
    for _ in range(count):
        head = Voucher(journal=Journal.objects.get(code=GENERAL), date=make.today(), memo="x")
        lines = [EntryInput(debit, debit=Decimal(1)), EntryInput(credit, credit=Decimal(1))]
        attempt(outcome, lambda: post_voucher(save_voucher(head, lines, by=None), by=None))  # noqa: B023
    return outcome


def close_or_post(period: int, close: bool, count: int, accounts: list[int], locked: bool) -> Outcome:
    """Close a period (how many entries it has then), or write and post `count` vouchers of its first day.

    Not `locked` is the negative control: the period is read, and not held until the posting is done.
    """
    outcome: Outcome = Counter()
    if close:
        time.sleep(0.4)  # in the middle of the postings
        attempt(outcome, lambda: close_period(Period(pk=period), by=None))
        outcome["entries"] = JournalEntry.objects.filter(period=period).count()
        return outcome
    debit, credit = (Account.objects.get(pk=key) for key in accounts)
    day, loading = Period.objects.get(pk=period).start, context._LOAD
    context._LOAD = loading if locked else loading.replace("FOR SHARE", "")
    for _ in range(count):
        head = Voucher(journal=Journal.objects.get(code=GENERAL), date=day, memo="x")
        lines = [EntryInput(debit, debit=Decimal(1)), EntryInput(credit, credit=Decimal(1))]
        attempt(outcome, lambda: post_voucher(save_voucher(head, lines, by=None), by=None))  # noqa: B023
    context._LOAD = loading
    return outcome


def post_uncounted(first: int, count: int, accounts: list[int]) -> Outcome:
    """The negative control of `post_entries`: the very posting, but its counter is read and not locked."""
    start, end = "INSERT INTO oa_counter", "RETURNING last"
    counting = ledger._POST
    head, _counter, tail = counting.partition(start)
    read = "SELECT coalesce(max(e.sequence), 0) + 1 AS last FROM erp_journalentry e WHERE e.journal_id = %(journal)s"
    ledger._POST = f"{head}{read}{tail.partition(end)[2]}"
    try:
        return post_entries(first, count, accounts)
    finally:
        ledger._POST = counting


def count_up(count: int) -> Outcome:
    """The negative control of document numbers: the highest one so far and one more."""
    outcome: Outcome = Counter()
    for _ in range(count):
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(last), 0) + 1 FROM oa_counter WHERE key LIKE 'control:%'")
            [number] = cursor.fetchone()
            attempt(
                outcome,
                lambda: cursor.execute(
                    "INSERT INTO oa_counter VALUES ('control:' || %s::text, %s::int)",
                    [number, number],  # noqa: B023
                ),
            )
    return outcome


def edit(url: str, user: int, mine: str, rounds: int) -> Outcome:
    """Add words to the note of a record by its form, each time to what stands there when the form opens."""
    outcome: Outcome = Counter()
    client = client_of(User.objects.get(pk=user))
    client.defaults["SERVER_NAME"] = "localhost"  # not the host of a test runner
    for turn in range(rounds):
        fields = form_of(client.get(url).content.decode())
        fields["note"][0] += f" {mine}{turn}"
        status = client.post(url, {**fields, "submit_id": str(uuid.uuid4())}).status_code
        outcome[{302: "saved", 409: "overtaken"}.get(status, str(status))] += 1
    return outcome


def mix(order: int, item: int, turns: int, mine: int) -> Outcome:
    """Invoice further pieces of an order, pay its invoices and reverse the receipts, again and again."""
    due = OpenItem.objects.select_related("customer", "currency").get(pk=item)
    line = SalesOrder(pk=order).lines.get()
    bank, outcome = make.bank(), Counter()
    for turn in range(turns):
        if (turn + mine) % 2:
            attempt(outcome, lambda: invoice_order(SalesOrder(pk=order), {line.pk: Decimal(1)}, by=None))
        else:
            payment = Payment(customer=due.customer, account=bank, currency=due.currency, amount=Decimal(3))
            made = attempt(outcome, lambda payment=payment: pay(payment, by=None))
            if made is not None and turn % 3 == 0:
                attempt(outcome, lambda made=made: reverse_payment(made, by=None))
    return outcome


COMMANDS: dict[str, Callable[..., Outcome]] = {
    name: globals()[name]
    for name in (
        "close_or_post",
        "confirm",
        "count_up",
        "deliver",
        "edit",
        "invoice",
        "mix",
        "post_draft",
        "post_entries",
        "post_uncounted",
        "post_vouchers",
        "settle",
        "submit",
    )
}
COMMANDS |= office.COMMANDS | official.COMMANDS | spending.COMMANDS
