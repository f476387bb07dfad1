from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The assembled program: only management commands, no models."""

    name = "config"
