"""`manage.py verify` and the registry of invariants behind it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.utils import InternalError
from django.test.utils import CaptureQueriesContext

from kit.rules import checks
from oa.reporting.models import OutboxMail
from tests.invariants import assert_books, broken

CODES = [f"I-{number:02}" for number in [*range(1, 20), *range(21, 26), *range(27, 32), 33, 34, 37, 38, *range(60, 82)]]


def verify(*arguments):
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command("verify", *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as exit:
        code = exit.code
    return code, out.getvalue(), err.getvalue()


def stuck_mail():
    mail = OutboxMail.objects.create(dedupe="a", message_id="<a@sanhe>", to="a@example.com", subject="Stock report")
    OutboxMail.objects.filter(pk=mail.pk).update(created_at="2020-01-01T00:00:00Z")


@pytest.mark.django_db
def test_an_empty_installation_verifies():
    code, out, err = verify()
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == CODES
    assert all(line.split()[1] == "ok" for line in lines[:-1])
    assert lines[-1] == "All invariants hold."
    assert_books()


@pytest.mark.django_db
def test_a_broken_invariant_names_its_rows_and_ends_with_1():
    stuck_mail()
    code, out, err = verify()
    assert code == 1 and "1 invariants are broken" in err
    at = next(i for i, line in enumerate(out.splitlines()) if line.startswith("I-38"))
    assert "BROKEN" in out.splitlines()[at] and "subject Stock report" in out.splitlines()[at + 1]
    assert list(broken()) == ["I-38"]
    with pytest.raises(AssertionError, match=r"I-38.*Stock report"):
        assert_books()


@pytest.mark.django_db
def test_single_invariants_can_be_asked_for():
    stuck_mail()
    code, out, _err = verify("--only", "I-02", "I-15")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["I-02", "I-15", "All"]
    assert set(checks.run({"I-38"})) == {"I-38"} and len(checks.run({"I-38"})["I-38"]) == 1


@pytest.mark.django_db
def test_an_unknown_invariant_is_refused():
    with pytest.raises(CommandError, match="no invariant I-99"):
        verify("--only", "I-99")


@pytest.mark.django_db
def test_rows_are_cut_off_at_the_limit(monkeypatch):
    monkeypatch.setattr(checks, "LIMIT", 3)
    assert len(checks.rows("SELECT generate_series(1, 100) AS n")) == 3


@pytest.mark.django_db
def test_the_number_of_statements_does_not_depend_on_the_rows():
    with CaptureQueriesContext(connection) as few:
        checks.run()
    stuck_mail()
    OutboxMail.objects.bulk_create(
        OutboxMail(dedupe=f"d{i}", message_id=f"m{i}", to="a@example.com", subject="x") for i in range(50)
    )
    with CaptureQueriesContext(connection) as many:
        checks.run()
    assert len(many) == len(few)


def test_every_check_says_what_it_states():
    for entry in checks._registered:
        assert entry.find.__doc__ and str(entry.statement), entry


@pytest.mark.django_db(transaction=True)
def test_verifying_cannot_write(monkeypatch):
    """On a live database all checks read one snapshot in a read-only transaction."""

    def writes():
        OutboxMail.objects.create(dedupe="b", message_id="<b@sanhe>", to="b@example.com", subject="no")
        return []

    monkeypatch.setattr(checks, "_registered", [checks.Check("I-00", "tries to write", writes)])
    with pytest.raises(InternalError, match="read-only"):
        checks.run()
    assert not OutboxMail.objects.exists()
