"""The review sheet: what a person looks at before a de-identified recording is passed on, the borderline first."""

from __future__ import annotations

from collections.abc import Sequence

from cineloop.analysis.privacy.blanking import REASONS
from cineloop.analysis.privacy.doubts import Doubt, FrameKey
from cineloop.analysis.privacy.result import PrivacyResult
from cineloop.analysis.privacy.thumbnails import Thumbnails
from cineloop.report.html import (
    Banner,
    Bullets,
    Card,
    Cards,
    Cell,
    Column,
    Details,
    Fact,
    Gallery,
    Grid,
    Page,
    Paragraph,
    Picture,
    Section,
    Strip,
    Table,
    Tone,
    count,
    number,
    row,
)

# Bytes of small pictures on a sheet, at most; as text they take a third more.
_PICTURES = 1_700_000
_MOST_RANGES = 400

_KINDS = {
    "near": "Kept, with one of the highest scores",
    "island": "A short stretch that was kept between two that were removed",
    "edge": "Kept, beside what was removed",
    "removed": "Removed, and the gate was hardly sure",
}
_REASONS = {
    "outside": "the gate: out of the body",
    "unknown": "nothing is known",
    "lingering": "not over yet: below the threshold, above its release",
    "padding": "beside what was removed",
    "island": "a short stretch between two",
}
# Doubts of a higher degree are marked.
_CLOSE = 0.8


def review_page(
    result: PrivacyResult, doubts: Sequence[Doubt], overview: Sequence[FrameKey], thumbnails: Thumbnails
) -> Page:
    """Return the sheet.

    Args:
        result: What was done.
        doubts: Places to look at, the most doubtful first.
        overview: Kept frames in which leftover text is to be looked for.
        thumbnails: Their pictures. Frames that were removed are shown only where the settings ask for it.
    """
    strips, left_out = _strips(result, doubts, thumbnails)
    return Page(
        title="De-identified recording: review before it is passed on",
        kicker="Review",
        subtitle=f"{count(sum(part.frames for part in result.parts), 'frame')}, {_clock(result.seconds)}",
        banners=tuple(Banner(text) for text in result.warnings) + _open(result),
        sections=(
            Section("What was done", (_cards(result),)),
            Section(
                "Look at these first",
                (
                    Gallery(strips) if strips else Paragraph("There is nothing that was nearly decided otherwise."),
                    *(
                        [Paragraph(f"{count(left_out, 'more place')} left out for the sheet's size.")]
                        if left_out
                        else []
                    ),
                ),
                intro="Places where the decision was close, the closest first. Pictures show what was kept, as it is.",
                short="Doubts",
            ),
            Section(
                "Is there text left?",
                (_overview(overview, thumbnails), _masks(result)),
                intro="Frames spread over what was kept. A name, a number or a date in one of them is in all of them.",
                short="Text",
            ),
            Section("All that was removed", (_ranges(result),), short="Removed"),
        ),
        provenance=tuple(Fact(name, value) for name, value in result.versions.items())
        + tuple(Fact(file.name, file.sha256) for file in result.files),
    )


def _open(result: PrivacyResult) -> tuple[Banner, ...]:
    if not result.settings.review_removed:
        return ()
    return (Banner("This sheet shows frames that were removed. It is as private as the recording itself.", "bad"),)


def _cards(result: PrivacyResult) -> Cards:
    shares = {
        reason: sum(each.last - each.first + 1 for each in result.removed if each.reason == reason)
        for reason in REASONS
    }
    total = max(1, sum(part.frames for part in result.parts))
    parts = ", ".join(f"{reason} {shares[reason] / total:.1%}" for reason in REASONS if shares[reason])
    filled = max((float(part.mask.filled.mean()) for part in result.parts), default=0.0)
    boxes = sum(len(part.mask.boxes) for part in result.parts)
    return Cards(
        (
            Card("Frames removed", f"{result.removed_share:.1%}", parts, lead=True),
            Card("Threshold of the gate", number(result.threshold), f"release {result.settings.release:g} of it"),
            Card("Picture filled", f"{filled:.1%}", f"the most of a part; {count(boxes, 'rectangle')}"),
        )
    )


def _strips(result: PrivacyResult, doubts: Sequence[Doubt], thumbnails: Thumbnails) -> tuple[tuple[Strip, ...], int]:
    strips: list[Strip] = []
    spent = 0
    for place, doubt in enumerate(doubts):
        pictures = _pictures(doubt.kept, thumbnails, "kept")
        if result.settings.review_removed:
            pictures += _pictures(doubt.removed, thumbnails, "removed")
        spent += sum(len(picture.data) for picture in pictures)
        if spent > _PICTURES:
            return tuple(strips), len(doubts) - place
        when = _clock(doubt.start) + (f" to {_clock(doubt.stop)}" if doubt.stop > doubt.start else "")
        score = "no score" if doubt.score is None else f"score {doubt.score:.3f} of {result.threshold:.3f}"
        tone: Tone = "bad" if doubt.degree > _CLOSE else "plain"
        strips.append(Strip(f"{when}: {_KINDS[doubt.kind]}", pictures, detail=score, tone=tone))
    return tuple(strips), 0


def _pictures(keys: Sequence[FrameKey], thumbnails: Thumbnails, what: str) -> tuple[Picture, ...]:
    found = (
        thumbnails.picture(
            key, f"Frame {key[1]} of part {key[0] + 1}, {what}", f"part {key[0] + 1}, frame {key[1]}, {what}"
        )
        for key in keys
    )
    return tuple(picture for picture in found if picture is not None)


def _overview(overview: Sequence[FrameKey], thumbnails: Thumbnails) -> Grid | Paragraph:
    pictures = _pictures(overview, thumbnails, "kept")
    return Grid(pictures) if pictures else Paragraph("Nothing was kept.")


def _masks(result: PrivacyResult) -> Table | Bullets:
    rows = []
    for part in result.parts:
        mask = part.mask
        if mask.content is not None and mask.content.shape != "full":
            rows.append(row(str(part.number), f"outside of the {mask.content.shape}", "the endoscope's picture"))
        for each in mask.boxes:
            where = f"{each.box.x}, {each.box.y}, {each.box.width} x {each.box.height}"
            rows.append(row(str(part.number), where, "given" if each.origin == "given" else "found"))
    if not rows:
        return Bullets(("Nothing is filled: no text was found, no region given, and the picture has no border.",))
    columns = (Column("part"), Column("filled, in pixels"), Column("why"))
    return Table("What is filled with black in every frame that was kept.", columns, tuple(rows))


def _ranges(result: PrivacyResult) -> Details | Paragraph:
    if not result.removed:
        return Paragraph("Nothing was removed.")
    rows = tuple(
        row(
            Cell(f"{_clock(each.start)} to {_clock(each.stop)}"),
            str(each.part),
            f"{each.first} to {each.last}",
            _REASONS[each.reason],
            number(each.scores.low),
            number(each.scores.high),
        )
        for each in result.removed[:_MOST_RANGES]
    )
    columns = (
        Column("when"),
        Column("part", numeric=True),
        Column("frames", numeric=True),
        Column("why"),
        Column("lowest score", numeric=True),
        Column("highest score", numeric=True),
    )
    more = len(result.removed) - len(rows)
    note = f"{count(more, 'more range')} in audit.csv." if more else ""
    table = Table("Ranges of frames that were removed.", columns, rows, note)
    return Details(count(len(result.removed), "range"), (table,), open=len(rows) <= 12)


def _clock(seconds: float) -> str:
    """Return a time on the procedure's clock, ``1:02:03.4``; cut, as a clock goes."""
    tenths = int(seconds * 10 + 1e-6)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    return f"{hours}:{minutes:02d}:{rest // 10:02d}.{rest % 10}"
