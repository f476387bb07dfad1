"""How people come in: their sessions, and the history of their second factors."""

from __future__ import annotations

from typing import Any

import pghistory
from allauth.mfa.models import Authenticator
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from oa.organisation.models.people import User


class LoginSession(AbstractBaseSession):
    """A session with what its person wants to know of it; all columns come from its data (oa.organisation.sessions)."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=300, blank=True)
    began = models.DateTimeField(null=True)
    seen = models.DateTimeField(null=True)

    class Meta(AbstractBaseSession.Meta):
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> Any:
        """The store that writes this table."""
        from oa.organisation.sessions import SessionStore

        return SessionStore


# Not what it holds: the secret is nobody's business, not that of history either.
_EVENTS: Any = (pghistory.InsertEvent("given"), pghistory.DeleteEvent("taken"))


@pghistory.track(*_EVENTS, obj_field=None, exclude=["data", "last_used_at"], model_name="SecondFactorHistory")
class SecondFactor(Authenticator):
    """An authenticator app or a set of recovery codes of a person, as django-allauth keeps it."""

    class Meta:
        proxy = True
        default_permissions = ()
