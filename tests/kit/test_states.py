"""The table of states: checks, buttons and the database guard derive from it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from erp.sales.models.orders import ORDER_STATES
from kit.rules.states import State, StateTable, Transition, permissions
from kit.values.errors import BusinessError


def document(state: str) -> SimpleNamespace:
    return SimpleNamespace(state=state)


def test_a_transition_starts_in_its_sources_only() -> None:
    """5.1.2: the message names the state and the action."""
    assert ORDER_STATES.check("confirm", document("draft")).target == "confirmed"
    with pytest.raises(BusinessError, match="is completed; “Confirm order” is not possible any more"):
        ORDER_STATES.check("confirm", document("closed"))
    with pytest.raises(StopIteration):
        ORDER_STATES.transition("fly")


def test_buttons_are_the_transitions_that_start_here() -> None:
    """Internal ones have no button."""
    assert [t.name for t in ORDER_STATES.available("draft")] == ["confirm", "cancel"]
    assert "complete" not in [t.name for t in ORDER_STATES.available("confirmed")]
    assert ORDER_STATES.available("cancelled") == []


def test_the_guard_knows_every_change_of_state_and_no_other() -> None:
    """Transitions that stay in their state are no change."""
    assert ORDER_STATES.pairs() == {
        ("draft", "confirmed"),
        ("confirmed", "closed"),
        ("closed", "confirmed"),
        ("draft", "cancelled"),
        ("confirmed", "cancelled"),
        ("draft", "approving"),
        ("approving", "draft"),
        ("approving", "confirmed"),
    }
    assert (ORDER_STATES.initial, ORDER_STATES.width) == ("draft", 9)


def test_a_table_with_an_unknown_state_is_refused() -> None:
    """A typing error shows when the program starts."""
    with pytest.raises(ValueError, match="names the unknown state posted"):
        StateTable((State("draft", "draft"),), (Transition("post", ("draft",), "posted", "Post"),))


def test_transitions_bring_their_permissions() -> None:
    """Those that add, change and delete cover are left out; one permission may serve several transitions."""
    assert permissions(ORDER_STATES, "salesorder", "sales orders") == [
        ("cancel_salesorder", "Can cancel sales orders"),
        ("close_salesorder", "Can close sales orders"),
        ("confirm_salesorder", "Can confirm sales orders"),
        ("release_salesorder", "Can release sales orders"),
    ]
