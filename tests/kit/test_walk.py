"""One walk over every resource, transition and report: a new one is covered without a new line here.

Rules: DESIGN section 2 and 4, G-21 (the same scope everywhere), S-01, S-02, S-04, UX section 9.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kit.exchange import importing, reports
from kit.exchange.importing import Options
from kit.exchange.importing_records import RecordImporter
from kit.exchange.reading import read_table
from kit.pages.resources import Resource, registry
from kit.rules.states import command_permission
from oa.organisation.models import Department, Role, User
from tests.erp.living import live
from tests.living import living_rows

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

SLUGS = sorted(registry)
ROLES = (
    "administrator",
    "sales",
    "sales-manager",
    "warehouse",
    "purchasing",
    "accountant",
    "chief-accountant",
    "hr",
    "auditor",
)
BUDGET = 14  # statements of a list page: session, user, rights, shell, rows, count, totals, choices of filters


@pytest.fixture
def people(db: Any) -> dict[str, User]:
    """One person of every shipped role, in a department of their own, and one without any role."""
    made = {}
    for code in (*ROLES, "stranger"):
        department = Department.objects.create(code=f"D-{code}", name=code)
        made[code] = User.objects.create(username=f"walk-{code}", name=code.title(), department=department)
        role = Role.objects.filter(code=code).first()
        if role is not None:
            made[code].groups.add(role.group)
    return made


def client_of(user: User) -> Client:
    """A logged-in browser without cookies of others."""
    client = Client()
    client.force_login(user, backend="oa.organisation.auth.NameOrMailBackend")
    return client


@pytest.mark.parametrize("slug", SLUGS)
def test_pages_open_for_each_role_as_its_rights_say(slug: str, people: dict[str, User]) -> None:
    """S-01: list, search, new form and export open with the right; tests/security asks without."""
    resource = registry[slug]
    living_rows(resource, 1)
    for code, user in people.items():
        client = client_of(user)
        urls = [f"{resource.url()}?q=a&sort=-id", f"{resource.url('export')}?format=csv"]
        urls += [resource.url(), resource.url("export")] if code == "administrator" else []
        urls = urls if resource.may(user, "view") else []
        urls += [resource.url("new")] if resource.fields and resource.may(user, "add") else []
        assert [(url, status) for url in urls if (status := client.get(url).status_code) != 200] == [], code


@pytest.mark.parametrize("slug", SLUGS)
def test_record_pages_open_for_whoever_sees_them(slug: str, people: dict[str, User]) -> None:
    """S-02: a record of one's scope opens; tests/security asks for those that are not."""
    resource = registry[slug]
    rows = living_rows(resource, 2)
    if not rows:
        pytest.fail(f"no example rows for {slug}: add them to tests/living.py")
    for code, user in people.items():
        seen = set(resource.queryset(user).values_list("pk", flat=True)) if resource.may(user, "view") else ()
        for row in rows:
            assert row.pk not in seen or client_of(user).get(resource.url_for(row)).status_code == 200, (code, row)


def test_strangers_see_nothing_without_login() -> None:
    """S-01: every page of every resource leads a stranger to the login."""
    client = Client()
    for resource in registry.values():
        for view in ("list", "new", "export", "import"):
            answer = client.get(resource.url(view))
            assert answer.status_code == 302 and answer["Location"].startswith("/login/"), resource.slug


@pytest.mark.parametrize("slug", SLUGS)
def test_lists_need_as_many_statements_for_fifty_rows_as_for_five(slug: str, people: dict[str, User]) -> None:
    """UX section 9: no statement per row, in the list and in the export."""
    resource = registry[slug]
    if not living_rows(resource, 5, many=True):
        pytest.skip("one row by nature")
    admin = people["administrator"]
    few = _statements(admin, resource)
    living_rows(resource, 45, many=True)
    many = _statements(admin, resource)
    # The count is a statement of its own only when there is a second page.
    assert many[0] - few[0] <= 1, "list"
    assert many[1] == few[1], "export"
    assert many[0] <= BUDGET + sum(1 for c in resource.filters)


def _statements(user: User, resource: Resource) -> tuple[int, int]:
    client = client_of(user)
    counts = []
    for url in (f"{resource.url()}?size=50", f"{resource.url('export')}?format=csv"):
        client.get(url)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200
        counts.append(len(queries))
    return counts[0], counts[1]


@pytest.mark.parametrize("slug", [s for s in SLUGS if registry[s].states is not None])
def test_every_transition_is_offered_only_with_its_right(slug: str, people: dict[str, User]) -> None:
    """Every transition has a command, needs its permission, and is refused by URL to whoever lacks it (S-06)."""
    resource = registry[slug]
    rows = living_rows(resource, 1)
    states = resource.states
    assert states is not None
    for code, user in people.items():
        offered = {c.name for row in rows for c in resource.commands_for(row, user)}
        for transition in states.transitions:
            if not transition.internal and not user.has_perm(command_permission(resource.model, transition)):
                assert transition.name not in offered, (code, transition.name)
                for row in rows:
                    if resource.queryset(user).filter(pk=row.pk).exists():
                        answer = client_of(user).post(resource.url_for(row, "do", transition.name))
                        before = row.state
                        row.refresh_from_db()
                        assert answer.status_code in (302, 403) and row.state == before, (code, transition.name)


def test_every_command_that_asks_first_opens_as_a_page_and_as_a_dialog(people: dict[str, User]) -> None:
    """UX 5.9: a reason or a date is asked for with and without JavaScript; an empty answer says what is missing."""
    live()
    client, asked = client_of(people["administrator"]), set()
    for resource in registry.values():
        for row in resource.queryset(people["administrator"]).order_by("-pk")[:40]:
            for command in resource.commands_for(row, people["administrator"]):
                if not command.fields or (resource.slug, command.name) in asked:
                    continue
                asked.add((resource.slug, command.name))
                url = resource.url_for(row, "do", command.name)
                for headers in ({}, {"HX-Request": "true", "HX-Target": "dialog"}):
                    assert client.get(url, headers=headers).status_code == 200, url
                    empty = client.post(url, dict.fromkeys(command.fields, ""), headers=headers)
                    assert empty.status_code == 422 and empty.context["form"].errors, url
    assert {("invoice", "reverse"), ("salesorder", "close")} <= asked


@pytest.mark.parametrize("name", sorted(r.name for r in reports._reports.values()))
def test_reports_run_for_each_role_as_its_rights_say(name: str, people: dict[str, User]) -> None:
    """Every report opens as page, CSV and JSON for whoever may, and is refused to others."""
    report = reports.get(name)
    for code, user in people.items():
        client = client_of(user)
        answer = client.get(f"/reports/{name}/")
        if not report.allowed(user):
            assert answer.status_code == 403, code
            continue
        assert answer.status_code in (200, 422), code
        for kind in ("csv", "json") if answer.status_code == 200 else ():
            assert client.get(f"/reports/{name}/?format={kind}").status_code == 200, (code, kind)


def test_reports_of_a_living_company_open_in_every_format(people: dict[str, User]) -> None:
    """Rows, totals, links and charts of every report, with documents behind them."""
    live()
    client = client_of(people["administrator"])
    for report in reports.all_for(people["administrator"]):
        url = f"/reports/{report.name}/?date_from=2020-01-01"
        answer = client.get(url)
        if answer.status_code == 422:  # a parameter without a default: the product of a stock card
            continue
        assert answer.status_code == 200, report.name
        for kind in ("csv", "xlsx", "json", "pdf"):
            assert client.get(f"{url}&format={kind}").status_code == 200, (report.name, kind)


@pytest.mark.parametrize("slug", [s for s in SLUGS if registry[s].importable and registry[s].fields])
def test_a_resource_imports_its_own_export_unchanged(slug: str, people: dict[str, User]) -> None:
    """T-03: what a resource exports comes back as "unchanged" and writes nothing."""
    resource = registry[slug]
    if not living_rows(resource, 3):
        pytest.skip("one row by nature")
    admin = people["administrator"]
    importer = importing.registered_for(slug) or RecordImporter(resource=slug)
    before = resource.model._default_manager.count()
    for kind in ("csv", "xlsx"):
        content = client_of(admin).get(f"{resource.url('export')}?full=1&format={kind}").content
        report = importing.run(importer, read_table(content, f"{slug}.{kind}"), by=admin, options=Options(update=True))
        assert report.errors == [] and (report.new, report.updated, report.unchanged) == (0, 0, before), kind
    assert resource.model._default_manager.count() == before
