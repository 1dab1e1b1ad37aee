"""The report of an analysed procedure: ``report.json`` for programs, ``report.html`` for people."""

from cineloop.analysis.report.page import page
from cineloop.analysis.report.record import Report, json_schema, plain, read_report
from cineloop.analysis.report.write import write_report

__all__ = ["Report", "json_schema", "page", "plain", "read_report", "write_report"]
