"""Staff: who works at the desk, how they get in, and what they may do."""

from careline.clinic.staff.models import BreakGlass, LoginFailure, Role, StaffMember, StaffSession

__all__ = ["BreakGlass", "LoginFailure", "Role", "StaffMember", "StaffSession"]
