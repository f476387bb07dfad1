"""What was typed before a login, a code or a password was asked for: kept in a hidden field, and sent again."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from kit.pages.views.shell import safe_next

CARRIERS = ("login", "login-code", "confirm")  # pages that carry a form along


@dataclass(frozen=True)
class KeptForm:
    """A form that could not be taken: where it was sent, and the names and values of what was typed."""

    path: str
    fields: list[tuple[str, str]]
    files: bool = False  # files were sent along; they are not kept

    @classmethod
    def of(cls, request: HttpRequest) -> KeptForm | None:
        """What `request` sent, without passwords; what it carries along where it is a page of the login."""
        if request.path in {reverse(name) for name in CARRIERS}:
            return cls.read(request.POST.get("kept", ""))
        names = [n for n in request.POST if n != "csrfmiddlewaretoken" and "password" not in n]
        fields = [(name, value) for name in names for value in request.POST.getlist(name)]
        return cls(request.get_full_path(), fields, bool(request.FILES))

    @classmethod
    def read(cls, text: str) -> KeptForm | None:
        """The form in a hidden field; None where there is none, or one that would lead to another site."""
        try:
            given = json.loads(text)
            path, files = str(given["path"]), bool(given["files"])
            kept = cls(path, [(str(name), str(value)) for name, value in given["fields"]], files)
            str(kept).encode()  # JSON can name halves of a character, which no page can show
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return kept if url_has_allowed_host_and_scheme(path, None) else None

    def __str__(self) -> str:
        return json.dumps({"path": self.path, "fields": self.fields, "files": self.files}, ensure_ascii=False)


def again_page(request: HttpRequest, kept: KeptForm, status: int) -> HttpResponse:
    """The form that was kept, to be sent by one press."""
    return render(request, "registration/again.html", {"kept": kept}, status=status)


def login_page(request: HttpRequest, told: str, kept: KeptForm | None, status: int) -> HttpResponse:
    """The login with a message, and with the form that waits for it."""
    form = {"non_field_errors": [told], "username": {"value": request.POST.get("username", "")[:254]}}
    context = {"form": form, "next": safe_next(request), "kept": kept or ""}
    return render(request, "registration/login.html", context, status=status)
