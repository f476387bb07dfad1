"""Products, warehouses and the stock ledger.

`StockMove` is the ledger: append-only, one row per movement, valued when it is posted. `StockLevel` is its
running state per product and warehouse. Only `erp.inventory.ledger` writes them (DESIGN decision 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from erp.finance.models import Account, JournalEntry, PostingGroup, Supplier, TaxCode
from erp.inventory.standing import left_behind
from kit.rules.fields import MoneyField, PriceField, QuantityField, RateField, ToleranceField, tolerable
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.search import PinyinField, search_column
from oa.records.guards import append_only, posted_now
from oa.records.models import Master, Record


@tracked()
class Unit(Master):
    """A unit of measure with its decimals."""

    decimals = models.PositiveSmallIntegerField(_("decimals"), default=0, validators=[MaxValueValidator(4)])

    class Meta(Master.Meta):
        verbose_name = _("unit")
        verbose_name_plural = _("units")

    def clean(self) -> None:
        """Decimals that stock has stay: half a piece could never leave again (rule G-13)."""
        super().clean()
        levels = StockLevel.objects.filter(product__unit=self.pk).annotate(fits=Round("on_hand", self.decimals or 0))
        level = levels.exclude(on_hand=F("fits")).select_related("product").first() if self.pk else None
        if level is not None:
            text = _("%(product)s has %(quantity)s in stock, which needs more decimals.")
            facts = {"product": level.product.code, "quantity": f"{level.on_hand.normalize():f}"}
            raise ValidationError({"decimals": ValidationError(text, params=facts)})


@tracked()
class ProductGroup(Master):
    """A category of products; may decide the accounts they post to."""

    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent group")
    )
    posting_group = models.ForeignKey(
        PostingGroup, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("posting group")
    )
    tolerance = ToleranceField(_("over-delivery tolerance %"), null=True, blank=True)

    stored: Mapping[str, Any] = {}  # the posting group as it is in the database

    class Meta(Master.Meta):
        verbose_name = _("product group")
        verbose_name_plural = _("product groups")
        constraints = [tolerable("tolerance", "product_group_tolerance")]

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any) -> ProductGroup:
        """Remember what `clean` compares with."""
        group = super().from_db(db, field_names, values)
        group.stored = {name: group.__dict__[name] for name in ("posting_group_id",) if name in group.__dict__}
        return group

    def clean(self) -> None:
        """Stock keeps the inventory account it stands on (rule V-14)."""
        super().clean()
        if self.stored.get("posting_group_id", self.posting_group_id) != self.posting_group_id:
            refusal = left_behind(StockLevel.objects.filter(product__group=self.pk), self.posting_group_id)
            if refusal:
                raise ValidationError({"posting_group": refusal})


class ProductKind(models.TextChoices):
    GOODS = "goods", _("goods (kept in stock)")
    SERVICE = "service", _("service")


FIXED = ("kind", "unit_id", "group_id")  # columns of a product that not every product may change


@tracked()
class Product(Record):
    """What is bought, stocked and sold."""

    code = models.CharField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    name_en = models.CharField(_("English name"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=7, choices=ProductKind, default=ProductKind.GOODS)
    group = models.ForeignKey(
        ProductGroup, models.PROTECT, null=True, blank=True, related_name="products", verbose_name=_("group")
    )
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    price = PriceField(_("sales price"), default=0)
    cost = PriceField(_("expected cost"), default=0)
    barcode = models.CharField(_("barcode"), max_length=60, blank=True)
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, null=True, blank=True, related_name="products", verbose_name=_("main supplier")
    )
    tax_code = models.ForeignKey(
        TaxCode, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("tax code")
    )
    minimum = QuantityField(_("minimum stock"), default=0)
    tolerance = ToleranceField(_("over-delivery tolerance %"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    active = models.BooleanField(_("active"), default=True)
    pinyin = PinyinField(sources=("name",))
    search = search_column("code", "name", "name_en", "barcode", "pinyin")

    objects = VisibleQuerySet.as_manager()
    stored: Mapping[str, Any] = {}  # kind, unit and group as they are in the database

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        permissions = [("exceed_tolerance", "Can allow more than the tolerance of an order")]
        ordering = ["code"]
        indexes = [
            GinIndex(fields=["search"], name="product_search"),
            models.Index(fields=["barcode"], name="product_barcode", condition=~Q(barcode="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(price__gte=0, cost__gte=0),
                name="product_price_not_negative",
                violation_error_message=_("Prices cannot be negative."),
            ),
            tolerable("tolerance", "product_tolerance"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any) -> Product:
        """Remember what `clean` compares with."""
        product = super().from_db(db, field_names, values)
        product.stored = {name: product.__dict__[name] for name in FIXED if name in product.__dict__}
        return product

    def clean(self) -> None:
        """Kind and own unit give every quantity its meaning: they stay once a document has the product.

        A product with stock moves between groups with the same inventory account only (rule V-14).
        """
        super().clean()
        changed = [name for name, value in self.stored.items() if value != getattr(self, name)]
        if "group_id" in changed:
            changed.remove("group_id")
            group = self.group.posting_group_id if self.group is not None else None
            if refusal := left_behind(StockLevel.objects.filter(product=self.pk), group):
                raise ValidationError({"group": refusal})
        if changed and self._in_use():
            text = _("%(product)s is used in documents: this cannot change any more. Make another product instead.")
            problem = ValidationError(text, params={"product": self.code})
            raise ValidationError({name.removesuffix("_id"): problem for name in changed})

    def _in_use(self) -> bool:
        """Whether anything that would refuse its deletion points to the product."""
        relations: list[Any] = [r for r in self._meta.get_fields(include_hidden=True) if r.auto_created]
        return any(
            r.related_model._base_manager.filter(**{r.field.name: self.pk}).exists()
            for r in relations
            if getattr(r, "on_delete", None) is models.PROTECT
        )

    @property
    def label(self) -> str:
        """The name in the language of the page."""
        chinese = (get_language() or "").startswith("zh")
        return self.name if chinese else self.name_en or self.name

    @property
    def stocked(self) -> bool:
        """Whether movements of this product go through the stock ledger."""
        return self.kind == ProductKind.GOODS


@tracked()
class ProductUnit(Record):
    """Another unit of a product: one of it is `factor` of the product's own unit (1 box = 12 pieces)."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="units", verbose_name=_("product"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    factor = RateField(_("factor"))

    class Meta:
        verbose_name = _("product unit")
        verbose_name_plural = _("product units")
        ordering = ["product", "unit"]
        constraints = [
            models.UniqueConstraint(fields=["product", "unit"], name="product_unit_once"),
            models.CheckConstraint(
                condition=Q(factor__gt=0),
                name="product_unit_factor",
                violation_error_message=_("The factor must be more than 0."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} = {self.factor.normalize():f}"

    def clean(self) -> None:
        """The product's own unit is worth itself."""
        super().clean()
        if self.product_id and self.unit_id == self.product.unit_id:
            raise ValidationError({"unit": _("This is the product's own unit; choose another one.")})


@tracked()
class Warehouse(Master):
    """A place where stock is kept and valued."""

    address = models.CharField(_("address"), max_length=300, blank=True)
    allow_negative = models.BooleanField(_("negative stock allowed"), default=False)

    class Meta(Master.Meta):
        verbose_name = _("warehouse")
        verbose_name_plural = _("warehouses")


ONE_ACCOUNT = "level_one_account"  # what the database calls a movement to an account that the stock is not on


class StockLevel(models.Model):
    """On hand, reserved and value of a product in a warehouse; locked before every movement.

    `account` is the inventory account that the value stands on, that of the last movement. While there is stock
    no movement may post to another one: the value per account would not tie any more (rule V-14).
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="levels", verbose_name=_("product"))
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="levels", verbose_name=_("warehouse"))
    on_hand = QuantityField(_("on hand"), default=0)
    reserved = QuantityField(_("reserved"), default=0)
    value = MoneyField(_("value"), default=0)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("inventory account")
    )
    allow_negative = models.BooleanField(default=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        ordering = ["product", "warehouse"]
        constraints = [
            models.UniqueConstraint(fields=["product", "warehouse"], name="level_once"),
            models.CheckConstraint(condition=Q(on_hand__gte=0) | Q(allow_negative=True), name="level_not_negative"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="level_reserved_positive"),
            models.CheckConstraint(
                condition=Q(reserved__lte=F("on_hand")) | Q(allow_negative=True), name="level_reserved_on_hand"
            ),
            models.CheckConstraint(
                condition=Q(on_hand=0, value=0) | Q(on_hand__gt=0, value__gte=0) | Q(on_hand__lt=0),
                name="level_value",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="one_account",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.account_id <> NEW.account_id AND (OLD.on_hand <> 0 OR OLD.value <> 0)"
                ),
                func=f"""
                    RAISE EXCEPTION 'The stock stands on another inventory account.'
                        USING ERRCODE = '23514', CONSTRAINT = '{ONE_ACCOUNT}',
                              DETAIL = (SELECT code FROM erp_product WHERE id = NEW.product_id);
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.product} @ {self.warehouse}: {self.on_hand}"


class MoveKind(models.TextChoices):
    RECEIPT = "receipt", pgettext_lazy("goods", "receipt")
    DELIVERY = "delivery", _("delivery")
    ADJUSTMENT = "adjustment", _("adjustment")
    OPENING = "opening", _("opening stock")
    VALUE = "value", _("value adjustment")


class StockMove(models.Model):
    """A movement of the stock ledger: signed quantity and value, and both after it (rule V-21).

    A row with quantity 0 is a value adjustment; `adjusts` names the movement whose cost became known later
    (rule V-10). `entry` is the journal entry that carries the same value on the inventory account.
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="moves", verbose_name=_("product"))
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="moves", verbose_name=_("warehouse"))
    kind = models.CharField(_("kind"), max_length=10, choices=MoveKind)
    date = models.DateField(_("date"))
    quantity = QuantityField(_("quantity"))
    value = MoneyField(_("value"))
    quantity_after = QuantityField(_("quantity after"))
    value_after = MoneyField(_("value after"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("inventory account"))
    entry = models.ForeignKey(
        JournalEntry, models.PROTECT, null=True, related_name="stock_moves", verbose_name=_("journal entry")
    )
    adjusts = models.ForeignKey("self", models.PROTECT, null=True, related_name="adjustments")
    source = models.CharField(max_length=40)
    source_id = models.BigIntegerField()
    source_line = models.BigIntegerField()
    number = models.CharField(_("document"), max_length=40)
    posted_at = models.DateTimeField(_("posted at"), default=timezone.now)
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    search = search_column("number")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("stock move")
        verbose_name_plural = _("stock moves")
        ordering = ["id"]
        permissions = [("backdate_stockmove", "Can post stock movements with an earlier date")]
        indexes = [
            models.Index(fields=["product", "warehouse", "date", "id"], name="move_product"),
            models.Index(fields=["source", "source_id"], name="move_source"),
            models.Index(fields=["-date", "-id"], include=["product"], name="move_date"),
            GinIndex(fields=["search"], name="move_search"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(quantity=0) | Q(kind="value"), name="move_quantity"),
            models.UniqueConstraint(
                fields=["source", "source_line", "product", "warehouse"],
                condition=~Q(kind="value"),
                name="move_once",
            ),
        ]
        triggers = [*posted_now(), *append_only()]

    def __str__(self) -> str:
        return f"{self.number} {self.product_id}: {self.quantity}"
