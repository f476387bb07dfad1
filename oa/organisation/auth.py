"""Log in by user name or mail address; permissions come from roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db.models import Q
from django.http import HttpRequest


class NameOrMailBackend(ModelBackend):
    """Authenticates by user name or mail address and answers permissions from `User.granted`."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """The user whose name or mail is `username`, or None; equal work whether or not there is one."""
        if not username or password is None:
            return None
        model = get_user_model()
        user = model._default_manager.filter(Q(username=username) | Q(email__iexact=username)).first()
        if user is None:
            model().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Permissions from roles, from the query that also tells their scope."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        return set(user_obj.granted)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether a role grants `perm`; rights are given by roles only, never to a single user."""
        return user_obj.is_active and obj is None and perm in self.get_group_permissions(user_obj)
