from importlib import import_module

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The assembled program: management commands and the Celery application, no models."""

    name = "config"

    def ready(self) -> None:
        import_module("config.celery")  # so that tasks queued by web processes find the broker
