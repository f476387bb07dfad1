"""System checks: a declaration that names something the model does not have is refused at start."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from kit.pages.columns import field_of
from kit.pages.panels import ANY, panels
from kit.pages.resources import registry, unknown_names


@register()
def check_resources(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every name in a resource exists on its model; every transition has its command."""
    errors: list[CheckMessage] = []
    for resource in registry.values():
        for name in unknown_names(resource):
            errors.append(
                Error(
                    f"{type(resource).__name__} names “{name}”, which {resource.meta.label} does not have.",
                    obj=resource.model,
                    id="kit.E001",
                )
            )
        states = resource.states
        wanted = {t.name for t in states.transitions if not t.internal} if states else set()
        for name in sorted(wanted - set(resource.run)):
            errors.append(
                Error(
                    f"{type(resource).__name__} has no command for the transition “{name}”.",
                    obj=resource.model,
                    id="kit.E002",
                )
            )
    return errors


@register()
def check_panels(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every list panel names a resource and a field of it."""
    errors: list[CheckMessage] = []
    for label, found in panels.items():
        for panel in found:
            if not panel.resource:
                continue
            resource = registry.get(panel.resource)
            if resource is None or (label != ANY and panel.by and field_of(resource.model, panel.by) is None):
                errors.append(
                    Error(
                        f"Panel “{panel.name}” of {label} names the unknown {panel.resource}.{panel.by}.", id="kit.E003"
                    )
                )
    return errors
