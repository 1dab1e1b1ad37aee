"""A whole procedure in one streaming pass: stages, timeline, indicators, report, de-identification."""
