"""A company with rows in every table, three times: of the person who asks, of a colleague, of another department.

The rows of one relation have the same keys in every table, so that one number fits every address of every section,
whether or not a test has ever heard of it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from kit.pages.resources import Resource, registry
from oa.organisation.models import Department, User
from oa.roles import SHIPPED
from tests import factories as make
from tests.living import living_rows

OURS = ("oa", "crm", "erp")
OWN, NEAR, OTHER = "own", "same department", "other department"
STARTS = {OWN: 7_310_001, NEAR: 7_320_001, OTHER: 7_330_001}
STEP = 10_000
NOBODYS = 7_399_999
ROLES = [role.code for role in SHIPPED]
STAFF = ("administrator", "auditor", "hr")  # who has something to do in the back office


@dataclass
class Company:
    """People of every shipped role and of none, all in one department, and rows in three relations to them."""

    people: dict[str, User] = field(default_factory=dict)
    rows: dict[tuple[str, str], Any] = field(default_factory=dict)  # (slug of a resource, relation) -> row
    owners: dict[str, User] = field(default_factory=dict)

    @property
    def boss(self) -> User:
        """Somebody who may do everything."""
        return self.people["administrator"]

    def row(self, resource: Resource, relation: str) -> Any:
        """The row of a resource in a relation; None where there is one row by nature."""
        return self.rows.get((resource.slug, relation))


def company() -> Company:
    """The company; as long as the transaction lasts."""
    c = Company()
    root = Department.objects.get(code="HQ")
    east = Department.objects.create(code="EAST", name="East", parent=root)
    west = Department.objects.create(code="WEST", name="West", parent=root)
    for code in ROLES:
        c.people[code] = make.make_user(f"sec-{code}", code, department=east, is_staff=code in STAFF, language="en")
    c.people["stranger"] = User.objects.create(username="sec-stranger", department=east, language="en")
    c.people["clerk"] = make.make_user("sec-clerk", "administrator", department=east, language="en")  # no staff
    c.owners = {
        OWN: make.make_user("own", "sales", department=east),
        NEAR: make.make_user("near", "sales", department=east),
        OTHER: make.make_user("other", "sales", department=west),
    }
    for relation, start in STARTS.items():
        _count_from(start)
        for resource in registry.values():
            made = living_rows(resource, 1)
            if made:
                c.rows[resource.slug, relation] = made[-1]
        owner = c.owners[relation]
        _give(relation, owner=owner.pk, department=owner.department_id)
    _count_from(NOBODYS + 1)
    return c


def tables() -> list[type[models.Model]]:
    """Every table of ours, those between two others among them."""
    return [
        model
        for app in OURS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]


def _count_from(start: int) -> None:
    with connection.cursor() as cursor:
        for model in tables():
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [model._meta.db_table, model._meta.pk.column])
            (sequence,) = cursor.fetchone()
            if sequence:
                cursor.execute(f"ALTER SEQUENCE {sequence} RESTART WITH {start}")


def _give(relation: str, **given: int | None) -> None:
    """Every row of a relation gets this owner or department, where its table has one and allows it."""
    start = STARTS[relation]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")  # posted documents keep their owner otherwise
        for model in tables():
            key = model._meta.pk
            if model in (Department, User) or not isinstance(key, models.AutoField):
                continue
            for column in (f for f in model._meta.concrete_fields if f.name in given and f.is_relation):
                statement = (
                    f"UPDATE {model._meta.db_table} SET {column.column} = %s WHERE {key.column} BETWEEN %s AND %s"
                )
                with suppress(IntegrityError), transaction.atomic():  # folders of the company have no owner
                    cursor.execute(statement, [given[column.name], start, start + STEP - 1])
        cursor.execute("SET LOCAL session_replication_role = origin")


def own_by(user: User) -> None:
    """The rows that are "own" belong to this person."""
    _give(OWN, owner=user.pk, department=user.department_id)
