"""S-01, S-02, B4: every address, every shipped role and nobody, every relation of a row to the person.

Nothing is listed here: `test_a_leak_is_found` shows that a new page is covered, and one that forgets to ask is found.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from config import urls
from crm.customers.models import Customer
from kit.pages.resources import Resource, registry
from kit.rules.permissions import ALL, OWN
from oa.organisation.models import Department
from oa.roles import SHIPPED
from tests.security.addresses import PERSONAL, PUBLIC, addresses, handler403, handler404, unfilled
from tests.security.company import OTHER, ROLES, STARTS, Company, own_by
from tests.security.matrix import Finding, Matrix, seen

__all__ = ["handler403", "handler404"]  # a table of addresses needs them
pytestmark = [pytest.mark.slow]

SCOPES = {role.code: role.scope for role in SHIPPED}


@login_not_required
def forgets_login(request: HttpRequest) -> HttpResponse:
    """Nobody is asked who they are."""
    return HttpResponse("")


def forgets_right(request: HttpRequest) -> HttpResponse:
    """Whoever is logged in gets it."""
    return HttpResponse("")


def forgets_scope(request: HttpRequest, resource: Resource, key: str) -> HttpResponse:
    """Asks for the row, and not whether it is one of those that the person may see."""
    try:
        return HttpResponse(resource.model._default_manager.get(**resource.lookup(key)).pk)
    except resource.model.DoesNotExist:
        raise Http404 from None


def tells_apart(request: HttpRequest, resource: Resource, key: str) -> HttpResponse:
    """Refuses everybody, and says by the way whether there is such a row."""
    there = resource.model._default_manager.filter(**resource.lookup(key)).exists()
    return HttpResponse("not yours" if there else "not there", status=404)


def writes_first(request: HttpRequest, resource: Resource, key: str) -> HttpResponse:
    """Refuses, but has already written."""
    Department.objects.filter(code="HQ").update(name="Renamed")
    raise Http404


CUSTOMER: Any = {"resource": registry["customer"]}
LEAKY = [
    path("leaky/open/", forgets_login),
    path("leaky/page/", forgets_right),
    path("leaky/<str:key>/", partial(forgets_scope, **CUSTOMER), name="customer-record"),
    path("leaky/<str:key>/apart/", partial(tells_apart, **CUSTOMER), name="customer-print"),
    path("leaky/<str:key>/writes/", partial(writes_first, **CUSTOMER), name="customer-edit"),
    path("leaky/<str:planet>/", forgets_right),
]
urlpatterns: list[Any] = [*LEAKY, *urls.urlpatterns]


def test_every_address_can_be_filled_or_stands_on_the_reviewed_lists(c: Company) -> None:
    """S-01: what these tests cannot reach is a failure, and so is a line about a page that is gone."""
    found = addresses()
    assert list(unfilled(found)) == []
    assert PUBLIC.keys() | PERSONAL <= {address.route for address in found}
    assert len(found) > 1500


def test_only_reviewed_views_are_open_to_nobody(c: Company) -> None:
    """S-01: the mark that a view needs no login stands only on the views of the reviewed list."""
    routes = {a.route for a in addresses() if not getattr(a.view, "login_required", True)}
    own = {route for route in routes if not route.startswith("backoffice/")}
    assert own <= PUBLIC.keys()


@pytest.mark.parametrize("who", ["nobody", "stranger", "clerk", *ROLES])
def test_what_is_not_allowed_is_refused_and_what_is_foreign_is_not_there(who: str, c: Company, quick: None) -> None:
    """S-01, S-02: to the login, 403 or 404; a foreign record answers to the letter as one that nobody has."""
    if who in c.people:
        own_by(c.people[who])
    matrix = Matrix(c, who)
    assert list(matrix.findings(addresses())) == []
    assert matrix.cells > (50 if who == "administrator" else 500), matrix.cells


def test_the_scope_of_a_role_is_what_it_says(c: Company) -> None:
    """G-21: own rows, those of the department, all: told from owner and department alone."""
    checked = 0
    for resource in registry.values():
        if getattr(resource.model._default_manager.all(), "scope_paths", ()) != ("",):
            continue
        for code in ROLES:
            user = c.people[code]
            if not user.has_perm(f"{resource.meta.app_label}.view_{resource.meta.model_name}"):
                continue
            own_by(user)
            for relation in STARTS:
                row = c.row(resource, relation)
                narrow = relation == OTHER if SCOPES[code] != OWN else relation != "own"
                assert seen(user, resource, row) is (SCOPES[code] == ALL or not narrow), (resource.slug, code, relation)
                checked += 1
    assert checked > 50


def test_a_leak_is_found(c: Company, settings: Any) -> None:
    """Negative control: six pages that forget something, named nowhere but in the table of addresses."""
    settings.ROOT_URLCONF = __name__
    found = [a for a in addresses(__name__) if a.route.startswith("leaky/")]
    assert list(unfilled(found)) == ["leaky/<str:planet>/"]
    known = [a for a in found if "planet" not in a.route]
    assert _what(Matrix(c, "nobody").findings(known)) == {("/leaky/open/", "answers 200 ")}
    assert ("/leaky/page/", "answers 200 ") in _what(Matrix(c, "stranger").findings(known))
    own_by(c.people["sales"])
    told = _what(Matrix(c, "sales").findings(known))
    code = Customer.objects.get(pk=c.row(registry["customer"], OTHER).pk).code
    assert (f"/leaky/{code}/", "answers 200") in told
    assert any(url == f"/leaky/{code}/apart/" and what.startswith("differs") for url, what in told)
    assert (f"/leaky/{code}/writes/", "writes ['oa_department']") in told


def _what(findings: Any) -> set[tuple[str, str]]:
    return {(f.url, f.what) for f in findings if isinstance(f, Finding)}
