"""Clinical knowledge as data: findings, conditions, rules and complaints, checked when they are loaded."""

from careline.knowledge.base import Knowledge, KnowledgeError, knowledge, load
from careline.knowledge.schema import Complaint, Condition, Derived, Finding, Rule, When

__all__ = [
    "Complaint",
    "Condition",
    "Derived",
    "Finding",
    "Knowledge",
    "KnowledgeError",
    "Rule",
    "When",
    "knowledge",
    "load",
]
