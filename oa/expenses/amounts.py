"""What lines of a claim come to: rates, days, standards and what lies above them (rules E-01, E-06). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from kit.values.money import ZERO, round_money

Key = tuple[int, int | None, str]  # type, position, class of city


@dataclass(frozen=True)
class Standards:
    """What is granted: by type, position and class of city; the more specific one counts, the type's own comes last."""

    granted: Mapping[Key, Decimal]
    own: Mapping[int, Decimal | None]
    position: int | None = None

    def amount(self, type_id: int, city: str) -> Decimal | None:
        """The standard for a type in a city; None where there is none."""
        for place in ((self.position, city), (self.position, ""), (None, city), (None, "")):
            found = self.granted.get((type_id, *place))
            if found is not None:
                return found
        return self.own.get(type_id)


@dataclass
class Spent:
    """One expense to be added up. `per`: what the standard of its type is for (day, claim, or empty)."""

    type_id: int
    per: str
    city: str
    days: Decimal
    base: Decimal


@dataclass
class Sums:
    """Amounts of a claim in base currency, and per line what lies above the standard."""

    total: Decimal = ZERO
    excess: list[Decimal] = field(default_factory=list)


def in_base(amount: Decimal, rate: Decimal, exponent: int = 2) -> Decimal:
    """An amount in base currency, rounded half up on its own (rule E-06): never a sum of mixed currencies."""
    return round_money(amount * rate, exponent)


def by_days(days: Decimal, standard: Decimal, exponent: int = 2) -> Decimal:
    """What is paid for `days` by the standard of one."""
    return round_money(days * standard, exponent)


def sums(lines: Sequence[Spent], standards: Standards) -> Sums:
    """The total, and what each line takes beyond its standard.

    A standard per claim is used up by the lines of its type and city class in order; what is beyond lies on the later.
    """
    made, used = Sums(), dict[tuple[int, str], Decimal]()
    for line in lines:
        made.total += line.base
        standard = standards.amount(line.type_id, line.city) if line.per else None
        if standard is None:
            made.excess.append(ZERO)
        elif line.per == "day":
            made.excess.append(max(ZERO, line.base - round_money(standard * line.days)))
        else:
            key = (line.type_id, line.city)
            before = used.get(key, ZERO)
            used[key] = before + line.base
            made.excess.append(min(line.base, max(ZERO, used[key] - standard)))
    return made


def oldest_first(open_amounts: Iterable[tuple[int, Decimal]], wanted: Decimal) -> dict[int, Decimal]:
    """Which advances take how much of `wanted`, in the order given (rule E-02)."""
    taken: dict[int, Decimal] = {}
    for key, amount in open_amounts:
        part = min(amount, wanted)
        if part > 0:
            taken[key] = part
            wanted -= part
    return taken
