"""Which orders the demo company gets, thought up before the first day, so that stock can be bought in time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from erp.setup.demo.customers import CUSTOMERS
from erp.setup.demo.names import PRODUCTS, Item
from erp.setup.demo.world import DAYS, World

GOODS = tuple(item for item in PRODUCTS if item.group != "labour")
ABROAD = (10, 22)  # customers in another currency who order for certain
ON_HOLD, REFUSED = 7, 18  # customers whose credit limit is too small for what they want
# What goes wrong on purpose, once each, in orders that are old enough.
MISHAPS = ("redeliver", "rebill", "bounce", "unpaid", "cancel", "short")


@dataclass
class Story:
    """One sales order: when, who, what, and how it goes on (`end`)."""

    day: dt.date
    customer: int
    lines: list[tuple[str, int, str]] = field(default_factory=list)  # code, quantity, discount in percent
    end: str = ""
    ships_on: dt.date | None = None  # instead of a drawn day


def think_up(world: World) -> list[Story]:
    """All orders of the year, in the order of their days."""
    recent = min(max(6, world.orders // 20), 8)  # today and yesterday
    shipping = min(max(8, world.orders // 12), 14)  # on their way: shipped today and yesterday
    waiting = min(max(4, world.orders // 15), 10)  # confirmed and not shipped yet
    stories = [_old(world) for _ in range(world.orders - recent - shipping - waiting)]
    stories.sort(key=lambda story: story.day)
    for story, customer in zip(stories, ABROAD, strict=False):
        story.customer, story.end = customer, "abroad"
    _spoil(world, stories)
    for number in range(shipping):
        story = Story(world.ago(3 + 12 * (number + 1) // shipping), _anybody(world, number))
        story.ships_on = world.ago(number // 2 % 2)
        stories.append(story)
    for number in range(waiting):
        story = Story(world.ago(2 + 11 * number // waiting), _anybody(world, number))
        story.ships_on = world.ago(-3)
        stories.append(story)
    for number in range(recent):
        stories.append(Story(world.ago(number // 2 % 2), _anybody(world, number), end="draft" if number == 4 else ""))
    for story in stories:
        story.lines = _lines(world, story)
    _test_credit(world, stories)
    stories.sort(key=lambda story: story.day)
    return stories


def _old(world: World) -> Story:
    """An order of the past, more of them lately than at the beginning."""
    age = 16 + int((DAYS - 40) * (1 - world.dice.random() ** 0.8))
    return Story(world.working(world.ago(age)), _drawn(world, range(len(CUSTOMERS))))


def _drawn(world: World, among: range | list[int]) -> int:
    chosen: int = world.dice.choices(list(among), [CUSTOMERS[i].weight for i in among])[0]
    return chosen


def _anybody(world: World, number: int) -> int:
    """East and South in turn, so that both have something today; big customers, whose credit suffices."""
    owner = "sales" if number % 2 == 0 else "sales2"
    return _drawn(world, [i for i, buyer in enumerate(CUSTOMERS) if buyer.owner == owner and buyer.grade in "AB"])


def _spoil(world: World, stories: list[Story]) -> None:
    """Give some old orders a mishap; the later ones of them are cancelled or closed short now and then."""
    old = [story for story in stories if story.day < world.ago(70) and CUSTOMERS[story.customer].grade in "AB"]
    old = [story for story in old if CUSTOMERS[story.customer].currency == "CNY"]
    for story, end in zip(world.dice.sample(old, min(len(old), len(MISHAPS))), MISHAPS, strict=False):
        story.end = end
    for story in stories:
        if not story.end:
            story.end = world.dice.choices(("", "split", "short", "cancel"), (72, 21, 3, 4))[0]


def _lines(world: World, story: Story) -> list[tuple[str, int, str]]:
    """One to five products in quantities as they are usual, installation now and then."""
    chosen: list[Item] = world.dice.sample(GOODS, world.dice.choices((1, 2, 3, 4, 5), (18, 30, 28, 16, 8))[0])
    lines = []
    for item in chosen:
        quantity = world.dice.randint(item.least, max(item.least, int(item.most * 0.7)))
        if quantity > 20:
            quantity = quantity // 10 * 10
        lines.append((item.code, quantity, world.dice.choices(("0", "3", "5", "8"), (70, 14, 11, 5))[0]))
    if world.dice.random() < 0.1 and CUSTOMERS[story.customer].currency == "CNY":
        lines.append((world.dice.choice(("SRV-INSTALL", "SRV-TRAIN")), world.dice.randint(1, 3), "0"))
    return lines


def _test_credit(world: World, stories: list[Story]) -> None:
    """Two fresh orders that are more than their customers' limits: one is put on hold, one is refused."""
    plain = [story for story in stories if story.end in ("", "split") and story.ships_on is None]
    for customer, age in ((ON_HOLD, 5), (REFUSED, 6)):
        story = plain.pop(0)
        story.customer, story.day, story.end = customer, world.ago(age), "credit"
        story.lines = [("LM-140-1500", 12, "0"), ("SV-1500W", 12, "0")]


def demand(stories: list[Story], first: dt.date, last: dt.date) -> Counter[str]:
    """What is ordered from `first` until before `last`, by product."""
    wanted: Counter[str] = Counter()
    for story in stories:
        if first <= story.day < last:
            for code, quantity, _discount in story.lines:
                wanted[code] += quantity
    return wanted
