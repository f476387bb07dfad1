from django.apps import AppConfig


class KitConfig(AppConfig):
    """The user-interface kit and value types: no models of its own, knows no app."""

    name = "kit"
