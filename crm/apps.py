from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    """What looks outward: customers, contacts, follow-ups, contracts, marketing."""

    name = "crm"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from crm.setup import install
        from kit.rules.discovery import load_rooms

        post_migrate.connect(install, sender=self, dispatch_uid="crm.setup")
        load_rooms("crm")
