"""Sales orders through an approval flow (spec approvals X-01, X-06 to X-10, X-14; S-04)."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from erp.sales.models import SalesOrder
from erp.sales.models.orders import Hold
from erp.sales.models.terms import CreditAction
from erp.sales.services import amend_order, cancel_order, confirm_order, deliver_order, release_hold, save_order
from kit.exchange import printing
from kit.values.errors import BusinessError
from oa.approvals.models import ApprovalRequest
from oa.approvals.prints import approval_sheet
from oa.approvals.services import approve, reject, send_back, submit, withdraw
from oa.approvals.services.submission import version_in_force
from oa.organisation.models import User
from oa.records.attachments import removable, store_attachments
from oa.records.models import Attachment
from tests import approving
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db

KIND = "erp.salesorder"
BIG = [[{"field": "amount", "op": ">", "value": "50000"}], [{"field": "discount", "op": ">", "value": "10"}]]


@pytest.fixture
def office() -> dict[str, Any]:
    """Ann sells, Mia approves above 50,000 or 10 % discount, the chief above 100,000."""
    mia, chief = make.make_user("mia", "sales-manager"), make.make_user("chief", "sales-manager")
    ann = make.make_user("ann", "sales")
    huge = [[{"field": "amount", "op": ">", "value": "100000"}]]
    flow = approving.flow(
        approving.step(1, mia, conditions=BIG), approving.step(2, chief, conditions=huge), kind=KIND, on_repeat="other"
    )
    product = make.make_product(tax=None, price="1000")
    make.stock(product, 1000)
    customer = make.make_customer(owner=ann)
    return {"mia": mia, "chief": chief, "ann": ann, "flow": flow, "product": product, "customer": customer}


def order(office: dict[str, Any], quantity: int, **more: Any) -> SalesOrder:
    line = make.line(office["product"], quantity, **more)
    return make.make_order(office["customer"], line, by=office["ann"], owner=office["ann"])


def submitted(office: dict[str, Any], quantity: int, **more: Any) -> tuple[SalesOrder, ApprovalRequest]:
    draft = order(office, quantity, **more)
    request = submit(draft, kind=KIND, by=office["ann"])
    draft.refresh_from_db()
    return draft, request


def decide(request: ApprovalRequest, user: User) -> None:
    approve(approving.task(request, user), by=user)


def test_a_small_order_is_confirmed_as_before(office: dict[str, Any]) -> None:
    """X-01: where no condition holds nobody is asked."""
    made = confirm_order(order(office, 50), by=office["ann"])
    assert made.state == "confirmed" and not ApprovalRequest.objects.exists()


@pytest.mark.parametrize(("quantity", "more"), [(51, {}), (10, {"discount": "10.5"})])
def test_an_order_the_flow_asks_for_is_not_confirmed_directly(
    office: dict[str, Any], quantity: int, more: dict[str, Any]
) -> None:
    """X-10: no way around, and the person reads why."""
    draft = order(office, quantity, **more)
    with pytest.raises(BusinessError, match="needs approval"):
        confirm_order(draft, by=office["ann"])
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_the_last_approval_confirms_the_order(office: dict[str, Any]) -> None:
    """X-06, X-07, X-10: locked while it runs, confirmed with number and reservation by the last level only."""
    draft, request = submitted(office, 120)
    assert draft.state == "approving"
    for change in (lambda: save_order(draft, [make.line(office["product"])], by=office["ann"]),
                   lambda: cancel_order(draft, by=office["ann"])):  # fmt: skip
        with pytest.raises(BusinessError):
            change()
    decide(request, office["mia"])
    draft.refresh_from_db()
    assert (draft.state, draft.number) == ("approving", None)
    decide(request, office["chief"])
    draft.refresh_from_db()
    assert draft.state == "confirmed" and draft.number and draft.lines.get().reserved == 120
    request.refresh_from_db()
    assert request.amount == 120000 and request.content["lines"][0][0] == office["product"].code
    assert_books()


def test_rejection_and_withdrawal_give_the_draft_back(office: dict[str, Any]) -> None:
    """X-06."""
    draft, request = submitted(office, 60)
    reject(approving.task(request, office["mia"]), by=office["mia"], text="no margin")
    draft.refresh_from_db()
    assert draft.state == "draft"
    other, request = submitted(office, 60)
    withdraw(request, by=office["ann"])
    other.refresh_from_db()
    assert other.state == "draft"


def test_a_returned_order_is_changed_and_submitted_again(office: dict[str, Any]) -> None:
    """X-03: with another amount it takes the way of that amount."""
    from oa.approvals.services import resubmit

    draft, request = submitted(office, 60)
    send_back(approving.task(request, office["mia"]), by=office["mia"], stage=0, text="more!")
    save_order(SalesOrder.objects.get(pk=draft.pk), [make.line(office["product"], 130)], by=office["ann"])
    resubmit(request, by=office["ann"])
    decide(request, office["mia"])
    assert approving.asked(request) == {office["chief"]}


def test_credit_is_checked_at_the_last_approval(office: dict[str, Any]) -> None:
    """X-07: an effect that is refused takes the decision back with the message of the credit check."""
    draft, request = submitted(office, 60)
    make.terms(office["customer"], credit_limit=D(100), credit_action=CreditAction.REFUSE)
    with pytest.raises(BusinessError, match="credit"):
        decide(request, office["mia"])
    draft.refresh_from_db()
    request.refresh_from_db()
    assert (draft.state, request.state) == ("approving", "running") and approving.asked(request) == {office["mia"]}


def test_an_amendment_beyond_what_was_approved_waits_on_hold(office: dict[str, Any]) -> None:
    """X-08: nothing is shipped, nothing reserved, and no release helps; a new run lets it go on."""
    draft, request = submitted(office, 60)
    decide(request, office["mia"])
    draft.refresh_from_db()
    line = draft.lines.get()
    amended = amend_order(draft, [make.line(office["product"], 80, pk=line.pk)], by=office["ann"])
    assert amended.hold == Hold.APPROVAL and amended.lines.get().reserved == 0
    with pytest.raises(BusinessError):
        deliver_order(amended, by=None)
    with pytest.raises(BusinessError, match="approval"):
        release_hold(amended, by=None, reason="please")
    again = submit(amended, kind=KIND, by=office["ann"])
    with pytest.raises(BusinessError, match="in approval"):
        amend_order(amended, [make.line(office["product"], 70, pk=line.pk)], by=office["ann"])
    decide(again, office["mia"])
    amended.refresh_from_db()
    assert amended.hold == Hold.NONE and amended.lines.get().reserved == 80
    deliver_order(amended, by=None)
    assert_books()


def test_an_amendment_back_to_what_was_approved_goes_on(office: dict[str, Any]) -> None:
    """X-08: exactly these facts were approved."""
    draft, request = submitted(office, 60)
    decide(request, office["mia"])
    draft.refresh_from_db()
    line = draft.lines.get()
    amend_order(draft, [make.line(office["product"], 80, pk=line.pk)], by=office["ann"])
    draft.refresh_from_db()
    back = amend_order(draft, [make.line(office["product"], 60, pk=line.pk)], by=office["ann"])
    assert back.hold == Hold.NONE and back.lines.get().reserved == 60


def test_a_small_order_that_grows_beyond_the_limit_waits(office: dict[str, Any]) -> None:
    """X-10: confirming small and amending big is no way around."""
    made = confirm_order(order(office, 10), by=office["ann"])
    amended = amend_order(made, [make.line(office["product"], 90, pk=made.lines.get().pk)], by=office["ann"])
    assert amended.hold == Hold.APPROVAL


def test_a_suspended_flow_asks_nobody(office: dict[str, Any]) -> None:
    """5.9.1 suspended."""
    office["flow"].active = False
    office["flow"].save()
    assert version_in_force(KIND) is None
    assert confirm_order(order(office, 500), by=office["ann"]).state == "confirmed"


def test_the_page_offers_what_is_possible(office: dict[str, Any]) -> None:
    """X-09: submit in place of confirm, then the path with names on the order's own page."""
    draft = order(office, 120)
    client = client_of(office["ann"])
    url = f"/sales/orders/{draft.url_key}/"
    page = client.get(url).content.decode()
    assert "/approvals/submit/" in page and "do/confirm/" not in page
    path = client.get(f"/approvals/submit/{KIND}/{draft.pk}/").content.decode()
    assert "Mia" in path and "Chief" in path and "100,000" in path
    answer = client.post(f"/approvals/submit/{KIND}/{draft.pk}/", {"note": "urgent customer"})
    assert answer.status_code == 302
    page = client.get(url).content.decode()
    assert "in approval" in page.lower() and "Mia" in page and "/approvals/submit/" not in page


def test_orders_without_a_flow_cost_no_statement_more(office: dict[str, Any]) -> None:
    """PERFORMANCE: whether a flow is in force is read with the order's lock."""
    office["flow"].active = False
    office["flow"].save()
    with CaptureQueriesContext(connection) as queries:
        confirm_order(order(office, 1), by=None)
    assert not [q for q in queries.captured_queries if '"oa_flowstep"' in q["sql"]]


def test_the_lines_of_an_order_are_shown_to_who_approves_it(office: dict[str, Any]) -> None:
    """UX 6.12, X-08: product, quantity, price, discount and amount, also where the order itself is out of reach."""
    outsider = make.make_user("outsider", "warehouse")
    flow = office["flow"]
    flow.active = False
    flow.save()
    approving.flow(approving.step(1, outsider), kind=KIND)
    draft, request = submitted(office, 7, discount=D(5))
    client = client_of(outsider)
    assert client.get(f"/sales/orders/{draft.pk}/").status_code == 404
    for url in (f"/approvals/requests/{request.pk}/", f"/todo/?open={request.pk}"):
        page = client.get(url).content.decode()
        lines = page[page.index('class="cd lines"') :]
        assert all(text in lines for text in (office["product"].code, "7 pc", "1,000.00", "5%", "6,650.00")), url
    assert (
        client_of(make.make_user("stranger", "warehouse")).get(f"/approvals/requests/{request.pk}/").status_code == 404
    )


def test_more_lines_take_no_more_statements(office: dict[str, Any]) -> None:
    """Done means 4: the page of a request takes as many statements for 2 lines as for 40."""
    counts = []
    for many in (2, 40):
        lines = [make.line(office["product"], 100) for _n in range(many)]
        draft = make.make_order(office["customer"], *lines, by=office["ann"], owner=office["ann"])
        request = submit(draft, kind=KIND, by=office["ann"])
        client = client_of(office["mia"])
        client.get("/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/approvals/requests/{request.pk}/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_sheet_of_an_order_holds_its_lines_and_tells_of_later_changes(office: dict[str, Any]) -> None:
    """X-13, X-08: confirming by the approval changes nothing that was decided about; amending does."""
    draft, request = submitted(office, 60)
    decide(request, office["mia"])
    made = approval_sheet(ApprovalRequest.objects.get(pk=request.pk), "en")
    assert made["lines"][0][0] == office["product"].code and made["changed"] == ""
    assert len(printing.render_svg_pages("approval.typ", made)) == 1
    draft.refresh_from_db()
    draft.note = "deliver at night"
    SalesOrder.objects.filter(pk=draft.pk).update(note=draft.note)
    assert approval_sheet(ApprovalRequest.objects.get(pk=request.pk), "en")["changed"]


def test_who_reads_another_language_decides_about_the_same(office: dict[str, Any]) -> None:
    """X-08, I-28: units and terms have names in two languages; neither the hash nor the facts depend on the reader."""
    with translation.override("zh-hans"):
        draft, request = submitted(office, 60)
    with translation.override("en"):
        assert approval_sheet(request, "zh-hans")["changed"] == ""
        decide(request, office["mia"])
    draft.refresh_from_db()
    assert draft.state == "confirmed"


def test_files_that_are_decided_about_stay(office: dict[str, Any]) -> None:
    """X-08: what was submitted with an order cannot be taken away while it is decided about; given back it can."""
    draft = order(office, 60)
    store_attachments(draft, [ContentFile(b"drawing", name="drawing.txt")], by=office["ann"])
    request = submit(draft, kind=KIND, by=office["ann"])
    store_attachments(draft, [ContentFile(b"more", name="later.txt")], by=office["ann"])
    files = list(Attachment.objects.order_by("pk"))
    assert [row.name for row in removable(files, draft, office["ann"])] == ["later.txt"]
    withdraw(request, by=office["ann"])
    assert len(removable(files, draft, office["ann"])) == 2
