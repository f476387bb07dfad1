"""Writing the lines of priced documents; shared by sales and purchasing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from erp.inventory.models import Product, ProductUnit, Unit
from erp.inventory.units import own_unit_problems
from erp.trade.amounts import Discount, Priced, Totals, line_amounts, shown_amount, totals
from kit.rules.fields import PercentField, PriceField
from kit.values.errors import BusinessError, Problem
from kit.values.money import ONE, ZERO, round_half_up, round_money
from kit.values.quantities import round_quantity
from oa.organisation.models.company import TaxMethod
from oa.records.bulk import bulk_set

PRICE_DIGITS, PERCENT_DIGITS = PriceField.digits[1], PercentField.digits[1]
MOST = Decimal(10) ** 12  # more than this is a slip of the finger, and would not fit the columns


@dataclass
class LineInput:
    """A line as a person or an import gives it; what is None is filled from the masters.

    `pk` names an existing line of the draft, `origin` the line of the parent document it takes from. `agreed` is
    the line of a confirmed order as it was, whose conversion and tax rate hold on (rules G-08, G-25).
    """

    product: Product
    quantity: Decimal
    price: Decimal | None = None
    discount: Decimal = ZERO
    tax_code: Any = None
    unit: Any = None
    description: str = ""
    due_date: dt.date | None = None
    warehouse: Any = None
    tolerance: Decimal | None = None
    pk: int | None = None
    origin: Any = None
    agreed: Any = None
    taxed: bool = True  # False: no tax, even if the product or the customer has a tax code


def check_inputs(lines: Sequence[LineInput]) -> None:
    """Refuse what no document may hold, naming every line (0-based rows)."""
    problems = []
    if not lines:
        problems.append(Problem(_("Enter at least one line.")))
    # One statement at the most, however the caller loaded the products; `fill_line` reads their tax codes.
    models.prefetch_related_objects([line.product for line in lines], "tax_code")
    units = _units(lines)
    for row, line in enumerate(lines):
        problem = quantity_problem(line.quantity, units.get(line.unit.pk if line.unit else line.product.unit_id), row)
        if problem:
            problems.append(problem)
        problems += _price_problems(line, row)
        if line.tolerance is not None and not 0 <= line.tolerance <= 100:
            problems.append(Problem(_("The tolerance lies between 0 and 100 %."), "tolerance", row))
        if not line.product.active and line.pk is None and line.origin is None:
            problems.append(Problem(_("%s is archived; choose another product.") % line.product.code, "product", row))
    if problems:
        raise BusinessError(problems=problems)


def line_problems(lines: Sequence[LineInput]) -> list[Problem]:
    """What saving refuses of each of these lines (0-based rows); for a look at them before they are saved."""
    problems: list[Problem] = []
    for check in (check_inputs, unit_factors):
        try:
            check(lines)
        except BusinessError as error:
            problems += [problem for problem in error if problem.row is not None]
    wrong = {problem.row for problem in problems}
    rows = [row for row, _line in enumerate(lines) if row not in wrong]
    sound = [lines[row] for row in rows]
    factors = unit_factors(sound)
    kept = [
        SimpleNamespace(
            product=line.product,
            quantity=line.quantity,
            factor=factors.get((line.product.pk, line.unit.pk), ONE) if line.unit is not None else ONE,
        )
        for line in sound
    ]
    return problems + [replace(found, row=rows[found.row or 0]) for found in own_unit_problems(kept)]


def _price_problems(line: LineInput, row: int) -> list[Problem]:
    """Price and discount as typed; they get the digits that are stored, since amounts follow from them (G-13)."""
    problems = []
    line.discount = round_half_up(line.discount, PERCENT_DIGITS)
    if line.price is not None:
        line.price = round_half_up(line.price, PRICE_DIGITS)
        if line.price < 0:
            problems.append(Problem(_("The price cannot be negative."), "price", row))
    if not 0 <= line.discount <= 100:
        problems.append(Problem(_("The discount lies between 0 and 100 %."), "discount", row))
    price = line.product.price if line.price is None else line.price
    if price >= MOST or line.quantity >= MOST or line.quantity * price >= MOST:
        problems.append(Problem(_("The amount of this line is too large."), "quantity", row))
    return problems


def _units(lines: Sequence[LineInput]) -> dict[int, Unit]:
    """The units of lines with decimals, whose decimals must be looked at; whole numbers fit every unit."""
    keys = {
        line.unit.pk if line.unit else line.product.unit_id
        for line in lines
        if line.quantity != line.quantity.to_integral_value()
    }
    return Unit.objects.in_bulk(keys) if keys else {}


def quantity_problem(quantity: Decimal, unit: Unit | None, row: int | None = None) -> Problem | None:
    """Why `quantity` cannot stand on a line: it must be more than 0 and fit the decimals of the unit (G-13)."""
    if quantity <= 0:
        return Problem(_("Quantity must be more than 0."), "quantity", row)
    if unit is None or round_quantity(quantity, unit.decimals) == quantity:
        return None
    return Problem(
        _("%(unit)s has %(digits)s decimals; %(quantity)s does not fit.")
        % {"unit": unit, "digits": unit.decimals, "quantity": f"{quantity.normalize():f}"},
        "quantity",
        row,
    )


def quantities_problems(lines: Sequence[Any], quantities: Mapping[int, Decimal]) -> list[Problem]:
    """Quantities by line key that are negative or do not fit the unit of their line; 0 leaves a line out."""
    return [
        problem
        for row, line in enumerate(lines)
        if quantities.get(line.pk) and (problem := quantity_problem(quantities[line.pk], line.unit, row))
    ]


def check_quantities(lines: Sequence[Any], quantities: Mapping[int, Decimal]) -> None:
    """Refuse quantities that no line can have."""
    problems = quantities_problems(lines, quantities)
    if problems:
        raise BusinessError(problems=problems)


def unit_factors(lines: Sequence[LineInput]) -> dict[tuple[int, int], Decimal]:
    """Conversion factors (product, unit) -> factor for lines in another unit than the product's own.

    Lines whose unit was agreed before need none.
    """
    other = [
        line
        for line in lines
        if line.unit is not None
        and line.unit.pk != line.product.unit_id
        and (line.agreed is None or line.agreed.unit_id != line.unit.pk)
    ]
    if not other:
        return {}
    rows = ProductUnit.objects.filter(product__in={line.product.pk for line in other})
    factors = {(row.product_id, row.unit_id): row.factor for row in rows}
    problems = [
        Problem(
            _("%(product)s is not sold in %(unit)s; add the unit to the product first.")
            % {"product": line.product.code, "unit": line.unit},
            "unit",
            row,
        )
        for row, line in enumerate(lines)
        if line in other and (line.product.pk, line.unit.pk) not in factors
    ]
    if problems:
        raise BusinessError(problems=problems)
    return factors


def set_amounts(head: Any, lines: Sequence[Any], exponent: int, base_exponent: int = 2) -> Totals:
    """Compute net and tax of `lines` and the totals of `head` by the tax method stored on it (rules G-14, G-15)."""
    priced = [Priced(line.quantity, line.price, line.discount, line.tax_rate) for line in lines]
    discount = _discount(head, exponent)
    amounts = line_amounts(
        priced,
        per_tax=head.tax_method == TaxMethod.TAX,
        includes_tax=head.prices_include_tax,
        exponent=exponent,
        discount=discount,
    )
    for line, amount in zip(lines, amounts, strict=True):
        line.net, line.tax, line.discount_share = amount.net, amount.tax, amount.share
    sums = totals(lines)
    value = sum((shown_amount(head, line) for line in lines), ZERO)
    if sums.discount != discount.of(value, exponent):
        raise BusinessError(
            _("The discount cannot be more than the lines are worth (%s).") % f"{value:,.2f}", field="discount_amount"
        )
    head.net, head.tax, head.total = sums.net, sums.tax, sums.total
    head.base_total = round_money(sums.total * head.rate, base_exponent)
    return sums


def _discount(head: Any, exponent: int) -> Discount:
    """The discount of a document as typed, with the digits that are stored."""
    head.discount = round_half_up(head.discount or ZERO, PERCENT_DIGITS)
    head.discount_amount = round_money(head.discount_amount or ZERO, exponent)
    problems = []
    if not 0 <= head.discount <= 100:
        problems.append(Problem(_("The discount lies between 0 and 100 %."), "discount"))
    if head.discount_amount < 0:
        problems.append(Problem(_("The discount cannot be negative."), "discount_amount"))
    if problems:
        raise BusinessError(problems=problems)
    return Discount(head.discount, head.discount_amount)


def fill_line(line: Any, given: LineInput, position: int, factors: dict[tuple[int, int], Decimal]) -> None:
    """Set the columns that all priced lines share from what was given and from the product."""
    product = given.product
    line.position, line.product = position, product
    line.unit_id = given.unit.pk if given.unit is not None else product.unit_id
    line.factor = factors.get((product.pk, line.unit_id), ONE)
    line.description = given.description or product.label
    line.quantity, line.discount = given.quantity, given.discount
    tax_code = given.tax_code if given.tax_code is not None or not given.taxed else product.tax_code
    line.tax_code, line.tax_rate = tax_code, tax_code.rate if tax_code else ZERO
    agreed = given.agreed
    if agreed is not None and agreed.unit_id == line.unit_id:
        line.factor = agreed.factor
    if agreed is not None and agreed.tax_code_id == line.tax_code_id:
        line.tax_rate = agreed.tax_rate


def write_lines(parent: Any, key: str, lines: Sequence[models.Model], *, existing: Sequence[models.Model] = ()) -> None:
    """Store the lines of a draft: new ones inserted, kept ones updated, missing ones deleted (3 statements)."""
    model: Any = type(lines[0]) if lines else type(existing[0])
    kept = {line.pk for line in lines if line.pk}
    gone = [line.pk for line in existing if line.pk not in kept]
    for line in lines:
        setattr(line, key, parent)
    if gone:
        try:
            model._default_manager.filter(pk__in=gone).delete()
        except models.ProtectedError as error:
            raise BusinessError(
                _("A line that was removed is used by another document. Keep it, or delete that draft first.")
            ) from error
    fresh = [line for line in lines if not line.pk]
    if kept:
        fields = [f.name for f in model._meta.local_concrete_fields if not f.primary_key and not f.generated]
        bulk_set([line for line in lines if line.pk in kept], fields)
    if fresh:
        model._default_manager.bulk_create(fresh)
