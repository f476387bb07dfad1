"""Who works here, where, and what they may see."""

from oa.organisation.models.access import LoginSession, SecondFactor
from oa.organisation.models.changes import PersonnelChange
from oa.organisation.models.company import CompanyProfile
from oa.organisation.models.duties import DutyConflict
from oa.organisation.models.people import Department, Position, Post, Role, User
from oa.organisation.models.rights import RoleRight, UserRight, UserRole

__all__ = [
    "CompanyProfile",
    "Department",
    "DutyConflict",
    "LoginSession",
    "PersonnelChange",
    "Position",
    "Post",
    "Role",
    "RoleRight",
    "SecondFactor",
    "User",
    "UserRight",
    "UserRole",
]
