"""Sessions in the database: who is logged in where, for how long, and how a session ends (threat S-16).

A session ends when nobody used it for `SESSION_IDLE_MINUTES`, and `SESSION_HOURS` after the login in any case. What
asks by itself every minute is no use of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from axes.helpers import get_client_ip_address
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from kit.rules.prepared import Prepared
from oa.organisation.models import LoginSession, User

BEGAN, SEEN, CONFIRMED, FACTOR = "began", "seen", "confirmed", "factor"  # moments, in seconds
ADDRESS, AGENT = "address", "agent"
TOUCH = 60  # seconds between two notes that a session is used
FRESH = 15 * 60  # how long a password or code counts as just entered

# Parts of what browsers say of themselves, the more special ones first.
_BROWSERS = (
    ("MicroMessenger", "WeChat"), ("DingTalk", "DingTalk"), ("Edg", "Edge"), ("OPR/", "Opera"),
    ("QQBrowser", "QQ Browser"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("HarmonyOS", "HarmonyOS"), ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"), ("Windows", "Windows"), ("Macintosh", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


class SessionStore(DatabaseStore):
    """Django's database sessions in a table that says whose they are."""

    @classmethod
    def get_model_class(cls) -> Any:
        """Our table."""
        return LoginSession

    def _get_session_from_db(self) -> Any:
        found = next(iter(_kept.objects(key=self.session_key, now=timezone.now())), None)
        if found is None:
            self._session_key = None
        return found

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row, with the columns that its person reads."""
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.address, row.agent = data.get(ADDRESS, ""), data.get(AGENT, "")
        row.began, row.seen = _moment(data.get(BEGAN)), _moment(data.get(SEEN))
        return row


def _living(key: str, now: dt.datetime) -> QuerySet[Any]:
    return LoginSession.objects.filter(session_key=key, expire_date__gt=now)


_kept = Prepared(_living, key="-7310001", now=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


def _moment(seconds: int | None) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None


@receiver(user_logged_in, dispatch_uid="oa.sessions")
def begin(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Every login, whichever way it came, stamps its session: without the stamps it counts as over."""
    now = int(timezone.now().timestamp())
    request.session.update({BEGAN: now, SEEN: now, CONFIRMED: now})
    request.session[ADDRESS] = str(get_client_ip_address(request) or "")[:45]
    request.session[AGENT] = request.headers.get("User-Agent", "")[:300]


def over(data: Any, now: float | None = None) -> bool:
    """Whether the session with this data has outlived a limit."""
    now = timezone.now().timestamp() if now is None else now
    idle, whole = settings.SESSION_IDLE_MINUTES * 60, settings.SESSION_COOKIE_AGE
    return now - data.get(SEEN, 0) > idle or now - data.get(BEGAN, 0) > whole


def touch(session: Any) -> None:
    """Note that the session is used, at most once a minute."""
    now = int(timezone.now().timestamp())
    if now - session.get(SEEN, 0) >= TOUCH:
        session[SEEN] = now


def is_fresh(session: Any) -> bool:
    """Whether the person proved not long ago that it is them."""
    return timezone.now().timestamp() - session.get(CONFIRMED, 0) <= FRESH


@dataclass(frozen=True)
class Shown:
    """A session as its person sees it."""

    handle: str  # stands for the key, which nobody reads
    device: str
    address: str
    began: dt.datetime
    seen: dt.datetime
    current: bool


def handle_of(key: str) -> str:
    """What stands for a session on a page; the key itself cannot be told from it."""
    return salted_hmac("oa.sessions", key, algorithm="sha256").hexdigest()[:32]


def sessions_of(user: Any, current: str | None) -> list[Shown]:
    """The sessions in which `user` is logged in now, this one first, then those used last."""
    shown = [
        Shown(handle_of(r.session_key), device(r.agent), r.address, r.began, r.seen, r.session_key == current)
        for r in _alive(user)
    ]
    return sorted(shown, key=lambda row: (not row.current, -row.seen.timestamp()))


def _alive(user: Any) -> Iterator[Any]:
    """Rows that would still be let in: not too old, and of the present password."""
    for row in user.sessions.filter(expire_date__gt=timezone.now()):
        data = row.get_decoded()
        if not over(data) and constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
            yield row


def end_session(user: Any, handle: str) -> bool:
    """End one session of `user`: from the next request on it is a stranger's."""
    keys = [key for key in user.sessions.values_list("pk", flat=True) if handle_of(key) == handle]
    return bool(user.sessions.filter(pk__in=keys).delete()[0])


def end_sessions(user: User, but: str | None = None) -> int:
    """End all sessions of `user`, or all others than `but`."""
    return user.sessions.exclude(pk=but or "").delete()[0]


def device(agent: str) -> str:
    """Browser and system in words."""
    browser = next((name for part, name in _BROWSERS if part in agent), "")
    system = next((name for part, name in _SYSTEMS if part in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown device")
