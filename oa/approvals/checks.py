"""Invariants of approvals: who decided, what was approved, what became of it, and that somebody can go on."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _

from kit.rules.checks import LIMIT, Row, check, rows
from oa.approvals.conditions import Fact, holds
from oa.approvals.contents import digest
from oa.approvals.models import ApprovalNode, ApprovalRequest, FlowStep
from oa.approvals.registry import approvables

CHUNK = 2000

# A verdict of a person: on their own task or in place of the absent one, never the applicant's unless the flow lets
# applicants decide, never twice at a step. A verdict without a person: by the clock of the step only.
_ENTITLED = """
SELECT a.id AS action, a.request_id AS request, a.by_id AS person, a.act
  FROM oa_approvalaction a
  JOIN oa_approvaltask t ON t.id = a.task_id
  JOIN oa_approvalrequest r ON r.id = a.request_id
  JOIN oa_flowversion v ON v.id = r.flow_version_id
  LEFT JOIN oa_approvalnode n ON n.id = t.node_id
  LEFT JOIN oa_flowstep s ON s.id = n.step_id
  LEFT JOIN oa_proxy p ON p.id = a.proxy_id
 WHERE a.act IN ('approve', 'handle', 'reject', 'return', 'advise') AND NOT coalesce(
       CASE WHEN a.by_id IS NULL THEN s.hours IS NOT NULL AND s.on_timeout <> 'remind' AND a.at >= t.due_at
            WHEN a.proxy_id IS NULL THEN a.by_id = t.user_id AND a.behalf_id IS NULL
            ELSE a.by_id = p.proxy_id AND t.user_id = p.principal_id AND a.behalf_id = p.principal_id
                 AND a.day BETWEEN p.since AND p.until
                 AND (p.revoked_at IS NULL OR p.revoked_at >= a.at)
                 AND (p.kinds = '{}' OR r.kind = ANY (p.kinds))
       END AND (a.by_id IS DISTINCT FROM r.applicant_id
                OR (a.proxy_id IS NULL AND (v.on_self = 'allow' OR s.who = 'applicant'))), FALSE)
UNION ALL
SELECT min(a.id), a.request_id, a.by_id, 'twice'
  FROM oa_approvalaction a JOIN oa_approvaltask t ON t.id = a.task_id
 WHERE a.act IN ('approve', 'reject') AND t.state IN ('approved', 'rejected') AND a.by_id IS NOT NULL
   AND t.node_id IS NOT NULL
 GROUP BY t.node_id, a.request_id, a.by_id HAVING count(*) > 1
"""
# What the state says happened is in the history, once; a task's verdict is in the history and the other way round.
_HISTORY = """
WITH acts AS (
    SELECT request_id, count(*) FILTER (WHERE act = 'effect') AS effects,
           count(*) FILTER (WHERE act = 'submit') AS submits, count(*) FILTER (WHERE act = 'withdraw') AS withdrawn,
           count(*) FILTER (WHERE act = 'cancel') AS cancelled
      FROM oa_approvalaction GROUP BY request_id
)
SELECT r.id AS request, r.state FROM oa_approvalrequest r LEFT JOIN acts a ON a.request_id = r.id
 WHERE coalesce(a.submits, 0) <> 1
    OR coalesce(a.effects, 0) <> (r.state = 'approved')::int
    OR coalesce(a.withdrawn, 0) <> (r.state = 'withdrawn')::int
    OR coalesce(a.cancelled, 0) <> (r.state = 'cancelled')::int
UNION ALL
SELECT t.request_id, t.state FROM oa_approvaltask t
 WHERE t.state IN ('approved', 'rejected', 'returned') AND t.role <> 'revise' AND NOT EXISTS (
       SELECT 1 FROM oa_approvalaction a WHERE a.task_id = t.id AND a.act = CASE t.state
           WHEN 'rejected' THEN 'reject' WHEN 'returned' THEN 'return' ELSE a.act END
           AND (t.state <> 'approved' OR a.act IN ('approve', 'handle', 'advise')))
"""
# An open request waits for somebody; a closed one for nobody. Nothing runs beneath what is decided.
_WAITING = """
SELECT r.id AS request, r.state, 'nobody is asked' AS what FROM oa_approvalrequest r
 WHERE r.state IN ('running', 'returned') AND NOT EXISTS (
       SELECT 1 FROM oa_approvaltask t WHERE t.request_id = r.id AND t.state = 'running'
          AND (t.role = 'revise') = (r.state = 'returned'))
UNION ALL
SELECT r.id, r.state, 'somebody is asked' FROM oa_approvalrequest r
 WHERE r.state NOT IN ('running', 'returned') AND (EXISTS (
       SELECT 1 FROM oa_approvaltask t WHERE t.request_id = r.id AND t.state IN ('running', 'waiting', 'delegated'))
    OR EXISTS (SELECT 1 FROM oa_approvalnode n WHERE n.request_id = r.id AND n.state = 'running'))
UNION ALL
SELECT n.request_id, n.state, 'asked at a decided step' FROM oa_approvalnode n
 WHERE n.state <> 'running' AND EXISTS (
       SELECT 1 FROM oa_approvaltask t WHERE t.node_id = n.id AND t.state IN ('running', 'waiting', 'delegated'))
"""
_ORPHANED = """
SELECT t.id AS task, t.request_id AS request, u.username AS person
  FROM oa_approvaltask t JOIN oa_user u ON u.id = t.user_id
 WHERE t.state IN ('running', 'waiting', 'delegated') AND NOT u.is_active
"""
_FORMS = """
SELECT d.id AS request, d.state FROM oa_formrequest d
  JOIN django_content_type c ON c.app_label = 'oa' AND c.model = 'formrequest'
  LEFT JOIN oa_approvalrequest r ON r.content_type_id = c.id AND r.object_id = d.id AND r.state = 'running'
 WHERE (d.state = 'approving') <> (r.id IS NOT NULL)
    OR (d.state = 'approved') <> EXISTS (SELECT 1 FROM oa_approvalrequest a
        WHERE a.content_type_id = c.id AND a.object_id = d.id AND a.state = 'approved')
"""


@check("I-27", _("every approval decision is by somebody entitled at that time, not the applicant, once"))
def entitled() -> Iterator[Row]:
    """Decisions of people who were not asked, of the applicant, or twice at one step."""
    yield from rows(_ENTITLED)


@check("I-28", _("what is approved had every step it needs, for exactly that content"))
def approved_content() -> Iterator[Row]:
    """Approved requests with a needed step that was not approved for these facts, or whose content was touched."""
    known: dict[str, dict[str, Fact]] = {}  # by kind
    steps: dict[int, list[FlowStep]] = {}
    nodes = Prefetch("nodes", ApprovalNode.objects.filter(state="approved").only("request_id", "step_id", "facts_hash"))
    found = 0
    approved = ApprovalRequest.objects.filter(state="approved").only(
        "kind", "flow_version_id", "facts", "facts_hash", "content", "content_hash"
    )
    for request in approved.prefetch_related(nodes).iterator(CHUNK):
        if request.kind not in known:
            known[request.kind] = approvables.get(request.kind).known
        if request.flow_version_id not in steps:
            steps[request.flow_version_id] = list(FlowStep.objects.filter(flow_version=request.flow_version_id))
        wrong = _wrong(request, known[request.kind], steps[request.flow_version_id])
        if wrong:
            yield {"request": request.pk, "what": wrong}
            found += 1
            if found >= LIMIT:
                return


def _wrong(request: ApprovalRequest, known: dict[str, Fact], steps: list[FlowStep]) -> str:
    if digest(request.facts) != request.facts_hash or digest(request.content) != request.content_hash:
        return "content"
    passed = {node.step_id for node in request.nodes.all() if node.facts_hash == request.facts_hash}
    missing = [step.name for step in steps if step.pk not in passed and _was_needed(step, request, known)]
    return f"steps {missing}" if missing else ""


def _was_needed(step: FlowStep, request: ApprovalRequest, known: dict[str, Fact]) -> bool:
    """Whether a step was needed, as far as that can be told: a form may have lost the field since."""
    if any(comparison["field"] not in known for group in step.conditions for comparison in group):
        return False
    return holds(step.conditions, request.facts, known)


@check("I-29", _("the state of an approval follows from its history, and somebody is asked while it is open"))
def history() -> Iterator[Row]:
    """Requests whose state the history does not explain, and requests that wait for nobody."""
    yield from rows(_HISTORY)
    yield from rows(_WAITING)
    yield from rows(_FORMS)


@check("I-34", _("open approvals wait for people who work here"))
def orphaned() -> Iterator[Row]:
    """Tasks of people who have left."""
    yield from rows(_ORPHANED)
