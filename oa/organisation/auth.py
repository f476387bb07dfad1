"""Log in by user name or mail address; permissions come from roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from kit.rules.prepared import Prepared
from oa.organisation.factors import factor_marks
from oa.organisation.models import CompanyProfile, Post
from oa.organisation.models.people import grants_of, widest
from oa.organisation.zones import learn_zone


def named(text: str) -> Any:
    """The user whose name or mail address `text` is, None for none; a name counts before an address."""
    rows = get_user_model()._default_manager.filter(Q(username=text) | Q(email__iexact=text))
    found = list(rows.order_by("pk")[:2])
    return next((user for user in found if user.username == text), found[0] if found else None)


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """Under which name failed log-ins are counted (django-axes): the account's, however it is written.

    Otherwise every spelling of the mail address in capitals and small letters would have attempts of its own (S-15).
    """
    text = str((credentials or {}).get("username") or request.POST.get("username") or "")
    user = named(text) if text else None
    return user.get_username() if user is not None else text.casefold()[:255]


def _with_marks(key: int) -> QuerySet[Any]:
    company = CompanyProfile.objects.filter(pk=1)
    of_company = {f"company_{name}": Subquery(company.values(name)) for name in ("time_zone", "name", "name_zh")}
    grants = ArraySubquery(grants_of(OuterRef("pk")))
    further = ArraySubquery(Post.objects.filter(user=OuterRef("pk")).order_by("pk").values("department"))
    more = {**of_company, "grants": grants, "further": further, **factor_marks()}
    return get_user_model()._default_manager.select_related("department").annotate(**more).filter(pk=key)


_person = Prepared(_with_marks, key=-7_310_001)


class NameOrMailBackend(ModelBackend):
    """Authenticates by user name or mail address; permissions are those of `User.granted`."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """The user whose name or mail is `username`, or None; equal work whether or not there is one."""
        if not username or password is None:
            return None
        model = get_user_model()
        user = named(username)
        if user is None:
            model().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None

    def get_user(self, user_id: int) -> Any:
        """The active user of a session; the same statement tells rights, departments, second factor and company."""
        user: Any = next(iter(_person.objects(key=int(user_id))), None)
        if user is None or not self.user_can_authenticate(user):
            return None
        user.granted, user.own_department_ids = widest(user.grants), user.departments_with(user.further)
        learn_zone(user.company_time_zone)
        return user

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Permissions from roles, from the query that also tells their scope."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        return set(user_obj.granted)
