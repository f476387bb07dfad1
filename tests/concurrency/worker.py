"""What the processes of the concurrency tests do. Every command returns what came of each of its attempts."""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from typing import Any

import django
import pgtrigger

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.files.base import ContentFile  # noqa: E402 - needs the settings
from django.db import DatabaseError, connection, transaction  # noqa: E402 - needs the settings
from django.db.models import QuerySet  # noqa: E402

from erp.finance import ledger  # noqa: E402
from erp.finance.context import GENERAL, posting_context  # noqa: E402
from erp.finance.ledger import Line, Source, post_entry  # noqa: E402
from erp.finance.models import Account, Journal, OpenItem, Payment, Voucher  # noqa: E402
from erp.finance.services import pay, post_payment, post_voucher, reverse_payment, save_voucher  # noqa: E402
from erp.finance.services.vouchers import EntryInput  # noqa: E402
from erp.sales.models import SalesOrder  # noqa: E402
from erp.sales.services import confirm_order, deliver_order, invoice_order, save_order  # noqa: E402
from erp.trade import orders  # noqa: E402
from erp.trade.lines import LineInput  # noqa: E402
from kit.values.errors import BusinessError  # noqa: E402
from oa.announcements import publishing  # noqa: E402
from oa.approvals import engine  # noqa: E402
from oa.approvals import services as approvals  # noqa: E402
from oa.approvals.models import ApprovalRequest, ApprovalTask, FormRequest  # noqa: E402
from oa.documents import services as library  # noqa: E402
from oa.documents.models import Folder, LibraryDocument  # noqa: E402
from oa.organisation import duties, handover, moves, rights  # noqa: E402
from oa.organisation.models import User  # noqa: E402
from oa.records import numbering  # noqa: E402
from oa.records.idempotency import once  # noqa: E402
from oa.tasks.models import Meeting, TaskNeed  # noqa: E402
from oa.tasks.services import bookings  # noqa: E402
from oa.tasks.services.meetings import invite_meeting  # noqa: E402
from oa.tasks.services.reminders import remind  # noqa: E402
from oa.tasks.services.series import make_due  # noqa: E402
from tests import factories as make  # noqa: E402
from tests.concurrency import official  # noqa: E402

Outcome = Counter[str]


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


@contextmanager
def without_locks() -> Iterator[None]:
    """The negative control: rows are read without a lock, and everybody dawdles before writing."""
    locking, numbers, documents = QuerySet.select_for_update, numbering.next_number, orders.lock_billed_orders
    opening = engine.open_run
    QuerySet.select_for_update = lambda self, *args, **kwargs: self._chain()  # type: ignore[method-assign]

    giving, looking = handover.hand_over, duties.held_keys

    def giving_slowly(*args: Any) -> int:
        time.sleep(0.2)
        return giving(*args)

    def looking_slowly(*args: Any) -> list[duties.Keys]:
        time.sleep(0.2)
        return looking(*args)

    def dawdling(*args: Any) -> str:
        time.sleep(0.2)  # long enough for everybody to have read, on a busy machine too
        return numbers(*args)

    def dawdling_run(*args: Any) -> Any:
        run = opening(*args)
        time.sleep(0.3)
        return run

    def unlocked(*args: Any) -> None:
        """Documents behind open items are not locked either."""

    _replace_everywhere(numbers, dawdling)
    _replace_everywhere(documents, unlocked)
    _replace_everywhere(opening, dawdling_run)
    _replace_everywhere(giving, giving_slowly)
    _replace_everywhere(looking, looking_slowly)
    try:
        yield
    finally:
        QuerySet.select_for_update = locking  # type: ignore[method-assign]
        _replace_everywhere(dawdling, numbers)
        _replace_everywhere(unlocked, documents)
        _replace_everywhere(dawdling_run, opening)
        _replace_everywhere(giving_slowly, giving)
        _replace_everywhere(looking_slowly, looking)


def _replace_everywhere(old: Any, new: Any) -> None:
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is old:
                setattr(module, name, new)


def attempt(outcome: Outcome, effect: Callable[[], Any]) -> Any:
    """Count what comes of `effect`: ok, refused, or the name of a database error."""
    try:
        result = effect()
    except BusinessError:
        outcome["refused"] += 1
        return None
    except DatabaseError as error:
        outcome[type(error.__cause__ or error).__name__] += 1
        return None
    outcome["ok"] += 1
    return result


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


def decide(task: int) -> Outcome:
    """Approve a task as the person who is asked."""
    asked = ApprovalTask.objects.select_related("user").get(pk=task)
    outcome: Outcome = Counter()
    attempt(outcome, lambda: approvals.approve(asked, by=asked.user))
    return outcome


def withdraw(request: int) -> Outcome:
    """Withdraw a request as its applicant."""
    found = ApprovalRequest.objects.select_related("applicant").get(pk=request)
    outcome: Outcome = Counter()
    attempt(outcome, lambda: approvals.withdraw(found, by=found.applicant))
    return outcome


def decide_or_withdraw(task: int, request: int) -> Outcome:
    """One of both."""
    return decide(task) if task else withdraw(request)


def submit_request(draft: int, key: str) -> Outcome:
    """Send the form that submits a draft."""
    document = FormRequest.objects.select_related("form", "owner").get(pk=draft)
    outcome: Outcome = Counter()
    attempt(
        outcome,
        lambda: once(
            key,
            document.owner,
            "approval.submit",
            lambda: approvals.submit(document, kind=document.form.kind, by=document.owner),
        ),
    )
    return outcome


def leave(person: int, successor: int) -> Outcome:
    """A person leaves and hands over."""
    outcome: Outcome = Counter()
    attempt(outcome, lambda: moves.leave(User(pk=person), by=None, successor=User(pk=successor)))
    return outcome


def strip(person: int) -> Outcome:
    """Take all roles from a person."""
    outcome: Outcome = Counter()
    attempt(outcome, lambda: rights.give_roles(User.objects.get(pk=person), [], by=None))
    return outcome


def report_to(person: int, manager: int) -> Outcome:
    """Give a person a manager, past all forms."""
    outcome: Outcome = Counter()
    attempt(outcome, lambda: User.objects.filter(pk=person).update(manager=manager))
    return outcome


def publish_news(keys: list[int], pause: float) -> Outcome:
    """Publish each announcement; everybody dawdles between reading it and writing."""
    outcome: Outcome = Counter()
    reading = publishing.locked

    def slowly(*args: Any) -> Any:
        row = reading(*args)
        time.sleep(pause)
        return row

    publishing.locked = slowly  # type: ignore[assignment]
    try:
        for key in keys:
            made = attempt(outcome, lambda key=key: publishing.appear(key))
            outcome["published"] += made is not None
    finally:
        publishing.locked = reading
    return outcome


def book(keys: list[int], dawdle: bool = False) -> Outcome:
    """Send the invitations of meetings, which takes their rooms; with `dawdle` everybody looks before anybody books."""
    outcome: Outcome = Counter()
    looking = bookings.explain_conflicts

    def slowly(*args: Any) -> None:
        looking(*args)
        time.sleep(0.3)

    bookings.explain_conflicts = slowly if dawdle else looking
    try:
        for key in keys:
            attempt(outcome, lambda key=key: invite_meeting(Meeting(pk=key), by=None))
    finally:
        bookings.explain_conflicts = looking
    return outcome


def sweep_tasks(now: dt.datetime) -> Outcome:
    """What the timer of tasks does every minute."""
    outcome: Outcome = Counter()
    outcome["made"] = attempt(outcome, lambda: make_due(now.date())) or 0
    outcome["reminded"] = attempt(outcome, lambda: remind(now)) or 0
    return outcome


def wait_for(pairs: list[tuple[int, int]]) -> Outcome:
    """Say that tasks wait for others, past the services."""
    outcome: Outcome = Counter()
    for task, needs in pairs:
        attempt(outcome, lambda task=task, needs=needs: TaskNeed.objects.create(task_id=task, needs_id=needs))
    return outcome


def check_out(document: int, user: int) -> Outcome:
    """Check out a document of the library."""
    outcome: Outcome = Counter()
    attempt(outcome, lambda: _dawdled(library.check_out, document, user))
    return outcome


def _dawdled(run: Callable[..., Any], document: int, user: int) -> Any:
    by = User.objects.get(pk=user)
    writing = LibraryDocument.save

    def late(self: Any, *args: Any, **kwargs: Any) -> None:
        time.sleep(0.2)  # long enough for everybody to have read
        writing(self, *args, **kwargs)

    LibraryDocument.save = late  # type: ignore[method-assign]
    try:
        return run(LibraryDocument(pk=document), by=by)
    finally:
        LibraryDocument.save = writing  # type: ignore[method-assign]


def check_in(document: int, user: int) -> Outcome:
    """Add a version to a document of the library."""
    outcome: Outcome = Counter()
    by, file = User.objects.get(pk=user), ContentFile(f"by {user}".encode(), "plan.txt")
    attempt(outcome, lambda: library.check_in(LibraryDocument(pk=document), file, by=by))
    return outcome


def move_folder(folder: int, parent: int, guarded: bool = True) -> Outcome:
    """Move a folder straight in its table, past every command."""
    outcome: Outcome = Counter()

    def move() -> None:
        with transaction.atomic(), nullcontext() if guarded else pgtrigger.ignore("oa.Folder:tree"):
            Folder.objects.filter(pk=folder).update(parent=parent)
            time.sleep(0.2)

    attempt(outcome, move)
    return outcome


COMMANDS: dict[str, Callable[..., Outcome]] = {
    name: globals()[name]
    for name in (
        "check_in",
        "check_out",
        "confirm",
        "count_up",
        "decide",
        "decide_or_withdraw",
        "deliver",
        "invoice",
        "leave",
        "mix",
        "move_folder",
        "post_draft",
        "post_entries",
        "post_uncounted",
        "post_vouchers",
        "report_to",
        "publish_news",
        "settle",
        "strip",
        "submit",
        "submit_request",
        "book",
        "sweep_tasks",
        "wait_for",
    )
}
COMMANDS |= {"sign_official": official.sign, "lend_seal": official.lend, "remind_official": official.remind}
