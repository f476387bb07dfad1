"""What the pages of people, departments, positions and roles show below their fields, and what one can do there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from kit.pages.actions import Action, Command
from kit.pages.nav import Link, tree
from kit.pages.panels import ANY, Panel, actions, commands, panels
from kit.pages.resources import by_model, url_of
from oa.organisation.duties import held, held_keys
from oa.organisation.factors import RESETS, has_factor, reset_factor
from oa.organisation.lines import chain_of
from oa.organisation.models import DutyConflict, Role, User
from oa.organisation.moves import MOVES
from oa.organisation.people import outranks
from oa.organisation.words import areas, in_words

WHY = "oa.view_role"  # who sees what roles may do is told why somebody sees a record

tree.add("office", Link(gettext_lazy("Directory"), "directory", 5))


def _line(person: User, user: Any) -> dict[str, Any]:
    """The reporting line above a person."""
    return {"people": [(row, url_of(row)) for row in chain_of(person)]}


def _rights(role: Role, user: Any) -> dict[str, Any]:
    """What a role may do, in words; things of which it may do nothing are left out."""
    keys = set(role.group.permissions.values_list("pk", flat=True))
    listed = [(area.label, [(t.label, t.words(keys)) for t in area.things if t.words(keys)]) for area in areas()]
    return {"areas": [(label, things) for label, things in listed if things]}


def _duties(rule: DutyConflict, user: Any) -> dict[str, Any]:
    """Both duties in words, and who holds both now."""
    cases = [key for key in held_keys() if key[0] == rule.pk]
    return {
        "sides": [
            (_("One duty"), in_words(sorted(rule.first_set))),
            (_("Other duty"), in_words(sorted(rule.second_set))),
        ],
        "cases": [(case, url_of(case.person)) for case in held(cases)],
        "report": reverse("kit:report", args=["duty-conflicts"]),
    }


def _person_actions(person: User, user: Any) -> Sequence[Action]:
    """Transfer, leaving and return, for who moves people."""
    if not user.has_perm(MOVES) or not outranks(user, person):
        return []
    if not person.is_active:
        return [_move(person, "return", pgettext("person", "Return"), "user-check")]
    made = [_move(person, "transfer", pgettext("person", "Transfer"), "arrow-right-left")]
    if person.pk != user.pk:
        made.append(_move(person, "leaving", _("Leaving"), "user-x", danger=True, menu=True))
    return made


def _move(person: User, kind: str, label: str, icon: str, **more: Any) -> Action:
    url = reverse("move-person", args=[by_model[User].key_of(person), kind])
    return Action(label, url, icon=icon, name=kind, **more)


def _role_actions(role: Role, user: Any) -> Sequence[Action]:
    """A copy, for who makes roles."""
    if not user.has_perm("oa.add_role"):
        return []
    return [
        Action(_("Copy"), f"{by_model[Role].url('new')}?copy={quote(role.code)}", icon="copy", menu=True, name="copy")
    ]


def _why_action(obj: Any, user: Any) -> Sequence[Action]:
    """Why somebody sees this record or does not, for who sees roles."""
    url = url_of(obj) if user.has_perm(WHY) else ""
    if not url:
        return []
    return [Action(_("Who may see this?"), f"{reverse('why')}?page={quote(url)}", icon="eye", menu=True, name="why")]


actions["oa.user"].append(_person_actions)
commands["oa.user"].append(
    Command(
        "reset-second-factor", gettext_lazy("Reset second factor"), reset_factor, RESETS, when=has_factor,
        icon="shield-off", danger=True, menu=True,
        confirm=gettext_lazy("Only when you are sure who asks for it: by sight, or by a call to a number you know."),
    )
)  # fmt: skip
actions["oa.role"].append(_role_actions)
actions[ANY].append(_why_action)

panels["oa.user"] += [
    Panel("line", gettext_lazy("Reports to"), "side", template="oa/parts/line.html", context=_line, order=10),
    Panel(
        "posts", gettext_lazy("Further posts"), "main", "post", "user",
        permission="oa.view_post", create=True, order=20,
    ),
    Panel(
        "reports", gettext_lazy("People who report here"), "main", "user", "manager",
        permission="oa.view_user", order=30,
    ),
    Panel(
        "changes", gettext_lazy("Personnel changes"), "main", "personnelchange", "person",
        columns=("on", "kind", "department", "reason"), permission="oa.view_personnelchange", order=40,
    ),
]  # fmt: skip
_PERSON = ("name", "position", "phone")
panels["oa.department"] += [
    Panel(
        "people", gettext_lazy("People"), "main", "user", "department", _PERSON,
        permission="oa.view_user", filters=(("is_active", True),), order=10,
    ),
    Panel("further", gettext_lazy("Further posts"), "main", "post", "department", permission="oa.view_post", order=20),
    Panel(
        "below", gettext_lazy("Departments below"), "side", "department", "parent", ("name", "head"),
        permission="oa.view_department", create=True, order=30,
    ),
]  # fmt: skip
panels["oa.position"] += [
    Panel(
        "people", gettext_lazy("People"), "main", "user", "position", ("name", "department", "phone"),
        permission="oa.view_user", filters=(("is_active", True),), order=10,
    ),
    Panel("further", gettext_lazy("Further posts"), "main", "post", "position", permission="oa.view_post", order=20),
]  # fmt: skip
panels["oa.role"] += [
    Panel("rights", gettext_lazy("Rights"), "main", template="oa/parts/rights.html", context=_rights, order=5),
    Panel(
        "people",
        gettext_lazy("People"),
        "side",
        "user",
        "groups__role",
        ("name", "department"),
        permission="oa.view_user",
        order=10,
    ),
]
panels["oa.dutyconflict"].append(
    Panel("duties", gettext_lazy("Duties"), "main", template="oa/parts/duties.html", context=_duties, permission=WHY)
)
