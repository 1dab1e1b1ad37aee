"""Analyses of procedures that never were, for several tests."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image

from cineloop.analysis.indicator import Indicator, Reference
from cineloop.analysis.indicators import MEASURES
from cineloop.analysis.moments import PHASES
from cineloop.analysis.result import (
    Analysis,
    BestFrame,
    Event,
    Gap,
    PartFacts,
    Place,
    StageFacts,
    Stretch,
    Thumbnail,
    Windows,
)
from cineloop.analysis.settings import Settings
from cineloop.analysis.words import Said
from cineloop.timeline.decision import SIGNALS, Thresholds, decide, signals_of
from cineloop.timeline.legalise import legalise
from cineloop.timeline.median import median_filter_rows
from cineloop.timeline.quality import LABELS
from cineloop.timeline.segments import segments_of
from cineloop.timeline.timeline import Timeline

FPS, RATE = 25.0, 5.0
SHARES = {"outside": 0.035, "insertion": 0.36, "caecum": 0.41, "withdrawal": 0.955}
"""At which share of a procedure each phase is over; it ends outside again."""

GUIDELINE = "ASGE/ACG 2024, doi 10.14309/ajg.0000000000002972"


@cache
def picture(seed, width=160, height=120, quality=70):
    """Return a JPEG that looks a little like a lumen."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1.3 : 1.3 : width * 1j]
    cx, cy = rng.uniform(-0.3, 0.3, 2)
    depth = np.clip(np.hypot(x - cx, y - cy), 0, 1.4)
    folds = 0.5 + 0.5 * np.sin(depth * rng.uniform(9, 14) + 1.2 * np.sin(3 * np.arctan2(y - cy, x - cx)))
    light = np.clip(0.12 + 0.75 * depth, 0, 1) * (0.75 + 0.25 * folds)
    colour = np.array([225, 130, 105]) + rng.uniform(-18, 18, 3)
    pixels = light[..., None] * colour + rng.normal(0, 2.5, (height, width, 1))
    pixels[np.hypot(x / 1.3, y) > 1.02] = 6
    stream = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def parts_of(duration, count):
    """Return the files of a procedure of equal parts."""
    length = duration / count
    return tuple(
        PartFacts(
            number=number,
            name=f"procedure-7f3a{f'-{number + 1}' if count > 1 else ''}.mp4",
            start=number * length,
            seconds=length,
            frames=int(length * FPS),
            fps=FPS,
            width=1280,
            height=1024,
            codec="h264",
            sha256=f"{number:x}7" * 32,
            truncated=count > 1 and number == count - 1,
        )
        for number in range(count)
    )


def place_at(parts, seconds):
    """Return where a time is found."""
    part = max((one for one in parts if one.start <= seconds), key=lambda one: one.number)
    inner = seconds - part.start
    before = sum(one.frames for one in parts[: part.number])
    return Place(seconds, before + int(inner * FPS), part.number, int(inner * FPS), inner)


def bounds_of(duration):
    """Return when each phase is over, on frames that are looked at."""
    return {name: round(share * duration * RATE) / RATE for name, share in SHARES.items()}


def with_course(timeline, stretches):
    """Return a timeline with the phase of each row as its first signal."""
    rows = np.searchsorted([one.start.seconds for one in stretches], timeline.seconds, side="right") - 1
    values = np.array([PHASES.index(one.value) - 1 for one in stretches], np.int8)
    return replace(timeline, filtered={"course": values[rows], **timeline.filtered})


def phases_of(duration, parts):
    """Return the stretches of the course."""
    bounds = bounds_of(duration)
    edges = [0.0, *bounds.values(), duration]
    names = [*bounds, "outside"]
    found = zip(names, edges[:-1], edges[1:], strict=True)
    return tuple(Stretch("phase", name, place_at(parts, start), stop) for name, start, stop in found)


def timeline_of(duration, gaps, seed=0):
    """Return seven noisy probabilities and that of the gate, and the signals that follow; nothing in gaps."""
    bounds = bounds_of(duration)
    frames = np.arange(0, int(duration * FPS), int(FPS / RATE))
    seconds = frames / FPS
    lost = np.zeros(len(seconds), bool)
    for gap in gaps:
        lost |= (seconds >= gap.start) & (seconds < gap.end)
    rng = np.random.default_rng(seed)

    def slow(width, low, high):
        """Return a random walk smoothed over ``width`` seconds, between two values."""
        knots = np.arange(0, duration + width, width)
        return low + (high - low) * np.interp(seconds, knots, rng.uniform(0, 1, len(knots)))

    inside = (seconds >= bounds["outside"]) & (seconds < bounds["withdrawal"])
    seen = (seconds >= bounds["insertion"] + 8) & (seconds < bounds["caecum"] - 6)
    scores = np.empty((len(seconds), 7))
    scores[:, 0] = np.where(inside, 0.04, 0.95)
    scores[:, 1] = np.where(inside, slow(11, -0.6, 0.85) + slow(70, -0.15, 0.3), 0.08)
    scores[:, 2] = np.where(seen, 0.8, 0.06) + slow(9, -0.05, 0.12)
    clean = slow(55, 0.4, 3.5) + 0.5 * (seconds / duration)
    for score in range(4):
        scores[:, 3 + score] = np.exp(-((clean - score - 0.3) ** 2) / 0.7)
    scores += rng.normal(0, 0.05, scores.shape)
    scores = np.clip(scores, 0, 1).astype(np.float32)
    raw = signals_of(decide(scores, Thresholds(0.5, 0.5, 0.5)))
    clean_rows = legalise(median_filter_rows(raw, (25, 11, 11, 11)), raw).T
    for rows in (raw, clean_rows):
        rows[:, lost] = -1
    scores[lost] = np.nan
    gate = np.clip(scores[:, 0] + rng.normal(0, 0.03, len(seconds)), 0, 1).astype(np.float32)
    return Timeline(
        source="procedure-7f3a.mp4",
        frames=frames,
        seconds=seconds,
        scores={"out_of_body": gate, **dict(zip(LABELS, scores.T, strict=True))},
        signals=dict(zip(SIGNALS, raw, strict=True)),
        filtered=dict(zip(SIGNALS, clean_rows, strict=True)),
        frame_rate=FPS,
    )


def windows_of(duration, seed=1):
    """Return clips of four seconds, every two, with a few alarms."""
    start = np.arange(0, duration - 4, 2.0)
    rng = np.random.default_rng(seed)
    polyp = np.clip(rng.beta(1.2, 14, len(start)), 0, 1)
    for share in (0.47, 0.473, 0.62, 0.81, 0.815, 0.9):
        polyp[np.abs(start - share * duration) < 7] = rng.uniform(0.72, 0.97)
    both = {"normal": 1 - polyp, "polyp": polyp}
    return Windows(start, start + 4, both, (polyp >= 0.61).astype(np.int64), "polyp")


def alarms_of(windows, parts):
    """Return an event a run of alarms."""
    begins = np.flatnonzero(np.diff(windows.decided, prepend=0) > 0)
    return [
        Event(
            "alarm",
            place_at(parts, float(windows.start[at])),
            float(windows.stop[at]),
            f"polyp, {windows.probabilities['polyp'][at]:.2f}",
        )
        for at in begins
    ]


def stages_of(names):
    """Return the models of these stages."""
    known = {
        "inbody": StageFacts(
            "inbody", "inbody-small", "seresnet50-inbody", "ab" * 32, "c0" * 32, "onnxruntime 1.23.0",
            ("in", "out"), {"out": 0.5}, False, 6000, ("Its threshold was not tuned on validation.",),
        ),
        "quality": StageFacts(
            "quality", "quality-vitl16", "vitl16-224-csra", "cd" * 32, "d1" * 32, "torch 2.13.0",
            LABELS, {"outside": 0.5, "nonsense": 0.5, "ileocecal": 0.5}, True, 6000,
        ),
        "classify": StageFacts(
            "classify", None, "timesformer-vitb16", "ef" * 32, None, "openvino 2025.3",
            ("normal", "polyp"), {"polyp": 0.61}, True, 598,
        ),
    }  # fmt: skip
    return tuple(known[name] for name in names)


def indicators_of(duration):
    """Return what is usually asked of a colonoscopy: the product's own definitions, values that were made up."""
    bounds = bounds_of(duration)
    withdrawal = bounds["withdrawal"] - bounds["caecum"]
    reached = bounds["insertion"] - bounds["outside"]
    about = {one.definition.name: one.definition for one in MEASURES}
    side = "above" if withdrawal > 480 else "below"
    eight = Reference(
        "asge-acg-2024", "mean of normal examinations at least 8 min", 480.0, side, GUIDELINE, False,
        "the mean of an endoscopist's normal examinations, not a single procedure",
    )  # fmt: skip
    six = Reference("aga", "at least 6 min", 360.0, "above", "AGA 2021", True)
    return (
        Indicator(
            about["withdrawal_seconds"], withdrawal, low=withdrawal - 21.4, high=withdrawal + 8.2, undetermined=0.0625,
            parts={"whole_seconds": withdrawal, "paused_seconds": 0.0},
            remarks=(Said("returned_to_caecum", {"away": 71.0, "seen": 4.2, "otherwise": bounds["caecum"] - 75}),),
            references=(eight, six),
        ),
        Indicator(
            about["readable_withdrawal_seconds"], 0.81 * withdrawal, low=0.74 * withdrawal, high=0.86 * withdrawal
        ),
        Indicator(about["caecum_reached"], 1.0, low=1.0, high=1.0, parts={"looks_count": 2.0}),
        Indicator(about["time_to_caecum_seconds"], reached, low=reached - 2, high=reached + 31),
        Indicator(about["unreadable_share"], 0.186, low=0.141, high=0.243),
        Indicator(
            about["clean_share"], 0.64, low=0.6, high=0.69, remarks=(Said("no_bbps"),),
            parts={
                "bbps0_share": 0.08, "bbps1_share": 0.28, "bbps2_share": 0.34, "bbps3_share": 0.3,
                "readable_seconds": 0.81 * withdrawal,
            },
        ),
        Indicator(about["alarms"], 4.0, parts={"alarm_seconds": 58.0, "clips_count": 598.0}),
        Indicator(about["bbps_total"], None, Said("no_segments"), undetermined=1.0),
    )  # fmt: skip


def made_analysis(minutes=20.0, *, parts=1, thumbnails=60, best=6, gaps=True, seed=0, **changes):
    """Return an analysed colonoscopy: an alarm here and there, two gaps, eight indicators.

    Args:
        minutes: How long it is.
        parts: Files that it consists of.
        thumbnails: Small pictures of it, inside the body alone.
        best: Best frames of it.
        gaps: Whether some of it could not be decoded.
        seed: Another procedure for each.
        **changes: Other fields of the analysis.
    """
    duration = 60.0 * minutes
    files = parts_of(duration, parts)
    places = [(0.30, 11.0), (0.7, 2.4)] if gaps else []
    holes = tuple(
        Gap(int(share * duration * FPS), int((share * duration + length) * FPS), share * duration,
            share * duration + length, "the decoder gave up: invalid data")
        for share, length in places
    )  # fmt: skip
    bounds = bounds_of(duration)
    windows = windows_of(duration, seed + 1)
    timeline = timeline_of(duration, holes, seed)
    marks = [
        ("insertion_start", bounds["outside"]),
        ("caecum_reached", bounds["insertion"]),
        ("withdrawal_start", bounds["caecum"]),
        ("withdrawal_end", bounds["withdrawal"]),
    ]
    events = [Event(name, place_at(files, at), at + 3.0) for name, at in marks] + alarms_of(windows, files)
    runs = [
        Stretch(name, str(run.value), place_at(files, run.start), run.stop)
        for name in timeline.filtered
        for run in segments_of(timeline, name)
        if run.value >= 0
    ]
    stretches = phases_of(duration, files)
    timeline = with_course(timeline, stretches)
    phases = ("insertion", "caecum", "withdrawal")
    shown = [
        BestFrame(
            place_at(files, duration * (0.06 + 0.88 * number / max(1, best))),
            next(name for name, end in bounds.items() if duration * (0.06 + 0.88 * number / max(1, best)) < end),
            1 - number / 40,
            Thumbnail(duration * (0.06 + 0.88 * number / max(1, best)), picture(number, 640, 512, 84), 640, 512),
        )
        for number in range(best)
    ]
    fields = {
        "name": "procedure-7f3a",
        "settings": Settings(),
        "parts": files,
        "fingerprint": "5e" * 32,
        "stages": stages_of(("inbody", "quality", "classify")),
        "timeline": timeline,
        "windows": windows,
        "stretches": (*stretches, *runs),
        "events": tuple(sorted(events, key=lambda event: event.place.seconds)),
        "indicators": indicators_of(duration),
        "best": tuple(one for one in shown if one.phase in phases),
        "thumbnails": tuple(
            Thumbnail(at, picture(number % 24), 160, 120)
            for number, at in enumerate(
                np.linspace(bounds["outside"] + 1, bounds["withdrawal"] - 1, thumbnails).tolist()
            )
        ),
        "gaps": holes,
        "warnings": ("The models were trained on another hospital's recordings.",),
        "versions": {"cineloop": "0.1.0", "torch": "2.13.0", "av": "16.0.1"},
        "made": "2025-03-04T10:12:33+00:00",
    }
    return Analysis(**{**fields, **changes})


def long_analysis():
    """Return two hours: 36,000 rows, 240 thumbnails, twelve best frames."""
    return made_analysis(120, thumbnails=240, best=12, gaps=False)


def bare_analysis():
    """Return an analysis by the gate alone: nothing but the stay in the body can be told."""
    whole = made_analysis(gaps=False)
    duration, bounds = 1200.0, bounds_of(1200.0)
    inside = (whole.timeline.seconds >= bounds["outside"]) & (whole.timeline.seconds < bounds["withdrawal"])
    signal = {"outside": (~inside).astype(np.int8)}
    gate = {"out_of_body": whole.timeline.scores["out_of_body"]}
    edges = [0.0, bounds["outside"], bounds["withdrawal"], duration]
    names = ("outside", "inside", "outside")
    found = zip(names, edges[:-1], edges[1:], strict=True)
    stretches = tuple(Stretch("phase", name, place_at(whole.parts, start), stop) for name, start, stop in found)
    return replace(
        whole,
        settings=Settings(guideline=None),
        stages=stages_of(("inbody",)),
        timeline=with_course(
            replace(whole.timeline, scores=gate, signals=signal, filtered=signal), stretches
        ),
        windows=None,
        stretches=stretches,
        events=whole.events[:1],
        indicators=tuple(
            replace(
                one, value=None, low=None, high=None, undetermined=1.0, parts={}, references=(),
                reason=Said("no_quality_model" if "quality" in one.definition.inputs else "no_classifier"), remarks=(),
            )
            for one in whole.indicators
        ),
        best=(),
    )  # fmt: skip


def parted_analysis(**changes):
    """Return a procedure of three files, the last of which is truncated."""
    return made_analysis(
        parts=3, watermark="one patient only; plumbing test", **changes,
    )  # fmt: skip


def chinese_analysis():
    """Return an analysis whose page is Chinese."""
    return made_analysis(settings=Settings(language="zh"))
