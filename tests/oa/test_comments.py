"""Notes, mentions and messages (rules G-21, G-23)."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError
from oa.records.comments import add_comment, delete_comment
from oa.records.models import Comment, Notification
from oa.records.notifications import mark_read, notify
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_a_note_tells_the_people_it_names_who_may_see_the_record() -> None:
    """G-23, G-21: colleagues who see the customer are told, others and the writer are not."""
    writer = make.make_user("writer")
    manager, owner, stranger = make.make_user("boss"), make.make_user("ann", "sales"), make.make_user("ben", "sales")
    customer = make.make_customer(owner=owner)
    add_comment(customer, " @ann, @boss: call them. @ben @writer @nobody a@boss ", by=writer)
    note = Comment.objects.get()
    assert (note.text.startswith("@ann"), note.owner) == (True, writer)
    assert set(Notification.objects.values_list("user__username", flat=True)) == {"ann", "boss"}
    message = Notification.objects.get(user=manager)
    assert "Writer" in message.text and message.object_id == customer.pk and stranger.notifications.count() == 0
    with pytest.raises(BusinessError, match="Enter a text"):
        add_comment(customer, "  ", by=writer)


def test_only_its_writer_deletes_a_note() -> None:
    """Who may delete notes at all may as well."""
    writer, other, admin = make.make_user("w", "sales"), make.make_user("o", "sales"), make.make_user()
    customer = make.make_customer()
    first, second = add_comment(customer, "one", by=writer), add_comment(customer, "two", by=writer)
    with pytest.raises(BusinessError, match="Only W can delete"):
        delete_comment(first, by=other)
    delete_comment(first, by=writer)
    delete_comment(second, by=admin)
    assert not Comment.objects.exists()


def test_messages_are_written_in_the_language_of_their_reader(django_assert_num_queries: Any) -> None:
    """One statement for any number of people, each told once; inactive ones not at all."""
    english, chinese = make.make_user(language="en"), make.make_user(language="zh-hans")
    gone = make.make_user(is_active=False)
    with django_assert_num_queries(1):
        rows = notify([english, chinese, chinese, gone], gettext_lazy("Monday"), url="/x/")
    assert [(row.user, row.text) for row in rows] == [(english, "Monday"), (chinese, "星期一")]
    assert mark_read(chinese, []) == 0 and mark_read(chinese, [rows[0].pk]) == 0
    assert mark_read(chinese) == 1 and mark_read(chinese) == 0
    assert Notification.objects.filter(read_at=None).get() == rows[0]
