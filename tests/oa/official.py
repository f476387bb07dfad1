"""Makers of official documents and seals for tests: an office with everybody a document meets."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

from django.contrib.auth.models import Group

from oa.official.models import Clearance, DocumentClass, IncomingDocument, OutgoingDocument, Seal, SealRequest, UnitWord
from oa.official.services import incoming, outgoing, seals, writing
from oa.official.services.turns import Hands
from oa.organisation.models import Department, User
from tests import factories as make

_numbers = itertools.count(1)


def office() -> SimpleNamespace:
    """Ann drafts, Ben checks, Cid co-signs, Dora signs, Eva registers and distributes, Kit keeps the seal."""
    root = Department.objects.get(code="HQ")
    o = SimpleNamespace()
    o.east = Department.objects.create(code="EAST", name="East", parent=root)
    o.west = Department.objects.create(code="WEST", name="West", parent=root)
    o.ann = make.make_user("ann", "sales", department=o.east)
    o.ben = make.make_user("ben", "sales", department=o.east)
    o.cid = make.make_user("cid", "sales", department=o.west)
    o.dora = make.make_user("dora", "chief-accountant", department=root)
    o.eva = make.make_user("eva", "hr", department=root)
    o.kit = make.make_user("kit", "sales", department=root)
    o.seal = Seal.objects.create(code=f"SEAL{next(_numbers)}", name="Company seal", keeper=o.kit)
    o.word = UnitWord.objects.get_or_create(word="华辰发")[0]
    return o


def people(*found: User, **more: Any) -> Hands:
    """These act next."""
    return Hands(people=found, **more)


def draft(by: User | None, **columns: Any) -> OutgoingDocument:
    """A draft with the recipients `to` (people) and `units`, and `copies`."""
    to, units, copies = (columns.pop(name, ()) for name in ("to", "units", "copies"))
    columns.setdefault("title", f"Order {next(_numbers)}")
    columns.setdefault("body", "All doors are closed at six.")
    columns.setdefault("unit_word", UnitWord.objects.get_or_create(word="华辰发")[0])
    columns.setdefault("document_class", DocumentClass.objects.order_by("code").first())
    document = writing.save_outgoing(OutgoingDocument(**columns), by=by)
    document.to_people.set(to)
    document.to_departments.set(units)
    document.copy_people.set(copies)
    return document


def fresh(row: Any) -> Any:
    """The row as stored, with nothing remembered."""
    return type(row).objects.get(pk=row.pk)


def checked(o: SimpleNamespace, document: OutgoingDocument, *cosigners: User, serial: bool = False) -> OutgoingDocument:
    """Submitted to Ben and checked; Dora is to sign."""
    document = outgoing.submit(document, by=o.ann, hands=people(o.ben))
    return outgoing.check(document, by=o.ben, text="fine", hands=people(*cosigners, more=(o.dora,), serial=serial))


def signed(o: SimpleNamespace, document: OutgoingDocument | None = None, **columns: Any) -> OutgoingDocument:
    """Signed by Dora; Eva is to format it."""
    document = checked(o, document or draft(o.ann, **columns))
    return outgoing.sign(document, by=o.dora, text="agreed", hands=people(o.eva))


def sealed(o: SimpleNamespace, document: OutgoingDocument | None = None, **columns: Any) -> OutgoingDocument:
    """Formatted and sealed; Eva is to distribute it."""
    document = outgoing.format_document(signed(o, document, **columns), by=o.eva, hands=people(o.kit))
    return outgoing.seal(document, by=o.kit, hands=people(o.eva), stamp=o.seal)


def distributed(o: SimpleNamespace, document: OutgoingDocument | None = None, **columns: Any) -> OutgoingDocument:
    """On its way to the recipients, Cid where nobody is named."""
    if document is None:
        columns.setdefault("to", [o.cid])
    return outgoing.distribute(sealed(o, document, **columns), by=o.eva)


def registered(o: SimpleNamespace, **columns: Any) -> IncomingDocument:
    """What Eva registered."""
    columns.setdefault("title", f"Letter {next(_numbers)}")
    columns.setdefault("sender", "Tax office")
    columns.setdefault("document_class", DocumentClass.objects.order_by("code").first())
    return writing.save_incoming(IncomingDocument(**columns), by=o.eva)


def instructed(o: SimpleNamespace, *handlers: User, readers: tuple[User, ...] = (), serial: bool = False,
               **columns: Any) -> IncomingDocument:  # fmt: skip
    """Proposed by Eva, instructed by Dora."""
    document = incoming.propose(registered(o, **columns), by=o.eva, text="for East", hands=people(o.dora))
    return incoming.instruct(
        document, by=o.dora, text="do it", hands=Hands(people=handlers, more=readers, serial=serial)
    )


def seal_request(o: SimpleNamespace, by: User | None = None, **columns: Any) -> SealRequest:
    """A draft of Ann's."""
    columns.setdefault("title", f"Offer {next(_numbers)}")
    columns.setdefault("seal", o.seal)
    return seals.save_request(SealRequest(**columns), by=by or o.ann)


def to_use(o: SimpleNamespace, **columns: Any) -> SealRequest:
    """Approved by Dora."""
    return seals.approve(seals.submit(seal_request(o, **columns), by=o.ann), by=o.dora)


def clear(user: User, level: int) -> Clearance:
    """Clear a person."""
    return Clearance.objects.create(user=user, level=level)


def with_right(user: User, *codenames: str) -> User:
    """The person with these rights more."""
    from django.contrib.auth.models import Permission

    group = Group.objects.create(name=f"Extra {next(_numbers)}")
    group.permissions.set(Permission.objects.filter(codename__in=codenames))
    user.groups.add(group)
    return User.objects.get(pk=user.pk)


def living(kind: str) -> Any:
    """A row for the walk over all pages."""
    number = next(_numbers)
    if kind == "outgoing":
        return draft(make.make_user(f"drafter{number}", "sales"))
    if kind == "incoming":
        return registered(SimpleNamespace(eva=make.make_user(f"registrar{number}", "hr")))
    if kind == "turn":
        document = living("outgoing")
        checker = make.make_user(f"checker{number}", "sales")
        outgoing.submit(document, by=document.owner, hands=people(checker))
        return document.officialturns.get()
    if kind == "opinion":
        return living("turn").outgoing.officialopinions.get()
    if kind == "text":
        return living("outgoing").texts.get()
    if kind == "number":
        from oa.official.models import OfficialNumber
        from oa.official.services.numbers import reserve_number

        word = UnitWord.objects.get_or_create(word="华辰发")[0]
        return reserve_number(OfficialNumber(word=word, purpose="x"), by=None)
    if kind == "receipt":
        return distributed(_small_office(number)).receipts.get()
    keeper = make.make_user(f"keeper{number}", "sales")
    seal = Seal.objects.create(code=f"S{number}", name="Round seal", keeper=keeper)
    return SealRequest.objects.create(title=f"Offer {number}", seal=seal, owner=keeper, created_by=keeper)


def _small_office(number: int) -> SimpleNamespace:
    o = SimpleNamespace()
    for name, role in (("ann", "sales"), ("ben", "sales"), ("cid", "sales"), ("dora", "chief-accountant"),
                       ("eva", "hr"), ("kit", "sales")):  # fmt: skip
        setattr(o, name, make.make_user(f"{name}{number}", role))
    o.seal = Seal.objects.create(code=f"S{number}", name="Round seal", keeper=o.kit)
    return o
