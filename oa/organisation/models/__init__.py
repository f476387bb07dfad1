"""Who works here, where, and what they may see."""

from oa.organisation.models.company import CompanyProfile
from oa.organisation.models.people import Department, Position, Post, Role, User
from oa.organisation.models.rights import RoleRight, UserRight, UserRole

__all__ = ["CompanyProfile", "Department", "Position", "Post", "Role", "RoleRight", "User", "UserRight", "UserRole"]
