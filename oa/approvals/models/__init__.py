"""Flows, requests and what people decided."""

from oa.approvals.models.flows import Flow, FlowStep, FlowStepPerson, FlowVersion
from oa.approvals.models.forms import FormRequest, RequestForm
from oa.approvals.models.log import ApprovalAction, ApprovalCopy
from oa.approvals.models.proxies import Proxy
from oa.approvals.models.requests import ApprovalNode, ApprovalRequest, ApprovalTask

__all__ = [
    "ApprovalAction",
    "ApprovalCopy",
    "ApprovalNode",
    "ApprovalRequest",
    "ApprovalTask",
    "Flow",
    "FlowStep",
    "FlowStepPerson",
    "FlowVersion",
    "FormRequest",
    "Proxy",
    "RequestForm",
]
