"""Two departments with a customer each: what the one side must never see of the other (rule G-21)."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from crm.contracts.models import Contract
from crm.customers.models import Address, Contact
from crm.followups.services import log_followup
from crm.marketing.models import MarketingPlan
from erp.sales import services as sales
from erp.sales.models import CustomerPrice
from kit.pages.resources import Resource
from oa.documents.models import Folder, FolderGrant
from oa.documents.reading import read_version
from oa.documents.services import add_document, use_document
from oa.official.models import Seal
from oa.organisation.models import Department, Role, User
from oa.records.attachments import store_attachment
from oa.records.comments import add_comment
from oa.records.models import Job, Notification
from oa.tasks.models import Booking, ChecklistItem, Decision, Meeting, Room, Task, TaskSeries
from oa.tasks.services.meetings import seat
from tests import approving
from tests import factories as make
from tests.oa import announcing, leaving, official, spending

CANARY = "Zaunkönig"  # stands in every text of the other side
WATCHED = "Goldammer"  # stands in every text of one's own side: a crawl that finds none proves nothing


def world() -> SimpleNamespace:
    """Ann sells in the east under Mia, Bob in the west; both have a customer that has bought, owes and talks."""
    w = SimpleNamespace(boss=make.make_user("boss", name="Boss"))
    root = Department.objects.get(code="HQ")
    w.east = Department.objects.create(code="EAST", name="East", parent=root)
    w.shop = Department.objects.create(code="SHOP", name="Shop", parent=w.east)
    w.west = Department.objects.create(code="WEST", name="West", parent=root)
    w.ann = make.make_user("ann", "sales", department=w.shop)
    w.mia = make.make_user("mia", "sales-manager", department=w.east)
    w.bob = make.make_user("bob", "sales", department=w.west)
    w.nosy = nosy(w.shop)
    w.product = make.make_product("VALVE")
    make.stock(w.product, 50)
    w.mine = side(w, w.ann, "OWN-1", WATCHED)
    w.foreign = side(w, w.bob, "FOR-1", CANARY)
    w.nosys = side(w, w.nosy, "NOSY-1", WATCHED)
    return w


def nosy(department: Department) -> User:
    """Every permission on everything that belongs to somebody, in the narrowest scope, and the back office."""
    group = Group.objects.create(name="Nosy")
    Role.objects.create(group=group, code="nosy", scope="own")
    labels = [m._meta.model_name for m in apps.get_models() if getattr(_rows(m), "scope_paths", ())]
    parts = [f"{name}line" for name in labels]
    rows = Permission.objects.filter(content_type__model__in=[*labels, *parts])
    base = Permission.objects.filter(group__role__code="sales-manager")
    notes = Permission.objects.filter(
        content_type__model__in=[
            "attachment",
            "comment",
            "notification",
            "job",
            "task",
            "taskseries",
            "meeting",
            "room",
        ]
    )
    hidden = Permission.objects.filter(content_type__model="outboxmail")
    group.permissions.set((rows | base | notes).exclude(pk__in=hidden).distinct())
    person = make.make_user("nosy", "nosy", department=department, is_staff=True)
    return person


def _rows(model: Any) -> Any:
    return model._default_manager.all()


def side(w: SimpleNamespace, owner: User, code: str, word: str) -> SimpleNamespace:
    """A customer of `owner` with everything that can hang on one; `word` in each text."""
    s = SimpleNamespace(word=word)
    texts = {
        name: f"{word} {name}"
        for name in ("short_name", "industry", "region", "city", "address", "invoice_title", "bank_name", "note")
    }
    s.customer = make.make_customer(
        f"{word} Ltd {code}", code=code, owner=owner, department=owner.department, created_by=owner, **texts
    )
    s.contact = Contact.objects.create(customer=s.customer, name=f"{word} Contact", note=word, primary=True)
    s.address = Address.objects.create(customer=s.customer, line=f"{word} Street 1", city=word)
    log_followup(s.customer, by=owner, text=f"{word} wants a discount", contact=s.contact, next_on=timezone.localdate())
    add_comment(s.customer, f"{word} @ann @bob @nosy", by=w.boss)
    s.file = store_attachment(s.customer, ContentFile(b"%PDF-1.7\n%%EOF\n", f"{word}.pdf"), by=owner)
    head = {"owner": owner, "department": owner.department, "created_by": owner}
    s.contract = Contract.objects.create(customer=s.customer, title=f"{word} frame", note=word, **head)
    s.plan = MarketingPlan.objects.create(title=f"{word} fair", goal=word, **head)
    s.plan.customers.add(s.customer)
    CustomerPrice.objects.create(
        customer=s.customer, product=w.product, currency=make.currency(), price=Decimal("31.41"), minimum=1
    )
    make.terms(s.customer, credit_limit=Decimal("98765"))
    s.order = make.confirmed_order(
        s.customer, make.line(w.product, 3, "271.82"), by=w.boss, contact=s.contact, contract=s.contract,
        owner=owner, department=owner.department, customer_reference=f"{word} ref", note=word, ship_country=word,
    )  # fmt: skip
    s.draft = make.make_order(s.customer, make.line(w.product), by=owner, owner=owner, note=word)
    s.delivery = sales.deliver_order(s.order, by=w.boss)
    s.invoice = sales.invoice_order(s.order, by=w.boss)
    s.receipt = make.receive(s.customer, "100", by=w.boss, reference=f"{word} pays")
    s.folder = Folder.objects.create(name=f"{word} folder {code}", created_by=owner)
    FolderGrant.objects.create(folder=s.folder, audience="person", user=owner, rights=31)
    s.document = add_document(s.folder, ContentFile(f"{word} secret".encode(), f"{word} {code}.txt"), by=owner)
    read_version(s.document.current_id)
    use_document(s.document, s.customer, by=None)
    s.job = Job.objects.create(kind="import", title=f"{word}.csv", owner=owner, error=word, state="done")
    s.news = announcing.published(w.boss, f"{word} meets", body=f"{word} **meets**", to_people=[owner])
    add_comment(s.news, f"{word} comes", by=w.boss)
    s.news_file = store_attachment(s.news, ContentFile(b"%PDF-1.7\n%%EOF\n", f"{word} map.pdf"), by=w.boss)
    office(s, owner)
    Notification.objects.create(user=owner, text=f"{word} is due", url=f"/crm/customers/{code}/")
    return s


def office(s: SimpleNamespace, owner: User) -> None:
    """Tasks about the customer, a recurring one, and a meeting in a room that everybody may book."""
    giver, word = {"owner": owner, "created_by": owner}, s.word
    kind = ContentType.objects.get_for_model(s.customer)
    s.task = Task.objects.create(
        title=f"{word} task", description=word, labels=word, due_on=timezone.localdate(),
        content_type=kind, object_id=s.customer.pk, **giver,
    )  # fmt: skip
    ChecklistItem.objects.create(task=s.task, position=1, text=f"{word} step")
    s.series = TaskSeries.objects.create(title=f"{word} every day", every="day", **giver)
    start = timezone.now() + dt.timedelta(hours=1)
    s.meeting = Meeting.objects.create(
        title=f"{word} meeting", agenda=word, place=word, minutes=word, private=True,
        starts_at=start, ends_at=start + dt.timedelta(hours=1), **giver,
    )  # fmt: skip
    room, _made = Room.objects.get_or_create(name=f"Room {owner.username}")
    seat(s.meeting, [owner], [room], by=None)
    Meeting.objects.filter(pk=s.meeting.pk).update(state="invited")
    Booking.objects.filter(meeting=s.meeting).update(taken=True)
    Decision.objects.create(meeting=s.meeting, position=1, text=f"{word} decision")
    paper(s, owner)


def paper(s: SimpleNamespace, owner: User) -> None:
    """What goes through approvals: a request, leave, a claim and an advance, official documents, a seal."""
    word = s.word
    flow = approving.flow(approving.step(1, owner), on_self="allow")
    s.request = approving.request(flow, owner, reason=f"{word} needs it", amount="7")
    s.claim = spending.claim(owner, spending.line("5", description=f"{word} lunch"), title=f"{word} trip")
    s.advance = spending.advance(owner, title=f"{word} fair")
    s.outgoing = official.draft(owner, title=f"{word} order", body=f"{word} is closed", keywords=word)
    s.incoming = official.registered(SimpleNamespace(eva=owner), title=f"{word} letter", body=word, sender=word)
    seal, _made = Seal.objects.get_or_create(code="ROUND", defaults={"name": "Round seal", "keeper": owner})
    s.seal = official.seal_request(SimpleNamespace(seal=seal), by=owner, title=f"{word} offer", note=word)
    s.leave = leaving.submitted(owner, leaving.leave_type(limited=False), leaving.monday(), reason=f"{word} is ill")


def client_of(user: User) -> Client:
    """A logged-in browser."""
    client = Client()
    client.force_login(user, backend="oa.organisation.auth.NameOrMailBackend")
    return client


def pages_of(resource: Resource, user: User, w: SimpleNamespace) -> list[str]:
    """Every address of a resource as a whole, asked in every way a person can ask."""
    foreign = f"customer={w.foreign.customer.pk}&customer_text={w.foreign.customer.code}&owner={w.bob.pk}"
    urls = [f"{resource.url()}?{query}" for query in ("size=200", f"view=mine&q={CANARY}", foreign)]
    urls += [f"{resource.url('export')}?format=csv&{query}" for query in ("", "full=1")]
    if resource.may(user, "add") and resource.fields:
        urls.append(f"{resource.url('new')}?{seeds(w)}")
    if resource.may_import(user):
        urls.append(resource.url("import"))
    pick = f"/ui/pick/{resource.slug}/"
    return [*urls, pick, f"{pick}?q={CANARY}", f"{pick}?{seeds(w)}"]


def seeds(w: SimpleNamespace) -> str:
    """Keys of the other side, as a crafted address would carry them."""
    f = w.foreign
    item = make.items(f.invoice)[0]
    return (
        f"customer={f.customer.pk}&contact={f.contact.pk}&contract={f.contract.pk}&campaign={f.plan.pk}"
        f"&order={f.order.pk}&item={item.pk}&customers={f.customer.pk}&owner={w.bob.pk}"
    )


def of_form(resource: Resource, **values: Any) -> dict[str, Any]:
    """What a browser sends besides the given values."""
    return {"submit_id": str(uuid.uuid4()), "version": "1", **values}
