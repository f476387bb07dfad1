"""Files of outgoing mails, for who may read the mails."""

from __future__ import annotations

import uuid

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kit.exchange.views import TYPES, download
from oa.reporting.models import OutboxMail


@require_safe
def mail_file_view(request: HttpRequest, key: uuid.UUID, position: int) -> HttpResponse:
    """One attachment of a mail as a download; 404 for everybody who may not read mails."""
    mail = OutboxMail.objects.visible_to(request.user).filter(key=key).first()
    if mail is None or position >= len(mail.files):
        raise Http404
    file = mail.files[position]
    name, _dot, kind = file["name"].rpartition(".")
    if kind not in TYPES or not default_storage.exists(file["path"]):
        raise Http404
    with default_storage.open(file["path"]) as stored:
        return download(stored.read(), name, kind)
