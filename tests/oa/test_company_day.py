"""One time zone for the company's day: the company profile (rule G-18)."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from config.celery import live_in_the_companys_zone
from erp.finance.context import GENERAL, posting_context
from kit.pages.formats import parse_date
from kit.pages.resources import registry
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.organisation.models import CompanyProfile
from oa.organisation.zones import known_zone
from oa.reporting.tasks import sweep
from oa.setup import install
from tests import factories as make

pytestmark = pytest.mark.django_db

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # 25 hours apart: never the same day


def day_in(zone: str) -> dt.date:
    return timezone.now().astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize("zone", [EAST, WEST])
def test_the_company_profile_decides_the_day_of_the_books(client: Client, zone: str) -> None:
    """G-18: changed on its page, it counts in default dates, typed dates, reports and postings."""
    clerk = make.make_user("clerk")
    client.force_login(clerk)
    company = CompanyProfile.current()
    page = registry["companyprofile"]
    form = client.get(page.url_for(company, "edit")).context["form"]
    data = {name: value for name in form.fields if (value := form[name].value())}
    answer = client.post(page.url_for(company, "edit"), data | {"time_zone": zone, "version": company.version})
    assert answer.status_code == 302, answer.context["form"].errors
    client.get("/")
    assert business_day() == parse_date("t") == day_in(zone)
    assert posting_context(day_in(zone), GENERAL).date == day_in(zone)
    with pytest.raises(BusinessError, match="future"):
        posting_context(day_in(zone) + dt.timedelta(days=1), GENERAL)
    order = client.get(registry["salesorder"].url("new")).content.decode()
    assert f'value="{day_in(zone)}"' in order
    ageing = client.get("/reports/aged-receivables/").content.decode()
    assert str(day_in(zone)) in ageing


def test_another_process_agrees_with_its_next_request(client: Client, django_assert_num_queries) -> None:
    """Nobody tells a process: it reads the zone with the person, without a statement of its own."""
    client.force_login(make.make_user("clerk"))
    for zone in (EAST, WEST):
        CompanyProfile.objects.update(time_zone=zone)  # as another process did
        client.get("/")
        with django_assert_num_queries(0):
            assert (business_day(), str(known_zone())) == (day_in(zone), zone)


def test_tasks_live_in_the_companys_zone() -> None:
    """Workers have no requests: they look before each task, and times in their files are the company's."""
    CompanyProfile.objects.update(time_zone=EAST)
    try:
        live_in_the_companys_zone(task=sweep)
        assert timezone.localdate() == business_day() == day_in(EAST)
    finally:
        timezone.deactivate()


def test_times_are_shown_in_the_companys_zone_to_people_without_one(client: Client) -> None:
    """Whoever has a zone of their own reads in that."""
    CompanyProfile.objects.update(time_zone=EAST)
    moment = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    shown = {}
    for name, zone in (("ann", ""), ("bob", WEST), ("eve", "Mars/Base")):
        user = make.make_user(name, time_zone=zone)
        product = make.make_product(f"P-{name}")
        type(product).objects.filter(pk=product.pk).update(created_at=moment)
        client.force_login(user)
        shown[name] = client.get(registry["product"].url_for(product)).content.decode()
    assert all("2026-01-02" in shown[name] or "2 January" in shown[name] for name in ("ann", "eve"))
    assert "2026-01-02" not in shown["bob"] and "2 January" not in shown["bob"]


def test_the_environment_only_seeds_the_profile(settings) -> None:
    """A new installation takes SANHE_TIME_ZONE; afterwards `migrate` changes nothing."""
    from django.apps import apps

    CompanyProfile.objects.all().delete()
    settings.TIME_ZONE = EAST
    install(apps.get_app_config("oa"))
    assert CompanyProfile.current().time_zone == EAST
    settings.TIME_ZONE = WEST
    install(apps.get_app_config("oa"))
    assert CompanyProfile.current().time_zone == EAST
