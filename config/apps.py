from importlib import import_module

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The assembled program: management commands and the Celery application, no models."""

    name = "config"

    def ready(self) -> None:
        import_module("config.celery")  # so that tasks queued by web processes find the broker


class FactorsConfig(AppConfig):
    """django-allauth's tables of second factors, without its pages, signals and login: ours are in oa.organisation."""

    name = "allauth.mfa"
    label = "mfa"


class AccountConfig(AppConfig):
    """What the tables above import; its own two stay empty, and its middleware and pages are not used."""

    name = "allauth.account"
    label = "account"
    default_auto_field = "django.db.models.AutoField"  # as its migrations have it
