"""The outbox: mails are intended once, and sent under a lease until they are gone (invariant I-38).

A mail is a row before it is a message. A sender takes one row at a time, marks it and commits, sends, marks
it again. When the sender dies in between, the lease runs out and somebody else sends the mail: perhaps a
second time, but with the same Message-ID, by which mail programs know a repetition.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.utils import format_datetime
from typing import Any

from celery import signature
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import KombuError

from oa.reporting.models import MailState, OutboxMail

LEASE = dt.timedelta(minutes=2)  # longer than the time limit of the mail server connection
ATTEMPTS = 5
PAUSES = (1, 2, 4, 8)  # minutes before the second, third, … attempt
BUDGET = 240  # seconds that one call may spend
TASK = "oa.reporting.send_mails"

logger = logging.getLogger(__name__)

# Why a mail may not be read by its recipient any more, empty for what goes out: rights count when it is sent.
refusals: list[Callable[[OutboxMail], str]] = []


@dataclass(frozen=True)
class MailFile:
    """An attachment; with `cid` a picture that the HTML part shows as `cid:…`."""

    name: str
    content: bytes
    cid: str = ""


@dataclass(frozen=True)
class OutgoingMail:
    """What to send to whom; `key` is what makes the mail unique."""

    key: str
    user: Any
    subject: str
    text: str
    html: str = ""
    files: list[MailFile] = field(default_factory=list)


def known(key: str) -> bool:
    """Whether the mail `key` is intended already."""
    return OutboxMail.objects.filter(dedupe=key).exists()


def store_mail(mail: OutgoingMail) -> bool:
    """Intend a mail, once: the files first, under names that a repetition overwrites. False: it was known."""
    files = [_store_file(mail.key, file) for file in mail.files]
    identifier = uuid.uuid4()
    row = OutboxMail(
        dedupe=mail.key, key=identifier, message_id=f"<{identifier.hex}@{_domain()}>", user=mail.user,
        to=mail.user.email, subject=" ".join(mail.subject.split())[:300], text=mail.text, html=mail.html, files=files,
    )  # fmt: skip
    made = OutboxMail.objects.bulk_create([row], ignore_conflicts=True)
    return OutboxMail.objects.filter(key=made[0].key).exists()


def kick() -> None:
    """Ask a worker to send what is due once this transaction is committed; without a broker the timer does."""
    transaction.on_commit(_ask, robust=True)


def _ask() -> None:
    try:
        signature(TASK).apply_async()
    except (KombuError, OSError) as error:
        logger.warning("mails wait for the broker: %s", error)


def _store_file(key: str, file: MailFile) -> dict[str, str]:
    folder = hashlib.sha256(key.encode()).hexdigest()[:32]
    path = f"mail/{folder[:2]}/{folder}/{file.name}"
    if default_storage.exists(path):
        default_storage.delete(path)
    stored = default_storage.save(path, ContentFile(file.content))
    return {"name": file.name, "path": stored, "cid": file.cid}


def _domain() -> str:
    """What stands behind the @ of our Message-IDs: the domain we send from."""
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"


def send_mails(limit: int = 1000) -> int:
    """Send what is due, one mail after the other; returns how many went out.

    Any number of senders may run at once: each takes rows that nobody else holds.
    """
    _give_up()
    end, sent, tried = time.monotonic() + BUDGET, 0, 0
    while tried < limit and time.monotonic() < end and (mail := take_mail()) is not None:
        tried += 1
        sent += _send(mail)
    return sent


def _due(now: dt.datetime) -> Q:
    waiting = Q(state=MailState.PENDING) & (Q(lease_until=None) | Q(lease_until__lte=now))
    return waiting | Q(state=MailState.SENDING, lease_until__lt=now)


def _give_up() -> None:
    """Mails whose last sender died as well."""
    now = timezone.now()
    dead = OutboxMail.objects.filter(state=MailState.SENDING, lease_until__lt=now, attempts__gte=ATTEMPTS)
    for key in list(dead.values_list("pk", flat=True)):
        logger.error("mail %s was given up after %s attempts", key, ATTEMPTS)
    dead.update(
        state=MailState.FAILED, lease_until=None, error=_("The sender stopped %s times while sending.") % ATTEMPTS
    )


def take_mail() -> OutboxMail | None:
    """The next mail that is due, marked as ours; committed before anything is sent."""
    now = timezone.now()
    with transaction.atomic():
        rows = OutboxMail.objects.filter(_due(now), attempts__lt=ATTEMPTS).select_related("user").order_by("pk")
        mail = rows.select_for_update(skip_locked=True, of=("self",)).first()
        if mail is None:
            return None
        mail.state, mail.lease_until, mail.attempts = MailState.SENDING, now + LEASE, mail.attempts + 1
        mail.save(update_fields=["state", "lease_until", "attempts"])
    return mail


def _send(mail: OutboxMail) -> bool:
    """Send a mail we hold and note how it went; a lease that ran out meanwhile belongs to somebody else."""
    ours = OutboxMail.objects.filter(pk=mail.pk, state=MailState.SENDING, attempts=mail.attempts)
    if why := _unwanted(mail):
        logger.warning("mail %s was not sent: %s", mail.pk, why)
        ours.update(state=MailState.FAILED, lease_until=None, error=why)
        return False
    try:
        message(mail).send()
    except Exception as error:
        # Whatever stands in the way of one mail, the others must go; it is tried again later.
        logger.exception("mail %s failed, attempt %s", mail.pk, mail.attempts)
        last = mail.attempts >= ATTEMPTS
        pause = None if last else timezone.now() + dt.timedelta(minutes=PAUSES[mail.attempts - 1])
        ours.update(state=MailState.FAILED if last else MailState.PENDING, lease_until=pause, error=f"{error}"[:2000])
        return False
    ours.update(state=MailState.SENT, sent_at=timezone.now(), lease_until=None, error="")
    return True


def _unwanted(mail: OutboxMail) -> str:
    """Why a mail must not go to its recipient any more, empty when it may."""
    if mail.user is not None and not mail.user.is_active:
        return _("The recipient is not active any more.")
    return next(filter(None, (refusal(mail) for refusal in refusals)), "")


def message(mail: OutboxMail) -> EmailMultiAlternatives:
    """The message of a stored mail, the same each time: headers cannot be injected (threat S-20)."""
    made = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        settings.DEFAULT_FROM_EMAIL,
        [mail.to],
        headers={
            "Message-ID": mail.message_id,
            "Date": format_datetime(mail.created_at),
            "Auto-Submitted": "auto-generated",
        },
    )
    if mail.html:
        made.attach_alternative(mail.html, "text/html")
    for file in mail.files:
        with default_storage.open(file["path"]) as stored:
            content = stored.read()
        made.attach(_picture(file, content)) if file.get("cid") else made.attach(file["name"], content)
    return made


def _picture(file: dict[str, str], content: bytes) -> MIMEBase:
    part = MIMEImage(content, "png")
    part.add_header("Content-ID", f"<{file['cid']}>")
    part.add_header("Content-Disposition", "inline", filename=file["name"])
    return part
