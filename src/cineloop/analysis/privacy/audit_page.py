"""An audit of blanking as a page for a person."""

from __future__ import annotations

from collections.abc import Sequence

from cineloop.analysis.privacy.audit_facts import AuditFacts
from cineloop.analysis.privacy.privacy_audit import PrivacyAudit
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.evaluation.missed import Share
from cineloop.report.html import Banner, Card, Cards, Fact, Facts, Page, Paragraph, Section, number

BOUNDS = (
    "Upper bounds are one-sided, of 95%, over patients: frames of one are missed together. Where fewer than two have a "
    "miss they are exact bounds of as many draws as there are patients, nearly 3 / n without a miss."
)
_HELD = "A label holds until the next one, so that times are as fine as the labels are."


def page(
    audit: PrivacyAudit, notes: Sequence[str], facts: AuditFacts, *, rate: float, settings: PrivacySettings
) -> Page:
    """Return the page of an audit.

    Args:
        audit: The figures.
        notes: What a reader must know of the data.
        facts: Of which model, and when.
        rate: Frames a second that the model looked at.
        settings: How was blanked.
    """
    longest = max(each.longest_seconds for each in audit.procedures)
    lost = "–" if audit.lost_share is None else f"{audit.lost_share:.1%}"
    between = "" if audit.lost_low is None else f"95% interval {audit.lost_low:.1%} to {audit.lost_high:.1%}"
    hour = "" if audit.per_hour_upper is None else f"at most {number(audit.per_hour_upper, 1)} s (one-sided 95%)"
    cards = (
        _card("Frames left", audit.frames, "Labelled frames out of the body that blanking would have left."),
        _card("Procedures with any", audit.cases, "Of those with a labelled frame out of the body."),
        Card("Left in an hour", f"{number(audit.per_hour, 1)} s", hour, "Of recording."),
        Card("Longest stretch left", f"{number(longest, 1)} s", "", "In any procedure."),
        Card("Lost inside", lost, between, "Share of the time inside the body that blanking takes away."),
    )
    return Page(
        title="What de-identification lets slip",
        kicker="Privacy audit",
        chips=(
            Fact("procedures", f"{len(audit.procedures):,}"),
            Fact("audited", facts.made[:16].replace("T", " ") + " UTC"),
            Fact("looked", f"{rate:g} frames a second"),
            Fact("padding", f"{settings.padding:g} s"),
        ),
        banners=tuple(Banner(text, "info") for text in notes),
        sections=(
            Section(
                "All procedures", (Cards(cards), Paragraph(BOUNDS, "muted"), Paragraph(_HELD, "muted")), short="All"
            ),
            Section("By procedure", (audit.table(),), "The worst first.", "Each"),
            Section("Model and settings", (Facts((*facts.facts(), *_settings(rate, settings))),), short="Model"),
        ),
        provenance=(Fact("cineloop", facts.version),),
    )


def _settings(rate: float, settings: PrivacySettings) -> tuple[Fact, ...]:
    return (
        Fact("Frames a second", f"{rate:g}"),
        Fact("Release", f"{settings.release:g} of the threshold"),
        Fact("Padding", f"{settings.padding:g} s"),
        Fact("Longest gap between looks", f"{settings.gap:g} s"),
        Fact("Shortest stretch that is kept", f"{settings.least_inside:g} s"),
    )


def share_text(share: Share) -> str:
    """Return a share with its bound, in words."""
    bound = "" if share.upper is None else f", at most {share.upper:.2%}"
    return f"{share.missed:,} of {share.of:,}{bound}"


def _card(title: str, share: Share, definition: str) -> Card:
    bound = "" if share.upper is None else f"at most {share.upper:.2%} (one-sided 95%, {share.how})"
    return Card(title, f"{share.missed:,} of {share.of:,}", bound, definition)
