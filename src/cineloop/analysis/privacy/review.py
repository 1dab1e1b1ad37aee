"""The review sheet: what a person looks at before a de-identified recording is passed on, the doubtful first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from cineloop.analysis.privacy.doubts import Doubt, FrameKey
from cineloop.analysis.privacy.result import PrivacyResult
from cineloop.analysis.privacy.thumbnails import Thumbnails
from cineloop.analysis.privacy.words import words
from cineloop.analysis.words import LANGUAGES, Bilingual, Language
from cineloop.analysis.words.furniture import FURNITURE
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
    number,
    row,
)

# Bytes of small pictures on a sheet, at most; as text they take a third more.
_PICTURES = 1_700_000
_MOST_RANGES = 400

# Doubts of a higher degree are marked.
_CLOSE = 0.8


def review_page(
    result: PrivacyResult,
    doubts: Sequence[Doubt],
    overview: Sequence[FrameKey],
    thumbnails: Thumbnails,
    *,
    language: Language = "en",
) -> Page:
    """Return the sheet.

    Args:
        result: What was done.
        doubts: Places to look at, the most doubtful first.
        overview: Kept frames in which leftover text is to be looked for.
        thumbnails: Their pictures. Frames that were removed are shown only where the settings ask for it.
        language: Of the sheet.
    """
    say = words(language)
    strips, left_out = _strips(result, doubts, thumbnails, say)
    places = Gallery(strips) if strips else Paragraph(say("no_doubt"))
    more = (Paragraph(say("left_out", n=left_out)),) if left_out else ()
    frames = sum(part.frames for part in result.parts)
    return Page(
        title=say("title"),
        kicker=say("kicker"),
        subtitle=f"{say('frames', n=frames)}, {_clock(result.seconds)}",
        banners=tuple(Banner(LANGUAGES[language].say(said)) for said in result.warnings) + _open(result, say),
        sections=(
            Section(say("done"), (_cards(result, say),)),
            Section(say("first"), (places, *more), intro=say("first_intro"), short=say("first_short")),
            Section(
                say("text"),
                (_overview(overview, thumbnails, say), _masks(result, say)),
                intro=say("text_intro"),
                short=say("text_short"),
            ),
            Section(say("all"), (_ranges(result, say),), short=say("all_short")),
        ),
        provenance=tuple(Fact(name, value) for name, value in result.versions.items())
        + tuple(Fact(file.name, file.sha256) for file in result.files),
        furniture=FURNITURE[language],
    )


def _open(result: PrivacyResult, say: Bilingual) -> tuple[Banner, ...]:
    return (Banner(say("private"), "bad"),) if result.settings.review_removed else ()


def _cards(result: PrivacyResult, say: Bilingual) -> Cards:
    total = max(1, sum(part.frames for part in result.parts))
    shares = {reason: frames / total for reason, frames in result.removed_by_reason.items() if frames}
    parts = ", ".join(say(f"share_{reason}", share=f"{share:.1%}") for reason, share in shares.items())
    filled = max((float(part.mask.filled.mean()) for part in result.parts), default=0.0)
    boxes = sum(len(part.mask.boxes) for part in result.parts)
    release = say("release", share=result.settings.release)
    return Cards(
        (
            Card(say("removed"), f"{result.removed_share:.1%}", parts, lead=True),
            Card(say("threshold"), number(result.threshold), release),
            Card(say("filled"), f"{filled:.1%}", say("filled_is", n=boxes)),
        )
    )


def _strips(
    result: PrivacyResult, doubts: Sequence[Doubt], thumbnails: Thumbnails, say: Bilingual
) -> tuple[tuple[Strip, ...], int]:
    strips: list[Strip] = []
    spent = 0
    for place, doubt in enumerate(doubts):
        pictures = _pictures(doubt.kept, thumbnails, "kept", say)
        if result.settings.review_removed:
            pictures += _pictures(doubt.removed, thumbnails, "removed", say)
        spent += sum(len(picture.data) for picture in pictures)
        if spent > _PICTURES:
            return tuple(strips), len(doubts) - place
        when = _clock(doubt.start)
        if doubt.stop > doubt.start:
            when = say("until", start=when, stop=_clock(doubt.stop))
        tone: Tone = "bad" if doubt.degree > _CLOSE else "plain"
        title = say("headed", when=when, what=say("hardly" if doubt.kind == "removed" else doubt.kind))
        strips.append(Strip(title, pictures, detail=_detail(doubt, result.threshold, len(pictures), say), tone=tone))
    return tuple(strips), 0


def _detail(doubt: Doubt, threshold: float, pictures: int, say: Bilingual) -> str:
    """Return why a place is doubtful, and that there is nothing to see of it where that is so."""
    said = [] if doubt.kind != "island" else [say("lasts", seconds=doubt.stop - doubt.start)]
    if doubt.score is None:
        said.append(say("no_score"))
    else:
        key = "score" if doubt.start == doubt.stop and doubt.kind == "near" else "highest"
        said.append(say(key, score=f"{doubt.score:.3f}", threshold=f"{threshold:.3f}"))
    return "; ".join([*said, *([] if pictures else [say("unseen")])])


def _pictures(
    keys: Sequence[FrameKey], thumbnails: Thumbnails, what: Literal["kept", "removed"], say: Bilingual
) -> tuple[Picture, ...]:
    found = (
        thumbnails.picture(key, say(f"{what}_alt", **at), say(f"{what}_at", **at))
        for key in keys
        for at in [{"part": key[0] + 1, "frame": key[1]}]
    )
    return tuple(picture for picture in found if picture is not None)


def _overview(overview: Sequence[FrameKey], thumbnails: Thumbnails, say: Bilingual) -> Grid | Paragraph:
    pictures = _pictures(overview, thumbnails, "kept", say)
    return Grid(pictures) if pictures else Paragraph(say("nothing_kept"))


def _masks(result: PrivacyResult, say: Bilingual) -> Table | Bullets:
    rows = []
    for part in result.parts:
        mask = part.mask
        if mask.content is not None and mask.content.shape != "full":
            rows.append(
                row(str(part.number + 1), say("outside_of", shape=say(f"shape_{mask.content.shape}")), say("picture"))
            )
        for each in mask.boxes:
            where = f"{each.box.x}, {each.box.y}, {each.box.width} × {each.box.height}"
            rows.append(row(str(part.number + 1), where, say("given" if each.origin == "given" else "found")))
    if not rows:
        return Bullets((say("no_masks"),))
    return Table(say("masks"), (Column(say("part")), Column(say("where")), Column(say("why"))), tuple(rows))


def _ranges(result: PrivacyResult, say: Bilingual) -> Details | Paragraph:
    if not result.removed:
        return Paragraph(say("nothing_removed"))
    rows = tuple(
        row(
            Cell(say("until", start=_clock(each.start), stop=_clock(each.stop))),
            str(each.part + 1),
            say("until", start=each.first, stop=each.last),
            say(f"why_{each.reason}"),
            number(each.scores.low),
            number(each.scores.high),
        )
        for each in result.removed[:_MOST_RANGES]
    )
    columns = (
        Column(say("when")),
        Column(say("part"), numeric=True),
        Column(say("which"), numeric=True),
        Column(say("why")),
        Column(say("lowest"), numeric=True),
        Column(say("most"), numeric=True),
    )
    more = len(result.removed) - len(rows)
    table = Table(say("ranges_are"), columns, rows, say("more_ranges", n=more) if more else "")
    return Details(say("ranges", n=len(result.removed)), (table,), open=len(rows) <= 12)


def _clock(seconds: float) -> str:
    """Return a time on the procedure's clock, ``1:02:03.4``; cut, as a clock goes."""
    tenths = int(seconds * 10 + 1e-6)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    return f"{hours}:{minutes:02d}:{rest // 10:02d}.{rest % 10}"
