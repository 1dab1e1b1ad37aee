"""The audit of a cohort: leaks, copies, broken files, shortcuts."""

from cineloop.cohort.audit.result import LEAKS, Audit, Finding, Pair, Severity, Spread
from cineloop.cohort.audit.run import audit, require_clean

__all__ = ["LEAKS", "Audit", "Finding", "Pair", "Severity", "Spread", "audit", "require_clean"]
