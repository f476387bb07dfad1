"""The claim sheet 费用报销单 (UX 6.9)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erp.business.prints import claim_sheet
from kit.exchange import printing
from oa.expenses import services
from tests.oa import spending as spend

pytestmark = pytest.mark.django_db


def test_the_claim_sheet_shows_what_is_paid_in_capitals() -> None:
    """Claimed, allowed, offset and the rest, which is written in words; the paper can be set in both languages."""
    ann = spend.person(name="Ann")
    spend.paid_advance(ann, 50)
    claim = spend.approved(ann, spend.line(100, invoice="S1"), spend.line("20.10"))
    cut = {claim.lines.first().pk: services.audit.Cut(Decimal(90), "own part")}
    claim = services.audit_claim(claim, cut, by=None)
    paper = printing.get("claim-sheet")
    data = paper.build(claim, "zh-hans")
    assert data["words"]["text"] == "人民币陆拾元壹角整"
    assert [row["value"] for row in data["totals"]] == ["120.10", "110.10", "−50.00", "60.10"]
    assert data["rows"][0]["cells"][-2:] == ["CNY 100.00", "90.00"]
    assert claim_sheet(claim)["signatures"][0]["name"] == "Ann"
    assert printing.print_pdf(paper, claim, "en").startswith(b"%PDF")
