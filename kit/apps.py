from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AdminConfig):
    """Django's admin with our site of it."""

    default = False
    default_site = "kit.pages.backoffice.BackOffice"


class KitConfig(AppConfig):
    """The user-interface kit and value types: no models of its own, knows no app."""

    name = "kit"
    default = True

    def ready(self) -> None:
        from kit.pages import checks  # noqa: F401  (registers the system checks)
