"""Opening stock, gains, losses and counts (rules V-02, V-20, V-24, V-41 to V-43)."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from crm.customers.models import Customer
from erp.finance.models import JournalEntry
from erp.inventory.grids import AdjustmentGrid
from erp.inventory.models import AdjustmentReason, Product, StockAdjustment, StockMove, Unit
from erp.inventory.services import (
    AdjustmentInput,
    count_stock,
    post_adjustment,
    reverse_adjustment,
    save_adjustment,
)
from erp.sales.services import deliver_order
from oa.organisation.models import User
from tests import factories as make
from tests.erp.test_sales_statements import Counter
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def draft(by: User, *lines: tuple[Any, ...], reason: str = AdjustmentReason.COUNT, **head: Any) -> StockAdjustment:
    """`lines` are (product, quantity[, unit cost])."""
    head.setdefault("warehouse", make.warehouse())
    inputs = [AdjustmentInput(line[0], D(line[1]), D(line[2]) if len(line) > 2 else None) for line in lines]
    return save_adjustment(StockAdjustment(reason=reason, **head), inputs, by=by)


def test_opening_stock_is_valued_against_opening_balances(clerk: User) -> None:
    """Dr inventory / Cr opening balances at the given unit cost; a move and an entry of the same value."""
    product = make.make_product()
    adjustment = post_adjustment(draft(clerk, (product, "10", "3.3333"), reason=AdjustmentReason.OPENING), by=clerk)
    assert (adjustment.number.startswith("SA-"), adjustment.value) == (True, D("33.33"))
    assert (make.level(product).on_hand, make.level(product).value) == (10, D("33.33"))
    assert (make.balance("inventory"), make.balance("opening")) == (D("33.33"), D("-33.33"))
    move = StockMove.objects.get()
    assert (move.kind, move.entry.source_number) == ("opening", adjustment.number)


def test_gains_and_losses_go_to_their_accounts(clerk: User, motor: Product, drive: Product) -> None:
    """V-42: losses at the average, gains at the average or at what was entered."""
    before = make.balance("inventory")
    adjustment = post_adjustment(draft(clerk, (motor, "-2"), (drive, "3"), (motor, "1", "90")), by=clerk)
    assert [line.value for line in adjustment.lines.all()] == [-120, D("61.50"), 90]
    assert adjustment.value == D("31.50") == make.balance("inventory") - before
    assert make.balance("adjustment-loss") == D("-31.50")  # one account for both in this chart
    assert (make.level(motor).on_hand, make.level(motor).value) == (19, 1170)


def test_the_last_piece_takes_all_the_value(clerk: User) -> None:
    """V-02: three pieces for 10.00 leave one by one."""
    product = make.make_product()
    make.stock(product, 3, "3.333333", by=clerk)
    for expected in ("-3.33", "-3.34", "-3.33"):
        assert post_adjustment(draft(clerk, (product, "-1")), by=clerk).value == D(expected)
    assert (make.level(product).on_hand, make.level(product).value) == (0, 0)


def test_what_no_adjustment_may_hold(clerk: User, mingrui: Customer, motor: Product) -> None:
    """V-20, S-06: zero, services, negative cost, decimals of pieces, more than is there or free."""
    service = make.make_service()
    for line, message in (
        ((motor, "0"), "cannot be 0"),
        ((motor, "1.5"), "has 0 decimals"),
        ((service, "1"), "not kept in stock"),
        ((motor, "1", "-1"), "cannot be negative"),
    ):
        with refused(message):
            draft(clerk, line)
    with refused("at least one line"):
        draft(clerk)
    make.confirmed_order(mingrui, make.line(motor, 15), by=clerk)
    too_much = draft(clerk, (motor, "-6"))
    with refused("Only 5 of SV-750W are available; 6 are needed"):
        post_adjustment(too_much, by=clerk)


def test_an_adjustment_is_reversed_at_its_own_values(clerk: User, motor: Product) -> None:
    """G-04: whatever the average is by then; once, and not before its date."""
    loss = post_adjustment(draft(clerk, (motor, "-4")), by=clerk)
    make.stock(motor, 16, "100", by=clerk)
    counter = reverse_adjustment(loss, by=clerk)
    assert (counter.value, make.level(motor).on_hand, make.level(motor).value) == (240, 36, 2800)
    assert JournalEntry.objects.get(source_id=counter.pk, source="erp.stockadjustment").reversal_of is not None
    with refused("not possible any more"):
        reverse_adjustment(loss, by=clerk)
    with refused("is a reversal itself"):
        reverse_adjustment(counter, by=clerk)
    other = post_adjustment(draft(clerk, (motor, "-1")), by=clerk)
    with refused("cannot be dated before"):
        reverse_adjustment(other, by=clerk, date=make.days_ago(1))


def test_lines_that_build_on_each_other_are_taken_back_in_reverse(clerk: User) -> None:
    """G-04, V-20: five came and five went in one document; undone from its end, stock is never short."""
    product = make.make_product()
    both = post_adjustment(draft(clerk, (product, "5", "10"), (product, "-5")), by=clerk)
    counter = reverse_adjustment(both, by=clerk)
    assert (counter.value, make.level(product).on_hand, make.level(product).value) == (0, 0, 0)


def test_a_thousand_tiny_issues(clerk: User) -> None:
    """V-02, G-13: rounding loses nothing, the average does not drift, the last issue takes the rest."""
    salt = make.make_product("SALT", unit=Unit.objects.create(code="kg4", name="kg", decimals=4))
    make.stock(salt, "333.3333", "0.037", by=clerk)
    for _document in range(10):
        post_adjustment(draft(clerk, *[(salt, "-0.1111")] * 100), by=clerk)
    level = make.level(salt)
    assert (level.on_hand, abs(level.value - level.on_hand * D("0.037")) < 5) == (D("222.2333"), True)
    post_adjustment(draft(clerk, (salt, f"-{level.on_hand}")), by=clerk)
    assert (make.level(salt).on_hand, make.level(salt).value) == (0, 0)


def test_opening_stock_that_is_entered_again_is_pointed_out(clerk: User, motor: Product) -> None:
    """Another lot may be right, the same count twice is not: the form says what is there."""
    sheet = draft(clerk, (motor, "5", "60"), reason=AdjustmentReason.OPENING)
    rows = AdjustmentGrid().rows_of(sheet, clerk)
    notices = AdjustmentGrid().compute(sheet, rows, None, clerk).notices
    assert notices == [("warn", "SV-750W has opening stock of 20 here already.")]
    other = draft(clerk, (motor, "5", "60"))
    assert AdjustmentGrid().compute(other, AdjustmentGrid().rows_of(other, clerk), None, clerk).notices == []


def test_a_dear_gain_taken_back_leaves_no_value_behind(clerk: User, mingrui: Customer) -> None:
    """V-02, V-11: the pieces left at the average meanwhile; the rest of the value is stock loss."""
    product = make.make_product()
    make.stock(product, 5, "10", by=clerk)
    gain = post_adjustment(draft(clerk, (product, "5", "30")), by=clerk)
    deliver_order(make.confirmed_order(mingrui, make.line(product, 5), by=clerk), by=clerk)
    assert (make.level(product).on_hand, make.level(product).value) == (5, 100)
    reverse_adjustment(gain, by=clerk)
    assert (make.level(product).on_hand, make.level(product).value) == (0, 0)


def test_a_count_posts_differences_to_the_book_of_its_date(clerk: User, mingrui: Customer, motor: Product) -> None:
    """V-41, V-43: the delta against the end of that day; movements since stay right; others are not touched."""
    product = make.make_product("PART")
    other = make.make_product("OTHER")
    day = make.days_ago(3)
    make.stock(product, 10, "5", by=clerk, date=make.days_ago(5))
    make.stock(other, 10, "5", by=clerk, date=make.days_ago(5))
    deliver_order(make.confirmed_order(mingrui, make.line(product, 4), by=clerk), by=clerk)
    sheet = StockAdjustment(warehouse=make.warehouse(), date=day)
    with refused("nothing to adjust"):
        count_stock(sheet, {product: D(10)}, by=clerk)
    counted = count_stock(sheet, {product: D(9), other: D(10)}, by=clerk)
    assert [(line.product, line.quantity) for line in counted.lines.all()] == [(product, -1)]
    post_adjustment(counted, by=clerk)
    assert (make.level(product).on_hand, make.level(other).on_hand) == (5, 10)


def test_a_draft_is_replaced_and_a_posted_one_stays(clerk: User, motor: Product) -> None:
    """G-01, G-19: lines are replaced with the version one opened."""
    adjustment = draft(clerk, (motor, "-1"), (motor, "-2"))
    version = adjustment.version
    save_adjustment(adjustment, [AdjustmentInput(motor, D(-3))], by=clerk, version=version)
    with refused("changed by somebody else"):
        save_adjustment(adjustment, [AdjustmentInput(motor, D(-4))], by=clerk, version=version)
    adjustment = post_adjustment(adjustment, by=clerk)
    with refused("is posted and cannot be changed"):
        save_adjustment(adjustment, [AdjustmentInput(motor, D(-4))], by=clerk)
    assert make.level(motor).on_hand == 17


def test_back_dated_stock_needs_the_right_and_earlier_stock(clerk: User, mingrui: Customer, motor: Product) -> None:
    """V-24: as for deliveries."""
    keeper = make.make_user("keeper", "warehouse")
    early = draft(clerk, (motor, "-1"), date=make.days_ago(1))
    with refused("of today only"):
        post_adjustment(early, by=keeper)
    with refused("only 0 of SV-750W could have left"):
        post_adjustment(early, by=clerk)


def test_statements_do_not_grow_with_lines(clerk: User) -> None:
    """House rule: 2 lines and 40 lines take the same number of statements."""

    def run(number: int) -> dict[str, int]:
        lines = [(make.make_product(), "5", "2") for _ in range(number)]
        losses = [(line[0], "-1") for line in lines]
        counter = Counter()
        opening = counter.run("save", lambda: draft(clerk, *lines, reason=AdjustmentReason.OPENING))
        counter.run("post", lambda: post_adjustment(opening, by=clerk))
        loss = draft(clerk, *losses)
        counter.run("lose", lambda: post_adjustment(loss, by=clerk))
        counter.run("reverse", lambda: reverse_adjustment(loss, by=clerk))
        return counter.counts()

    run(1)
    few, many = run(2), run(40)
    assert few == many and max(few.values()) <= 16, few
