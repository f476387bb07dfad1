"""Company, departments and the people who log in."""

from __future__ import annotations

import datetime as dt

import pghistory
from django.contrib.auth.models import Group

from erp.setup.demo.names import COMPANY, DEPARTMENTS, PEOPLE, POSITIONS
from erp.setup.demo.world import World
from kit.rules.permissions import ALL
from oa.organisation.models import CompanyProfile, Department, Position, User

MAIL_DOMAIN = "@huachen.example"
PASSWORD = "demo"  # noqa: S105 - of a company that does not exist; refused on production settings


def make_people(world: World) -> None:
    """The company's name, its tree of departments, and one person for every shipped role."""
    departments = {row.code: row for row in Department.objects.all()}
    root = departments.get("HQ") or Department.objects.create(code="HQ", name="Headquarters 总部")
    departments["HQ"] = root
    for code, name, above in DEPARTMENTS:
        departments[code] = Department.objects.create(code=code, name=name, parent=departments[above])
    positions = {code: Position.objects.create(code=code, name=name) for code, name in POSITIONS}
    groups = {group.role.code: group for group in Group.objects.select_related("role").filter(role__isnull=False)}
    for number, person in enumerate(PEOPLE):
        user = User(
            joined_on=world.start - dt.timedelta(days=290 * (len(PEOPLE) - number)),
            username=person.username, name=person.name, email=person.username + MAIL_DOMAIN,
            department=departments[person.department], position=positions[person.position],
            is_staff=person.role == "administrator", phone=f"138 1200 {world.dice.randint(1000, 9999)}",
        )  # fmt: skip
        user.set_password(PASSWORD)  # directly: the rules for passwords would refuse it
        user.save()
        world.people[person.username] = user
    with pghistory.context(user=world.people["admin"].pk):
        for person in PEOPLE:
            head = world.people[person.username]
            head.groups.add(groups[person.role])
            if person.heads:
                Department.objects.filter(pk=departments[person.heads].pk).update(head=head)
        company = CompanyProfile.current()
        for name, value in COMPANY.items():
            setattr(company, name, value)
        company.save()
    world.people["warehouse"].granted["erp.backdate_stockmove"] = ALL  # while the year is told, each day in its turn
