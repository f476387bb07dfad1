from django.apps import AppConfig


class KitConfig(AppConfig):
    """The user-interface kit and value types: no models of its own, knows no app."""

    name = "kit"

    def ready(self) -> None:
        from kit.pages import checks  # noqa: F401  (registers the system checks)
