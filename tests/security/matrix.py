"""The matrix: every address, every role and nobody, every relation of a row to the person, reading and writing.

What must be refused is asked for; what is allowed is opened by other tests (test_walk, test_hostile_rows).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kit.pages.resources import Resource, import_rights
from oa.organisation.models import User
from tests.oa.crawling import without_keys
from tests.security.addresses import NOBODYS_ID, PERSONAL, PUBLIC, Address, identifiers, keys_of
from tests.security.asking import Answer, Asking
from tests.security.company import NOBODYS, OTHER, STARTS, Company

VERBS = ("get", "post")
IN_BACK_OFFICE = ("clerk", "auditor", "hr")  # every right and no staff; staff who only read; staff with some rights
LINES = ("add", "change")
RIGHTS = {"new": ("add",), "edit": ("change",), "delete": ("delete",)} | dict.fromkeys(
    ("compute", "paste", "scan", "choose"), LINES
)


@dataclass(frozen=True)
class Finding:
    """A cell of the matrix that is not as it must be."""

    who: str
    verb: str
    url: str
    what: str


def right(user: User, resource: Resource, page: str) -> bool:
    """Whether a person has the right to a page of a resource, by the plain permissions of their roles."""
    label = resource.meta.app_label
    if page == "import":
        return user.has_perms(import_rights.get(resource.slug) or [f"{label}.add_{resource.meta.model_name}"])
    actions = RIGHTS.get(page, ("view",))
    return any(user.has_perm(f"{label}.{action}_{resource.meta.model_name}") for action in actions)


def seen(user: User, resource: Resource, row: Any) -> bool:
    """Whether a row is one of those that a person may see."""
    return bool(resource.queryset(user).filter(pk=row.pk).exists())


@dataclass
class Matrix:
    """What one person is refused."""

    company: Company
    who: str
    cells: int = 0

    def __post_init__(self) -> None:
        self.user = self.company.people.get(self.who)
        self.asking = Asking(self.user)
        self.nothing: dict[tuple[str, str], str] = {}

    def findings(self, found: list[Address]) -> Iterator[Finding]:
        """Everything that is answered otherwise than it must be."""
        for address in found:
            if self.user is None:
                yield from self._nobody(address)
            elif address.admin is not None or address.route.startswith("backoffice/"):
                yield from self._back_office(address)
            elif address.resource is not None:
                yield from self._of_resource(address, address.resource)
            else:
                yield from self._own_view(address)

    def _ask(self, verb: str, url: str, **headers: str) -> Answer:
        self.cells += 1
        return self.asking.ask(verb, url, undone=verb == "post", **headers)  # reading that wrote is a finding

    def _finding(self, verb: str, url: str, what: str) -> Finding:
        return Finding(self.who, verb, url, what)

    def _refused(self, verb: str, url: str, **headers: str) -> Iterator[Finding]:
        """It is refused, and nothing was written."""
        answer = self._ask(verb, url, **headers)
        if not answer.denied:
            yield self._finding(verb, url, f"answers {answer.status} {answer.where}")
        if answer.wrote:
            yield self._finding(verb, url, f"writes {sorted(answer.wrote)}")

    def _alike(self, verb: str, url: str, nowhere: str) -> Iterator[Finding]:
        """It is refused to the letter as what does not exist, and nothing was written."""
        if (verb, nowhere) not in self.nothing:
            answer = self._ask(verb, nowhere)
            self.nothing[verb, nowhere] = answer.text.replace(nowhere, "?")
        answer = self._ask(verb, url)
        if answer.status != 302 and not answer.denied:
            yield self._finding(verb, url, f"answers {answer.status}")
        if without_keys(answer.text.replace(url, "?")) != without_keys(self.nothing[verb, nowhere]):
            yield self._finding(verb, url, f"differs: {answer.text[:90]} / {self.nothing[verb, nowhere][:90]}")
        if answer.wrote:
            yield self._finding(verb, url, f"writes {sorted(answer.wrote)}")

    def _nobody(self, address: Address) -> Iterator[Finding]:
        if address.route in PUBLIC:
            return
        url = address.filled(str(NOBODYS), NOBODYS_ID)[0]
        yield from self._refused("get", url)
        yield from self._refused("post", url, hx_request="true")  # the short form of the same answer

    def _back_office(self, address: Address) -> Iterator[Finding]:
        user: Any = self.user
        if (
            address.route in PUBLIC
            or address.route in PERSONAL
            or (user.is_staff and (address.admin is None or self._admin_right(address)))
        ):
            return
        if self.who not in IN_BACK_OFFICE and not (address.pattern.name or "").endswith("changelist"):
            return
        for verb in VERBS if self.who in IN_BACK_OFFICE else VERBS[:1]:
            yield from self._refused(verb, address.filled(str(STARTS[OTHER]), NOBODYS_ID)[0])

    def _admin_right(self, address: Address) -> bool:
        user: Any = self.user
        meta = address.admin.model._meta
        action = {"add": "add", "delete": "delete"}.get((address.pattern.name or "").rpartition("_")[2], "view")
        label, name = ("oa", "role") if meta.label_lower == "auth.group" else (meta.app_label, meta.model_name)
        return bool(user.has_perm(f"{label}.{action}_{name}"))

    def _of_resource(self, address: Address, resource: Resource) -> Iterator[Finding]:
        user: Any = self.user
        allowed = right(user, resource, address.page)
        if not address.keyed:
            if not allowed:
                for verb in VERBS:
                    yield from self._refused(verb, address.filled("", "")[0])
            return
        for relation in STARTS:
            row = self.company.row(resource, relation)
            if row is None:
                continue
            visible = right(user, resource, "record") and seen(user, resource, row)
            key, missing = keys_of(self.company, address, relation)
            pairs = list(zip(address.filled(key, ""), address.filled(missing, ""), strict=True))
            # A word beside the key is tried in full for the row that matters most.
            for url, nowhere in pairs if relation == OTHER and right(user, resource, "record") else pairs[:1]:
                for verb in VERBS:
                    if not visible:
                        yield from self._alike(verb, url, nowhere)
                    elif not allowed:
                        yield from self._refused(verb, url)
            if not allowed and not visible:
                break  # without the right at all every row is the same to the program

    def _own_view(self, address: Address) -> Iterator[Finding]:
        """Pages that are nobody's resource: who has no role at all gets nothing of them but what is personal."""
        if self.who != "stranger" or address.route in PUBLIC or address.route in PERSONAL:
            return
        if not address.keyed:
            for url in address.filled("", ""):
                yield from self._refused("get", url)
            return
        uses_id = any(kind == "UUIDConverter" for _name, kind in address.arguments)
        for relation, start in list(STARTS.items())[1:]:  # one's own things need no right
            for uid in (identifiers(relation) if relation == OTHER else []) if uses_id else [""]:
                pairs = zip(address.filled(f"~{start}", uid), address.filled(f"~{NOBODYS}", NOBODYS_ID), strict=True)
                for url, nowhere in pairs:
                    for verb in VERBS:
                        yield from self._alike(verb, url, nowhere)
