"""Joining, transfer, leaving and return (invariant I-34, rules G-21, G-22)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.contracts.models import Contract
from crm.customers.models import Customer
from crm.followups.models import FollowUp
from crm.marketing.models import MarketingPlan
from erp.sales.models import Invoice, SalesOrder
from kit.rules.states import State, StateTable, Transition
from kit.values.errors import BusinessError
from oa.organisation import handover, moves
from oa.organisation.handover import Handover, owned_models
from oa.organisation.lines import chain_of, manager_of
from oa.organisation.models import Department, PersonnelChange, Position, Post, User
from tests import factories as make
from tests.invariants import assert_books, broken
from tests.oa.world import client_of, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> SimpleNamespace:
    """Sue sells in the East, which she heads; Sid is to follow her and works in the West."""
    f = SimpleNamespace(root=make.make_user("root"), hr=make.make_user("hr", "hr"))
    hq = Department.objects.get(code="HQ")
    f.east = Department.objects.create(code="EAST", name="East", parent=hq)
    f.west = Department.objects.create(code="WEST", name="West", parent=hq)
    f.sue = make.make_user("sue", "sales", department=f.east)
    f.sid = make.make_user("sid", "sales", department=f.west)
    f.tom = make.make_user("tom", "sales", department=f.east)
    Department.objects.filter(pk=f.east.pk).update(head=f.sue)
    User.objects.filter(pk=f.tom.pk).update(manager=f.sue)
    return f


def owned(f: SimpleNamespace, count: int) -> None:
    """`count` customers of Sue, each with an open order, a draft contract and a plan; one finished of each."""
    head = {"owner": f.sue, "department": f.east}
    for number in range(count):
        customer = make.make_customer(f"Customer {number}", **head)
        SalesOrder.objects.create(customer=customer, warehouse=make.warehouse(), currency=make.currency(), **head)
        Contract.objects.create(customer=customer, title="frame", **head)
        MarketingPlan.objects.create(title="fair", **head)
    done = {"number": f"CT-{f.sue.pk}", "state": "completed"}
    Contract.objects.create(customer=Customer.objects.first(), title="old", **head, **done)
    MarketingPlan.objects.create(title="old", number=f"MP-{f.sue.pk}", state="cancelled", **head)


def test_somebody_joins_with_post_manager_and_roles(firm: SimpleNamespace) -> None:
    """Nobody logs in as them before a password is set; roles come only from who may give them."""
    clerk = Position.objects.create(code="CL", name="Clerk")
    person = User(username="new", name="New", department=firm.east, position=clerk, manager=firm.tom)
    group = moves.roles_offered(firm.root).get(role__code="sales")  # type: ignore[attr-defined]
    with pytest.raises(BusinessError, match="do not have the right"):
        moves.join(User(username="x"), by=firm.hr, roles=[group])
    with pytest.raises(BusinessError, match="do not have the right"):
        moves.join(User(username="x"), by=firm.sue)
    moves.join(person, by=firm.root, roles=[group])
    person = User.objects.get(username="new")
    assert not person.has_usable_password() and person.joined_on == make.today()
    assert manager_of(person) == firm.tom and person.has_perm("erp.add_salesorder")
    change = PersonnelChange.objects.get(person=person)
    assert (change.kind, change.department, change.position) == ("joining", firm.east, clerk)
    assert not moves.roles_offered(firm.hr).exists()  # type: ignore[attr-defined]


def test_the_form_of_a_new_person_is_joining(firm: SimpleNamespace) -> None:
    data = {"username": "new", "name": "New", "is_active": "on", "department": firm.east.pk, "department_text": "EAST",
            "extension": "8012", "joined_on": "2026-01-05"}  # fmt: skip
    assert client_of(firm.hr).post("/org/people/new/", data).status_code == 302
    person = User.objects.get(username="new")
    assert person.extension == "8012" and person.joined_on == dt.date(2026, 1, 5) and not person.has_usable_password()
    assert PersonnelChange.objects.get(person=person).kind == "joining"


def test_leaving_hands_over_what_is_live_and_leaves_what_is_finished(firm: SimpleNamespace) -> None:
    """I-34: masters always, documents while their state is not an ended one; history and version by the way."""
    owned(firm, 2)
    firm.sue.customers.update(active=False)
    moves.leave(firm.sue, by=firm.hr, successor=firm.sid, reason="moves to Oslo")
    for model in (Customer, SalesOrder, Contract, MarketingPlan):
        rows = model.objects.filter(owner=firm.sid)
        assert rows.count() == 2, model
        assert {(row.department, row.version) for row in rows} == {(firm.west, 2)}, "the successor works elsewhere"
    assert list(Contract.objects.filter(owner=firm.sue).values_list("state", flat=True)) == ["completed"]
    assert list(MarketingPlan.objects.filter(owner=firm.sue).values_list("state", flat=True)) == ["cancelled"]
    old = Customer.objects.first().events.latest("pgh_id")
    assert old.owner_id == firm.sue.pk and old.department_id == firm.east.pk
    change = PersonnelChange.objects.get(person=firm.sue)
    assert (change.moved, change.successor, change.reason) == (10, firm.sid, "moves to Oslo")
    assert broken({"I-34", "I-29"}) == {}


def test_the_department_stays_where_the_successor_works_there_too(firm: SimpleNamespace) -> None:
    """By a further post; a record without department gets none."""
    owned(firm, 1)
    loose = make.make_customer("Loose", owner=firm.sue)
    Post.objects.create(user=firm.sid, department=firm.east)
    moves.leave(firm.sue, by=firm.hr, successor=firm.sid)
    assert SalesOrder.objects.get().department == firm.east
    loose.refresh_from_db()
    assert loose.owner == firm.sid and loose.department is None


def test_who_spoke_stays_who_spoke(firm: SimpleNamespace) -> None:
    """A follow-up tells who spoke: it stays, and what is due moves with the customer."""
    owned(firm, 1)
    customer = Customer.objects.get()
    FollowUp.objects.create(customer=customer, text="call", owner=firm.sue, next_on=make.today())
    assert FollowUp not in owned_models() and Customer in owned_models() and Invoice in owned_models()
    moves.leave(firm.sue, by=firm.hr, successor=firm.sid)
    assert FollowUp.objects.get().owner == firm.sue and FollowUp.objects.visible_to(firm.sid).exists()


def test_leaving_needs_as_many_statements_for_forty_records_as_for_two(firm: SimpleNamespace) -> None:
    counts = []
    for number in (2, 40):
        owned_by = make.make_user(f"seller{number}", "sales", department=firm.east)
        firm.sue = owned_by
        owned(firm, number)
        with CaptureQueriesContext(connection) as queries:
            moves.leave(owned_by, by=firm.root, successor=firm.sid)
        counts.append(len(queries))
        assert PersonnelChange.objects.get(person=owned_by).moved == 4 * number
    assert counts[0] == counts[1] < 60


def test_the_place_of_who_leaves_is_taken(firm: SimpleNamespace) -> None:
    """Heads, managers and further posts: nothing points at somebody who left."""
    Post.objects.create(user=firm.sue, department=firm.west)
    moves.leave(firm.sue, by=firm.hr, successor=firm.sid, on=make.today())
    firm.sue.refresh_from_db()
    assert not firm.sue.is_active and firm.sue.left_on == make.today() and not firm.sue.posts.exists()
    assert Department.objects.get(code="EAST").head == firm.sid and manager_of(firm.tom) == firm.sid
    assert broken({"I-34"}) == {}


def test_a_successor_from_below_takes_the_place_without_a_circle(firm: SimpleNamespace) -> None:
    """Tom's own assistant follows Sue, to whom both reported."""
    pam = make.make_user("pam", "sales", department=firm.west, manager=firm.tom)
    User.objects.filter(pk=firm.sue.pk).update(manager=firm.sid)
    moves.leave(firm.sue, by=firm.hr, successor=pam)
    assert manager_of(firm.tom) == pam and chain_of(pam) == [firm.sid]


def test_every_session_ends_and_stays_ended(firm: SimpleNamespace) -> None:
    """Also after a return, which begins without password and without roles."""
    client = client_of(firm.tom)
    assert client.get("/crm/customers/").status_code == 200
    moves.leave(firm.tom, by=firm.hr)
    assert client.get("/crm/customers/").status_code == 302
    firm.tom.refresh_from_db()
    assert not firm.tom.groups.exists() and not firm.tom.has_usable_password()
    moves.rejoin(firm.tom, by=firm.hr, department=firm.west, on=make.today())
    firm.tom = User.objects.get(pk=firm.tom.pk)
    assert client.get("/crm/customers/").status_code == 302
    assert firm.tom.is_active and firm.tom.left_on is None and not firm.tom.has_perm("crm.view_customer")
    kinds = PersonnelChange.objects.filter(person=firm.tom).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["leaving", "return"]


def test_what_is_refused(firm: SimpleNamespace) -> None:
    """Oneself, the last superuser, people above one's rights, a successor who left or is oneself, another day."""
    owned(firm, 1)
    gone = make.make_user("gone", "sales", is_active=False)
    admin = make.make_user("admin2", "administrator")
    cases: list[tuple[str, User, dict[str, Any]]] = [
        ("Nobody leaves by themselves", firm.hr, {"by": firm.hr}),
        ("last superuser", firm.root, {"by": None}),
        ("do not have the right", admin, {"by": firm.hr}),
        ("do not have the right", firm.root, {"by": admin}),
        ("do not have the right", firm.tom, {"by": firm.sue}),
        ("Name a successor", firm.sue, {"by": firm.hr}),
        ("must be somebody else", firm.sue, {"by": firm.hr, "successor": firm.sue}),
        ("choose somebody else", firm.sue, {"by": firm.hr, "successor": gone}),
        ("does not work here any more", gone, {"by": firm.hr}),
        ("takes effect at once", firm.tom, {"by": firm.hr, "on": make.today() + dt.timedelta(days=1)}),
    ]
    for words, person, given in cases:
        with pytest.raises(BusinessError, match=words):
            moves.leave(person, **given)
        assert User.objects.get(pk=person.pk).is_active == (person != gone)
    assert Customer.objects.get().owner == firm.sue and not PersonnelChange.objects.exists()
    User.objects.filter(pk=firm.root.pk).update(is_superuser=False)
    with pytest.raises(BusinessError, match="nobody could give roles"):
        moves.leave(admin, by=None)


def test_a_transfer_hands_over_when_it_is_asked_to(firm: SimpleNamespace) -> None:
    owned(firm, 1)
    clerk = Position.objects.create(code="CL", name="Clerk")
    Post.objects.create(user=firm.sue, department=firm.west, position=clerk)
    where = {"department": firm.west, "position": clerk}
    moves.transfer(firm.sue, by=firm.hr, manager=firm.sid, **where)
    firm.sue = User.objects.get(pk=firm.sue.pk)
    assert (firm.sue.department, firm.sue.position, manager_of(firm.sue)) == (firm.west, clerk, firm.sid)
    assert not firm.sue.posts.exists(), "the further post became the main one"
    assert Customer.objects.get().owner == firm.sue and Department.objects.get(code="EAST").head == firm.sue
    moves.transfer(firm.sue, by=firm.hr, hand_over=True, successor=firm.tom, **where)
    assert Customer.objects.get().owner == firm.tom and Department.objects.get(code="EAST").head == firm.tom
    change = PersonnelChange.objects.first()
    assert (change.department_before, change.department, change.moved) == (firm.west, firm.west, 5)
    with pytest.raises(BusinessError, match="Name a successor"):
        moves.transfer(firm.tom, by=firm.hr, department=firm.west, hand_over=True)
    with pytest.raises(BusinessError, match="nobody reports to oneself"):
        moves.transfer(firm.tom, by=firm.hr, department=firm.east, manager=firm.tom)


def test_ordinary_forms_do_not_switch_off_who_still_has_something(firm: SimpleNamespace) -> None:
    """I-34: page and back office tell to use "Leaving"; who has nothing may be switched off."""
    owned(firm, 1)
    User.objects.filter(pk=firm.root.pk).update(is_staff=True)
    data = {"username": "sue", "name": "Sue", "email": "sue@example.com", "version": "1"}
    answer = client_of(firm.hr).post("/org/people/sue/edit/", data)
    assert answer.status_code == 422
    assert "Use “Leaving”" in answer.content.decode() and "Customers: 1" in answer.content.decode()
    times = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    url = reverse("admin:oa_user_change", args=[firm.sue.pk])
    answer = client_of(firm.root).post(url, {**data, **times}, follow=True)
    assert "Use “Leaving”" in answer.content.decode() and User.objects.get(username="sue").is_active
    loose = make.make_user("loose", "sales")
    data = {"username": "loose", "name": "Loose", "email": loose.email, "version": "1"}
    assert client_of(firm.hr).post("/org/people/loose/edit/", data).status_code == 302
    assert not User.objects.get(username="loose").is_active


def test_who_left_comes_back_by_the_command_only(firm: SimpleNamespace) -> None:
    moves.leave(firm.tom, by=firm.hr)
    data = {"username": "tom", "name": "Tom", "email": "tom@example.com", "version": "2", "is_active": "on"}
    client_of(firm.hr).post("/org/people/tom/edit/", data)
    assert not User.objects.get(username="tom").is_active
    page = client_of(firm.hr).get("/org/people/tom/").content.decode()
    assert reverse("move-person", args=["tom", "return"]) in page and "/move/leaving/" not in page


def test_the_pages_show_what_will_be_handed_over_and_do_it(firm: SimpleNamespace) -> None:
    """Label and number before anything happens; a second press does nothing more."""
    owned(firm, 3)
    url = reverse("move-person", args=["sue", "leaving"])
    client = client_of(firm.hr)
    page = client.get(url)
    listed = {str(label): count for label, count in page.context["behind"]}
    assert listed["Customers"] == listed["Sales orders"] == 3 and listed["Departments headed"] == 1
    assert url in client.get("/org/people/sue/").content.decode()
    data = {"on": str(make.today()), "successor": firm.sid.pk, "successor_text": "Sid", "reason": "",
            "submit_id": "6f1c2f0e-4f1c-4f1c-8f1c-6f1c2f0e4f1c"}  # fmt: skip
    assert client.post(url, {**data, "successor": "", "successor_text": ""}).status_code == 422
    for _ in range(2):
        client.post(url, data)
    assert Customer.objects.filter(owner=firm.sid).count() == 3
    assert PersonnelChange.objects.filter(person=firm.sue).count() == 1
    assert client_of(firm.tom).get(url).status_code == 403
    assert client.get(reverse("move-person", args=["root", "leaving"])).status_code == 403, "above hr's rights"
    assert client.get("/org/people/sue/move/party/").status_code == 404
    for kind in ("transfer", "return"):
        assert client.get(reverse("move-person", args=["sue", kind])).status_code == 200


def test_higher_sections_add_what_they_hand_over(firm: SimpleNamespace, monkeypatch: Any) -> None:
    """The registry: seen before, moved with the rest, and in the way of switching off."""
    follow = make.make_user("f", "sales", department=firm.west)

    def move(user: User, successor: User) -> int:
        return User.objects.filter(username="f", extension=user.username).update(extension=successor.username)

    entry = Handover("Badges", lambda user: User.objects.filter(extension=user.username), move)
    monkeypatch.setattr(handover, "handovers", [entry])
    User.objects.filter(pk=follow.pk).update(extension="tom")
    assert ("Badges", 1) in moves.left_behind(firm.tom)
    moves.leave(firm.tom, by=firm.hr, successor=firm.sid)
    assert User.objects.get(pk=follow.pk).extension == "sid"


def test_which_states_are_ended() -> None:
    """Done, dropped, or without a way out; a state may say it itself."""
    table = StateTable(
        (State("new", "", "draft"), State("stuck", "", "info"), State("done", "", "ok"), State("off", "")),
        (Transition("a", ("new",), "stuck", ""), Transition("b", ("done",), "off", "")),
    )
    assert table.ended == ["stuck", "done", "off"]
    told = StateTable((State("new", "", ended=True), State("x", "", "ok", ended=False)), ())
    assert told.ended == ["new"]


def test_the_invariant_finds_each_kind_of_breach(firm: SimpleNamespace) -> None:
    """I-34 by mutation: what a wrong statement leaves behind is named with its table."""
    owned(firm, 1)
    assert broken({"I-34"}) == {}
    for sql, told in (
        ("UPDATE crm_customer SET owner_id = {gone}", "table crm_customer"),
        ("UPDATE erp_salesorder SET owner_id = {gone}", "table erp_salesorder"),
        ("UPDATE oa_department SET head_id = {gone} WHERE code = 'EAST'", "code EAST"),
        ("UPDATE oa_user SET manager_id = {gone} WHERE username = 'tom'", "username tom"),
        ("UPDATE oa_department SET parent_id = id WHERE code = 'EAST'", "circle parent_id"),
        ("UPDATE oa_user SET manager_id = id WHERE username = 'tom'", "circle manager_id"),
    ):
        gone = make.make_user("", "sales", is_active=False)
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT mutation; SET LOCAL session_replication_role = replica")
            cursor.execute(sql.format(gone=gone.pk))
            found = broken({"I-34"})["I-34"]
            cursor.execute("ROLLBACK TO SAVEPOINT mutation")
        assert len(found) == 1 and told in found[0], sql
    ended = "UPDATE crm_contract SET owner_id = (SELECT id FROM oa_user WHERE NOT is_active LIMIT 1) WHERE state = 'completed'"
    with connection.cursor() as cursor:
        cursor.execute(ended)
    assert broken({"I-34"}) == {}, "what is finished keeps the name of who did it"


def test_a_leaving_company_stays_sound() -> None:
    """A whole side with customers, orders, invoices and papers goes to somebody else; the books still tie."""
    w = world()
    moves.leave(w.ann, by=w.boss, successor=w.mia)
    seen = Client()
    seen.force_login(User.objects.get(pk=w.mia.pk), backend="oa.organisation.auth.NameOrMailBackend")
    assert seen.get(f"/crm/customers/{w.mine.customer.code}/").status_code == 200
    assert_books()
