"""The one customer record of the company, its contacts and addresses."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.customers.plain import NameWords, Plain
from kit.rules.history import tracked
from kit.rules.permissions import scoped
from kit.rules.search import PinyinField, search_column
from oa.records.models import Master, Record


class CustomerType(models.TextChoices):
    COMPANY = "company", _("company")
    PERSON = "person", _("person")


class Grade(models.TextChoices):
    A = "A", "A"
    B = "B", "B"
    C = "C", "C"
    D = "D", "D"


class CustomerStatus(models.TextChoices):
    PROSPECT = "prospect", _("prospect")
    ACTIVE = "active", pgettext_lazy("customer", "active")
    DORMANT = "dormant", _("dormant")
    LOST = "lost", _("lost")
    BLOCKED = "blocked", _("blocked")


class Source(models.TextChoices):
    REFERRAL = "referral", _("referral")
    WEBSITE = "website", _("website")
    FAIR = "fair", _("trade fair")
    PHONE = "phone", _("phone call")
    ADVERT = "advert", _("advertisement")
    PARTNER = "partner", pgettext_lazy("source", "partner")
    OTHER = "other", _("other")


@tracked()
class CustomerGroup(Master):
    """A group of customers, such as retail or export."""

    class Meta(Master.Meta):
        verbose_name = _("customer group")
        verbose_name_plural = _("customer groups")


@tracked()
class Tag(Master):
    """A free label on customers."""

    class Meta(Master.Meta):
        verbose_name = _("customer tag")
        verbose_name_plural = _("customer tags")


@tracked()
class Customer(Record):
    """A company or person we sell to or want to sell to: the only customer record of all apps."""

    code = models.CharField(_("code"), max_length=60, unique=True, blank=True)
    name = models.CharField(_("name"), max_length=200)
    short_name = models.CharField(_("short name"), max_length=60, blank=True)
    type = models.CharField(_("type"), max_length=8, choices=CustomerType, default=CustomerType.COMPANY)
    group = models.ForeignKey(CustomerGroup, models.PROTECT, null=True, blank=True, verbose_name=_("group"))
    grade = models.CharField(_("grade"), max_length=1, choices=Grade, blank=True)
    status = models.CharField(_("status"), max_length=9, choices=CustomerStatus, default=CustomerStatus.PROSPECT)
    source = models.CharField(_("source"), max_length=9, choices=Source, blank=True)
    industry = models.CharField(_("industry"), max_length=80, blank=True)
    country = models.CharField(_("country"), max_length=80, blank=True)
    region = models.CharField(_("region"), max_length=80, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    website = models.CharField(_("website"), max_length=200, blank=True)
    tax_number = models.CharField(_("tax number"), max_length=40, blank=True)
    invoice_title = models.CharField(_("invoice title"), max_length=200, blank=True)
    invoice_address = models.CharField(_("invoice address and phone"), max_length=300, blank=True)
    bank_name = models.CharField(_("bank"), max_length=120, blank=True)
    bank_account = models.CharField(_("bank account"), max_length=60, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name=_("owner"),
    )
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("department")
    )
    tags = models.ManyToManyField(Tag, blank=True, verbose_name=_("tags"))
    last_contact_at = models.DateTimeField(_("last contact"), null=True, editable=False)
    next_contact_on = models.DateField(_("next contact"), null=True, editable=False)
    note = models.TextField(_("note"), blank=True)
    active = models.BooleanField(_("active"), default=True)
    pinyin = PinyinField(sources=("name", "short_name"))
    search = search_column("code", "name", "short_name", "phone", "tax_number", "city", "pinyin")

    objects = scoped("").as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["code"]
        indexes = [
            GinIndex(fields=["search"], name="customer_search"),
            models.Index(fields=["owner", "code"], name="customer_owner"),
            models.Index(fields=["department", "code"], name="customer_department"),
            models.Index(
                fields=["owner", "next_contact_on"],
                name="customer_next_contact",
                condition=models.Q(active=True, next_contact_on__isnull=False),
            ),
            models.Index(Plain(NameWords("name")), name="customer_plain_name"),
            models.Index(Plain("tax_number"), name="customer_plain_number", condition=~models.Q(tax_number="")),
        ]

    def __str__(self) -> str:
        return self.short_name or self.name


class AddressRole(models.TextChoices):
    OFFICE = "office", _("office")
    DELIVERY = "delivery", _("delivery")
    INVOICE = "invoice", _("invoice")
    OTHER = "other", _("other")


@tracked()
class Address(Record):
    """One more address of a customer, with what it is for."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="addresses", verbose_name=_("customer"))
    role = models.CharField(_("used for"), max_length=8, choices=AddressRole, default=AddressRole.DELIVERY)
    recipient = models.CharField(_("recipient"), max_length=120, blank=True)
    line = models.CharField(_("address"), max_length=300)
    city = models.CharField(_("city"), max_length=80, blank=True)
    region = models.CharField(_("region"), max_length=80, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=80, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    active = models.BooleanField(_("active"), default=True)

    objects = scoped("customer__").as_manager()

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering = ["customer", "role", "id"]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.recipient, self.line, self.city, self.country) if part)


@tracked()
class Contact(Record):
    """A person at a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contacts", verbose_name=_("customer"))
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=60, blank=True, help_text=_("decides, uses, buys, pays, …"))
    title = models.CharField(_("job title"), max_length=120, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    wechat = models.CharField(_("WeChat"), max_length=60, blank=True)
    primary = models.BooleanField(_("main contact"), default=False)
    active = models.BooleanField(_("active"), default=True)
    note = models.TextField(_("note"), blank=True)
    pinyin = PinyinField(sources=("name",))
    search = search_column("name", "title", "phone", "email", "pinyin")

    objects = scoped("customer__").as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["customer", "-primary", "name", "id"]
        indexes = [GinIndex(fields=["search"], name="contact_search")]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=models.Q(primary=True),
                name="contact_one_primary",
                violation_error_message=_("This customer has a main contact already."),
            )
        ]

    def __str__(self) -> str:
        return self.name
