from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OaConfig(AppConfig):
    """What is internal: organisation, records of every kind, approvals, announcements, reports by mail."""

    name = "oa"
    verbose_name = _("Office")

    def ready(self) -> None:
        from kit.rules.days import count_days_in
        from kit.rules.discovery import load_rooms
        from oa.organisation.zones import known_zone
        from oa.setup import install

        post_migrate.connect(install, sender=self, dispatch_uid="oa.setup")
        count_days_in(known_zone)
        load_rooms("oa")
