from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ErpConfig(AppConfig):
    """What looks inward: sales, purchasing, inventory, finance."""

    name = "erp"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from erp.setup import install
        from kit.rules.discovery import load_rooms

        post_migrate.connect(install, sender=self, dispatch_uid="erp.setup")
        load_rooms("erp")
