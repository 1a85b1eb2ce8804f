"""Shows results: view models for the templates in `reports/`, and the one page that they fill."""

from conformance.report.page import ReportUnwritableError, write

__all__ = ["ReportUnwritableError", "write"]
