"""Nothing is written for, into or in the name of the other side (rules G-21, G-22, threats S-03, S-05, S-18)."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.forms.models import ModelChoiceField
from django.test import Client
from django.urls import reverse

from crm.customers.models import Customer
from crm.marketing.models import MarketingPlan
from erp.sales.models import SalesOrder
from kit.pages.forms import form_class
from kit.pages.resources import registry
from kit.pages.widgets import PickerField
from oa.organisation.models import Department, Role, User
from oa.records.models import Attachment, Comment
from tests import factories as make
from tests.oa.world import CANARY, WATCHED, client_of, of_form, world
from tests.refusals import whole_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def w(db: Any) -> SimpleNamespace:
    return world()


def theirs(w: SimpleNamespace, model: Any) -> Any:
    """A row of `model` that belongs to the other side."""
    return next((row for row in vars(w.foreign).values() if isinstance(row, model)), None)


def test_no_form_takes_the_key_or_the_name_of_a_foreign_record(w: SimpleNamespace) -> None:
    """S-03: every foreign key of every form, by key and by text; a new form is covered without a line here."""
    tried = 0
    for resource in registry.values():
        if not resource.fields:
            continue
        for name, field in form_class(resource).base_fields.items():
            related = resource.meta.get_field(name).related_model if _is_choice(field) else None
            row = theirs(w, related) if related is not None and related is not User else None
            if row is None:
                continue
            tried += 1
            code = str(getattr(row, "code", "") or getattr(row, "number", "") or row)
            label = field.resource.pick_label(row) if isinstance(field, PickerField) else ""
            for key, text in ((str(row.pk), label), ("", code), ("", f"{CANARY} Ltd FOR-1"), (str(row.pk), "x")):
                data = {name: key, f"{name}_text": text} if label else {name: [str(row.pk)]}
                form = form_class(resource)(data, user=w.nosy, resource=resource)
                form.is_valid()
                assert name in form.errors and not form.cleaned_data.get(name), (resource.slug, name, key, text)
    assert tried >= 10


def _is_choice(field: Any) -> bool:
    return isinstance(field, ModelChoiceField | PickerField)


def test_orders_for_foreign_customers_and_with_foreign_papers_are_refused(w: SimpleNamespace) -> None:
    """S-03: the Dolibarr cases, through the page: nothing at all is written."""
    client = client_of(w.ann)
    client.get("/")
    before = whole_state()
    for changes in ({"customer": w.foreign.customer}, {"contact": w.foreign.contact}, {"contract": w.foreign.contract},
                    {"campaign": w.foreign.plan}, {"owner": w.bob}):  # fmt: skip
        assert client.post("/sales/orders/new/", order_data(w, **changes)).status_code == 422, changes
    assert whole_state() == before
    assert client.post("/sales/orders/new/", order_data(w)).status_code == 302
    made = SalesOrder.objects.latest("pk")
    assert (made.customer, made.owner, made.state, made.number) == (w.mine.customer, w.ann, "draft", None)


def order_data(w: SimpleNamespace, **changes: Any) -> dict[str, Any]:
    """The form of an order for Ann's customer, with some pickers changed."""
    given = {"customer": w.mine.customer, "contact": w.mine.contact, "owner": w.ann} | changes
    data = of_form(
        registry["salesorder"], warehouse=make.warehouse().pk, currency=make.currency().pk, rate="1",
        date=str(make.today()), **{"lines-0-product": w.product.pk, "lines-0-product_text": "VALVE"},
        **{"lines-0-quantity": "1", "lines-0-price": "5"},
    )  # fmt: skip
    for name, row in given.items():
        page = registry[row._meta.model_name]
        data |= {name: str(row.pk), f"{name}_text": page.pick_label(row)}
    return data


def test_lines_of_a_foreign_order_cannot_be_taken_over(w: SimpleNamespace) -> None:
    """S-03: the key of a line belongs to its document."""
    line = w.foreign.draft.lines.get()
    data = order_data(w) | {"lines-0-id": str(line.pk), "version": str(w.mine.draft.version)}
    client_of(w.ann).post(registry["salesorder"].url_for(w.mine.draft, "edit"), data)
    line.refresh_from_db()
    assert line.order_id == w.foreign.draft.pk and not w.mine.draft.lines.filter(pk=line.pk).exists()


def test_columns_that_are_not_in_a_form_cannot_be_written(w: SimpleNamespace) -> None:
    """S-05: every model column outside the form, posted with every form that can be opened, stays as it was."""
    client, tried = client_of(w.nosy), 0
    for resource in registry.values():
        row = next((r for r in vars(w.nosys).values() if isinstance(r, resource.model)), None)
        row = resource.queryset(w.nosy).filter(pk=row.pk).first() if row is not None else None
        if row is None or not resource.fields or not resource.editable(row, w.nosy):
            continue
        page = client.get(resource.url_for(row, "edit"))
        data = {k: v for k, v in _initial(page).items() if v is not None}
        outside = [f for f in resource.meta.concrete_fields if f.name not in resource.fields and not f.primary_key]
        forged = {f.name: _forged(f) for f in outside if not isinstance(f, models.GeneratedField)}
        forged.pop("version", None)
        client.post(resource.url_for(row, "edit"), forged | data | of_form(resource, version=str(row.version)))
        after = resource.model._default_manager.get(pk=row.pk)
        derived = {"updated_at", "version", "pinyin", "search"}
        changed = {f.name for f in outside if getattr(after, f.attname) != getattr(row, f.attname)} - derived
        tried += 1
        assert not changed, (resource.slug, changed)
    assert tried >= 5


def _initial(page: Any) -> dict[str, Any]:
    form = page.context["form"]
    data = {}
    for bound in form:
        value = bound.value()
        if isinstance(value, tuple):
            data[bound.html_name], data[f"{bound.html_name}_text"] = value
        elif isinstance(value, list):
            data[bound.html_name] = [getattr(v, "pk", v) for v in value]
        elif value is True:
            data[bound.html_name] = "on"
        elif value not in (None, False):
            data[bound.html_name] = str(getattr(value, "pk", value))
    return data


def _forged(field: Any) -> str:
    if field.choices:
        return str(field.flatchoices[-1][0])
    return "9" if isinstance(field, models.IntegerField | models.DecimalField | models.ForeignKey) else "2030-01-01"


def test_nobody_gives_a_record_to_people_whose_records_they_do_not_see(w: SimpleNamespace) -> None:
    """G-21, C-15: a seller keeps what is his own; the manager moves it within her departments only."""
    page = registry["customer"].url_for(w.mine.customer, "edit")
    for who, owner, department, status in (
        (w.ann, w.bob, w.shop, 422),
        (w.ann, w.ann, w.west, 422),
        (w.mia, w.bob, w.shop, 422),
        (w.mia, w.ann, w.west, 422),
        (w.mia, w.mia, w.east, 302),
        (w.boss, w.bob, w.west, 302),
    ):
        customer = Customer.objects.get(pk=w.mine.customer.pk)
        data = of_form(
            registry["customer"], name=customer.name, code=customer.code, type="company", status="active",
            version=str(customer.version), active="on", owner=owner.pk, owner_text=str(owner),
            department=department.pk, department_text=f"{department.code} {department.name}",
        )  # fmt: skip
        assert client_of(who).post(page, data).status_code == status, (who, owner, department)
    assert Customer.objects.get(pk=w.mine.customer.pk).owner == w.bob


def test_an_import_neither_changes_nor_takes_foreign_customers(w: SimpleNamespace) -> None:
    """S-03, S-05: through the page with "update"; the answer tells no more than that the code is taken."""
    rows = "code,name,owner\nFOR-1,Mine now,ann\nNEW-1,Gift,bob\nOWN-1,Renamed,ann\n"
    client = client_of(w.ann)
    sent = {"file": SimpleUploadedFile("c.csv", rows.encode()), "update": "on", "keep_empty": "on"}
    check = client.post("/crm/customers/import/", sent)
    assert check.status_code == 302
    shown = client.get(check["Location"]).content.decode()
    assert "This key is taken." in shown and "is not in your part of the company" in shown and CANARY not in shown
    client.post(check["Location"], {"step": "write", "partial": "1"})
    assert Customer.objects.get(code="FOR-1").name.startswith(CANARY)
    assert not Customer.objects.filter(code="NEW-1").exists()
    assert Customer.objects.get(code="OWN-1").name == "Renamed"
    assert client_of(w.bob).get(check["Location"]).status_code == 422  # the file is the uploader's own


def test_a_foreign_primary_key_in_an_import_is_no_way_in(w: SimpleNamespace) -> None:
    """Contacts of foreign customers are neither made nor changed."""
    rows = f"customer,name,phone\nFOR-1,{CANARY} Contact,666\nFOR-1,Spy,667\n"
    client = client_of(w.ann)
    check = client.post("/crm/contacts/import/", {"file": SimpleUploadedFile("c.csv", rows.encode()), "update": "on"})
    client.post(check["Location"], {"step": "write", "partial": "1"})
    assert not w.foreign.customer.contacts.filter(phone__startswith="66").exists()


def test_auditors_and_readers_change_nothing_by_any_page(w: SimpleNamespace) -> None:
    """The auditor reads everything; no form, command, note, file, follow-up, import or schedule is stored."""
    auditor = make.make_user("audit", "auditor")
    client = client_of(auditor)
    client.get("/")
    before, tried = whole_state(), 0
    file = {"files": SimpleUploadedFile("a.txt", b"text")}
    for resource in registry.values():
        row = theirs(w, resource.model)
        urls = [resource.url(page) for page in ("new", "import", "compute", "paste", "scan")]
        if row is not None and resource.queryset(auditor).filter(pk=row.pk).exists():
            urls += [resource.url_for(row, view) for view in ("edit", "delete")]
            urls += [resource.url_for(row, "do", name) for name in _commands(resource)]
            urls += [reverse(view, args=[resource.slug, resource.key_of(row)]) for view in ("attach", "comment")]
        for url in urls:
            answer = client.post(url, {**file, "text": "x", "reason": "x", "version": "1"})
            tried += 1
            assert answer.status_code in (302, 403, 404), (url, answer.status_code)
    client.post(reverse("log-followup", args=["FOR-1"]), {"text": "x", "channel": "note"})
    assert tried >= 100 and whole_state() == before


def _commands(resource: Any) -> set[str]:
    found = {command.name for command in resource.commands}
    return found | ({t.name for t in resource.states.transitions} if resource.states is not None else set())


def test_files_need_their_own_right(w: SimpleNamespace) -> None:
    """A role without it can write notes and follow-ups, and attaches nothing on any of the three ways."""
    group = Role.objects.get(code="sales").group
    group.permissions.remove(*group.permissions.filter(codename="add_attachment"))
    client, files = client_of(w.ann), Attachment.objects.count()
    for url in (
        reverse("attach", args=["customer", "OWN-1"]),
        reverse("comment", args=["customer", "OWN-1"]),
        reverse("log-followup", args=["OWN-1"]),
    ):
        client.post(url, {"text": "x", "channel": "note", "files": SimpleUploadedFile("a.txt", b"text")})
    assert Attachment.objects.count() == files and not Comment.objects.filter(owner=w.ann).exists()
    client.post(reverse("comment", args=["customer", "OWN-1"]), {"text": "x"})
    assert Comment.objects.filter(owner=w.ann).count() == 1


def test_a_note_or_follow_up_that_is_sent_twice_is_written_once(w: SimpleNamespace) -> None:
    """G-19: double click. Files come with it or not at all: one bad file refuses them all."""
    client, data = client_of(w.ann), {"text": "once", "channel": "call", "submit_id": str(w.mine.file.key)}
    for _ in range(2):
        client.post(reverse("comment", args=["customer", "OWN-1"]), data)
    data["submit_id"] = str(w.mine.job.key)
    for _ in range(2):
        client.post(reverse("log-followup", args=["OWN-1"]), data)
    assert Comment.objects.filter(text="once").count() == 1 == w.mine.customer.followups.filter(text="once").count()
    files = [SimpleUploadedFile("good.txt", b"text"), SimpleUploadedFile("bad.html", b"<p>")]
    before = Attachment.objects.count()
    client.post(reverse("log-followup", args=["OWN-1"]), {"text": "with files", "channel": "call", "files": files})
    assert Attachment.objects.count() == before
    assert not w.mine.customer.followups.filter(text="with files").exists()


def test_a_plan_shows_and_keeps_the_customers_its_editor_does_not_see(w: SimpleNamespace) -> None:
    """G-21: not named on the page or in the export, and not lost by saving the form."""
    plan = w.mine.plan
    MarketingPlan.objects.filter(pk=plan.pk).update(owner=w.mia, department=w.east)
    plan.customers.add(w.foreign.customer)
    client, page = client_of(w.mia), registry["marketingplan"]
    for url in (page.url_for(plan), page.url_for(plan, "edit"), f"{page.url('export')}?full=1&format=csv"):
        body = client.get(url).content.decode()
        assert WATCHED in body and CANARY not in body, url
    data = of_form(page, title="New title", channel="fair", date=str(make.today()), budget="0", cost="0",
                   owner=w.mia.pk, owner_text=str(w.mia))  # fmt: skip
    assert client.post(page.url_for(plan, "edit"), data).status_code == 302
    assert list(plan.customers.all()) == [w.foreign.customer]
    assert len(client_of(w.boss).get(f"{page.url('export')}?full=1&format=csv").content.splitlines()) == 4


def test_a_scope_without_a_department_sees_no_rows_without_one(w: SimpleNamespace) -> None:
    """G-21: "own department" of a person who has none is nothing, not everything that has none."""
    Role.objects.filter(code="sales").update(scope="department")
    nobody = make.make_user("loose", "sales")
    make.make_customer("Loose end", department=None, owner=w.boss)
    assert not Customer.objects.visible_to(nobody).exists()
    assert set(Customer.objects.visible_to(User.objects.get(pk=w.ann.pk))) == {w.mine.customer, w.nosys.customer}


# ---- people ----


def test_who_keeps_people_gives_no_roles(w: SimpleNamespace) -> None:
    """G-22: HR changes people, not rights: neither of itself, of others, nor through an administrator's account."""
    hr, admin = make.make_user("hr", "hr"), make.make_user("adm", "administrator")
    wanted = Role.objects.get(code="administrator").group_id
    client = client_of(hr)
    for person, status in ((hr, 302), (w.ann, 302), (admin, 302), (w.boss, 302)):
        before = set(person.groups.values_list("pk", flat=True))
        data = {"username": person.username, "email": "taken@example.com", "version": "1", "groups": [wanted]}
        data |= {"is_superuser": "on", "is_staff": "on", "is_active": "on", "password": "x"}
        assert client.post(f"/org/people/{person.username}/edit/", data).status_code == status
        after = User.objects.get(pk=person.pk)
        assert set(after.groups.values_list("pk", flat=True)) == before
        assert (after.is_staff, after.is_superuser) == (person.is_staff, person.is_superuser)
        changed = after.email == "taken@example.com"
        assert changed == (person in (hr, w.ann)), person
        User.objects.filter(pk=person.pk).update(email=person.email)
    data = {"username": "fresh", "groups": [wanted], "is_active": "on"}
    assert client.post("/org/people/new/", data).status_code == 302
    assert not User.objects.get(username="fresh").groups.exists()
    assert client.post(f"/org/people/{admin.username}/delete/").status_code == 403
    assert client_of(admin).post(f"/org/people/{hr.username}/edit/", {"username": "hr", "groups": [wanted], "version": "2",
                                                                    "is_active": "on"}).status_code == 302  # fmt: skip
    assert hr.groups.filter(pk=wanted).exists()


def test_departments_stay_a_tree_and_are_not_deleted_with_what_is_below(w: SimpleNamespace) -> None:
    """No circle by the form or by a file, alone or by two rows together; a department goes alone."""
    client = client_of(w.boss)
    form = {"code": "EAST", "name": "East", "parent": w.shop.pk, "parent_text": "SHOP Shop", "version": "1"}
    assert client.post("/org/departments/EAST/edit/", form).status_code == 422
    for rows in ("EAST,East,SHOP\n", "EAST,East,WEST\nWEST,West,EAST\n", "HQ,HQ,NEW\nNEW,New,SHOP\n"):
        file = SimpleUploadedFile("d.csv", f"code,name,parent\n{rows}".encode())
        check = client.post("/org/departments/import/", {"file": file, "update": "on"})
        client.post(check["Location"], {"step": "write", "partial": "1"})
        assert re.search("above itself|descendant of itself", client.get(check["Location"]).content.decode()), rows
    above = dict(Department.objects.values_list("code", "parent__code"))
    assert above | {"HQ": None, "EAST": "HQ", "SHOP": "EAST"} == above
    answer = client.post("/org/departments/HQ/delete/", follow=True)
    assert answer.redirect_chain == [("/org/departments/HQ/", 302)]
    assert "is in use and cannot be deleted" in answer.content.decode()
    assert Department.objects.filter(code="SHOP").exists()


def test_a_job_is_stopped_by_who_started_it(w: SimpleNamespace) -> None:
    """The page offers it; for others the job does not exist."""
    from oa.records.models import Job

    job = Job.objects.create(kind="import", title="long", owner=w.ann)
    url = reverse("job-cancel", args=[job.key])
    assert client_of(w.bob).post(url).status_code == 404 and client_of(w.ann).get(url).status_code == 405
    assert url in client_of(w.ann).get(reverse("job", args=[job.key])).content.decode()
    assert client_of(w.ann).post(url).status_code == 302
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_every_post_needs_its_token(w: SimpleNamespace) -> None:
    """S-18."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(w.boss, backend="oa.organisation.auth.NameOrMailBackend")
    for url in ("/crm/customers/new/", "/notifications/", "/ui/language/", "/logout/",
                reverse("comment", args=["customer", "OWN-1"]), reverse("log-followup", args=["OWN-1"])):  # fmt: skip
        assert client.post(url, {"text": "x", "name": "x"}).status_code == 403, url
