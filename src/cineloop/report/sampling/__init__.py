"""Which frames of which video a model sees: tables of samples, their statistics, files of them, and a page."""

from cineloop.report.sampling.decoded import from_records, to_records
from cineloop.report.sampling.page import Origin, page
from cineloop.report.sampling.plan import Method, Plan, plan
from cineloop.report.sampling.published import Layout, read_csv, write_csv
from cineloop.report.sampling.samples import Clip, Sample, Samples
from cineloop.report.sampling.sheets import Sheet, decode_sheets
from cineloop.report.sampling.statistics import Measures, Summary, measure, summarise

__all__ = [
    "Clip",
    "Layout",
    "Measures",
    "Method",
    "Origin",
    "Plan",
    "Sample",
    "Samples",
    "Sheet",
    "Summary",
    "decode_sheets",
    "from_records",
    "measure",
    "page",
    "plan",
    "read_csv",
    "summarise",
    "to_records",
    "write_csv",
]
