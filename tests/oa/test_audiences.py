"""Who is addressed by an audience, and who may address whom (rule N-01)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from kit.values.errors import BusinessError
from oa.organisation.models import Department, Position, Post, Role, User
from oa.records.audiences import check_audience, describe, resolve
from tests import factories as make
from tests.oa.announcing import written

pytestmark = pytest.mark.django_db


@pytest.fixture
def c() -> SimpleNamespace:
    """A company of two houses: east with a shop below it, and west."""
    c = SimpleNamespace(boss=make.make_user("boss"))
    root = Department.objects.get(code="HQ")
    c.east = Department.objects.create(code="EAST", name="East", parent=root)
    c.shop = Department.objects.create(code="SHOP", name="Shop", parent=c.east)
    c.west = Department.objects.create(code="WEST", name="West", parent=root)
    c.clerk, c.smith = (Position.objects.create(code=n, name=n.title()) for n in ("clerk", "smith"))
    c.eva = make.make_user("eva", "sales-manager", department=c.east, position=c.clerk)
    c.sam = make.make_user("sam", "sales", department=c.shop, position=c.smith)
    c.wim = make.make_user("wim", "warehouse", department=c.west)
    c.pia = make.make_user("pia", "purchasing", department=c.west)
    Post.objects.create(user=c.pia, department=c.shop, position=c.smith)
    c.gone = make.make_user("gone", "sales", department=c.shop, position=c.smith, is_active=False)
    return c


def names(c: SimpleNamespace, **audience: Any) -> set[str]:
    return set(resolve(written(c.boss, **audience)).values_list("username", flat=True)) - {"boss"}


def test_everyone_departments_positions_roles_and_people(c: SimpleNamespace) -> None:
    """N-01: departments with all below, posts beside the main one, roles, names; active people only."""
    assert names(c, to_everyone=True) == {"eva", "sam", "wim", "pia"}
    assert names(c, to_departments=[c.east]) == {"eva", "sam", "pia"}
    assert names(c, to_departments=[c.west]) == {"wim", "pia"}
    assert names(c, to_positions=[c.smith]) == {"sam", "pia"}
    assert names(c, to_roles=[Role.objects.get(code="sales")]) == {"sam"}
    assert names(c, to_people=[c.wim, c.gone]) == {"wim"}
    assert names(c, to_positions=[c.clerk], to_people=[c.wim], to_departments=[c.shop]) == {"eva", "wim", "sam", "pia"}
    assert names(c) == set()


def test_exclusions_win_whichever_way_a_person_is_meant(c: SimpleNamespace) -> None:
    """N-01: minus people, and minus departments with all below, counted by the main post."""
    assert names(c, to_everyone=True, except_people=[c.wim]) == {"eva", "sam", "pia"}
    assert names(c, to_everyone=True, except_departments=[c.east]) == {"wim", "pia"}
    assert names(c, to_people=[c.sam], to_departments=[c.east], except_departments=[c.shop]) == {"eva", "pia"}
    assert names(c, to_people=[c.sam], except_people=[c.sam]) == set()


def test_who_may_not_read_announcements_is_no_recipient(c: SimpleNamespace) -> None:
    """G-21: no title is told to people whose roles do not let them read announcements, whoever names them."""
    Group.objects.get(role__code="warehouse").permissions.remove(Permission.objects.get(codename="view_announcement"))
    make.make_user("robot", "none-of-these")
    assert names(c, to_everyone=True, to_people=[c.wim]) == {"eva", "sam", "pia"}


def test_an_audience_is_resolved_in_one_statement(c: SimpleNamespace) -> None:
    """N-01: however large it is."""
    row = written(c.boss, to_departments=[c.east], to_positions=[c.smith], except_people=[c.eva])
    for more in (0, 300):
        User.objects.bulk_create(
            User(username=f"x{more}{n}", department=c.shop, is_superuser=True) for n in range(more)
        )
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = list(resolve(row))
        assert (len(found), len(queries)) == (2 + more, 1)


def test_an_audience_in_words(c: SimpleNamespace) -> None:
    row = written(c.boss, to_departments=[c.east], to_people=[c.wim], except_people=[c.sam])
    assert describe(row) == "East and below, Wim, but not Sam"
    assert describe(written(c.boss, to_everyone=True)) == "everyone"
    assert describe(written(c.boss)) == "nobody"


def test_only_with_the_right_one_addresses_beyond_the_own_departments(c: SimpleNamespace) -> None:
    """N-01: others address departments at or below their own posts, and people with a post there."""
    sales = Role.objects.get(code="sales")
    for by in (c.eva, c.boss, None):
        check_audience({"to_departments": [c.east, c.shop], "to_people": [c.sam, c.pia]}, by=by)
    refused: dict[str, dict[str, Any]] = {
        "to_everyone": {"to_everyone": True},
        "to_departments": {"to_departments": [c.west]},
        "to_positions": {"to_positions": [c.smith]},
        "to_roles": {"to_roles": [sales]},
        "to_people": {"to_people": [c.sam, c.wim]},
    }
    for field, chosen in refused.items():
        check_audience(chosen, by=c.boss)
        with pytest.raises(BusinessError) as caught:
            check_audience(chosen, by=c.eva)
        assert [problem.field for problem in caught.value] == [field]
    c.eva.groups.add(Group.objects.get(role__code="hr"))
    check_audience({"to_everyone": True}, by=User.objects.get(pk=c.eva.pk))


@pytest.mark.parametrize("chosen", [{}, {"except_people": [1]}, {"to_everyone": False, "to_people": []}])
def test_somebody_has_to_be_addressed(chosen: dict[str, Any]) -> None:
    with pytest.raises(BusinessError, match="Choose for whom"):
        check_audience(chosen, by=None)


def test_what_an_audience_names_is_not_deleted(c: SimpleNamespace) -> None:
    """An exclusion that vanished would reach too many; the draft itself takes its audience along."""
    empty = Department.objects.create(code="EMPTY", name="Empty")
    row = written(c.boss, to_everyone=True, except_departments=[empty])
    with pytest.raises(ProtectedError):
        empty.delete()
    row.delete()
    empty.delete()
