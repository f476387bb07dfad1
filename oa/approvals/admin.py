"""Back office of approvals, to be read: flows and requests are worked on at their pages."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin, ReadOnlyInline
from oa.approvals.models import (
    ApprovalAction,
    ApprovalRequest,
    Flow,
    FlowStep,
    FlowVersion,
    FormRequest,
    Proxy,
    RequestForm,
)


class StepInline(ReadOnlyInline):
    """The steps of a version."""

    model = FlowStep
    fields = ["stage", "name", "kind", "who", "how", "signed"]


class ActionInline(ReadOnlyInline):
    """What happened to a request."""

    model = ApprovalAction
    fields = ["at", "act", "by", "behalf", "target", "text", "signature"]


@admin.register(Flow)
class FlowAdmin(ReadOnlyAdmin):
    """Flows."""

    list_display = ["code", "name", "kind", "admin", "active"]
    list_filter = ["active"]
    list_select_related = ["admin"]
    search_fields = ["code", "name"]


@admin.register(FlowVersion)
class FlowVersionAdmin(ReadOnlyAdmin):
    """Versions with their steps."""

    list_display = ["flow", "number", "state", "published_at"]
    list_filter = ["state"]
    list_select_related = ["flow"]
    inlines = [StepInline]


@admin.register(FlowStep)
class FlowStepAdmin(ReadOnlyAdmin):
    """Steps of all versions."""

    list_display = ["flow_version", "stage", "name", "kind", "who"]
    list_select_related = ["flow_version__flow"]
    search_fields = ["name"]


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnlyAdmin):
    """Requests with their history."""

    list_display = ["submitted_at", "title", "applicant", "state"]
    list_filter = ["state"]
    list_select_related = ["applicant"]
    search_fields = ["title"]
    inlines = [ActionInline]


@admin.register(RequestForm)
class RequestFormAdmin(ReadOnlyAdmin):
    """Forms."""

    list_display = ["code", "name", "active"]
    search_fields = ["code", "name"]


@admin.register(FormRequest)
class FormRequestAdmin(ReadOnlyAdmin):
    """Requests made with forms."""

    list_display = ["number", "title", "form", "owner", "state"]
    list_filter = ["state"]
    list_select_related = ["form", "owner"]
    search_fields = ["number", "title"]


@admin.register(Proxy)
class ProxyAdmin(ReadOnlyAdmin):
    """Absence proxies."""

    list_display = ["principal", "proxy", "since", "until", "revoked_at"]
    list_select_related = ["principal", "proxy"]
