"""De-identification: how much burned-in text is found, what is filled besides, and how long a recording takes."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench_render import FRAMES, rewrite, twenty_seconds
from cineloop.analysis.privacy.blanking import GateRows
from cineloop.analysis.privacy.deidentify import deidentify
from cineloop.analysis.privacy.mask import find_mask
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.phantom.procedures.film import Film
from cineloop.phantom.procedures.roster import roster
from cineloop.phantom.procedures.schema import ProcedureConfig
from cineloop.video import Video, VideoWriter
from table import Row

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
CACHE = ROOT / "benchmarks" / ".cache"
FONTS = {
    name: Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{file}.ttf"
    for name, file in {
        "sans": "DejaVuSans",
        "bold": "DejaVuSans-Bold",
        "mono": "DejaVuSansMono",
        "serif": "DejaVuSerif",
        "narrow": "STIXGeneral",
    }.items()
} | {"shipped": ROOT / "src/cineloop/report/fonts/CineloopSans-Medium.ttf"}
COLOURS = {
    "white": (255, 255, 255),
    "yellow": (255, 230, 0),
    "green": (0, 255, 80),
    "cyan": (0, 220, 255),
    "grey": (170, 170, 170),
    "black": (0, 0, 0),
    "red": (230, 30, 30),
}
WORDS = ("MUELLER, ANNA", "John Q. Smith", "1957-03-12", "ID 48213377", "12/09/2012", "M 64Y", "Dr. Okonkwo", "clock")
HEIGHTS = (10, 12, 16, 20, 28, 36)
OPACITIES = (1.0, 0.7, 0.5)
TEXTS, RENDITIONS = 3, 8
SEEN = 60
"""Levels by which letters differ from what is behind them, in the mean, from which on they count as legible."""


@dataclass(frozen=True)
class Written:
    """A text in a video: its letters in any frame, how it looks, and what the mask covers of it."""

    height: int
    opacity: float
    colour: str
    font: str
    clock: bool
    contrast: float
    covered: float


def phantom() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the frames inside of the body of two phantom procedures, [T, H, W, 3]; rendered on the first call."""
    config = ProcedureConfig(train=0, val=0, test=2, height=480, rates=(4,), seconds=(30, 40))
    for patient in roster(config):
        path = CACHE / f"inside-{patient.name}.mp4"
        if not path.exists():
            film = Film(config, patient)
            inside = film.plan.script.scene < 0
            with VideoWriter(path, 4, (film.plan.shared.optics.width, 480), crf=18, preset="veryfast") as writer:
                for chunk in film.chunks():
                    for number, pixels in enumerate(chunk.frames, start=chunk.first):
                        if inside[number]:
                            writer.write(pixels)
        yield f"phantom {patient.name}", frames_of(path)


def real() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the frames of real recordings, where they are beside the project."""
    found = {
        **{f"laryngoscopy {n}": SHARED / f"laryngoscopy/clips/patient1_seq{n}.mp4" for n in (1, 2, 3, 4)},
        "laparoscope on a bench": SHARED / "out_of_body/sksurgery_left_laparoscope_bench.ogv",
        "echo with its own captions": SHARED / "echo/examples_ybr_color.dcm",
        "tabletop, camera still": SHARED / "objects/02_cups.mp4",
    }
    for name, path in found.items():
        if path.exists():
            yield name, frames_of(path)


def frames_of(path: Path) -> np.ndarray:
    """Return at most 160 frames of a recording at some 5 a second, at most 1280 pixels wide."""
    with Video(path) as video:
        size = video.info.width, video.info.height
        scale = min(1.0, 1280 / size[0])
        step = max(1, round(float(video.info.fps or 25) / 6)) if len(video) > 100 else 1
        at = np.arange(0, len(video), step)[:160]
        return video.frames(at, size=(round(size[0] * scale) // 2 * 2, round(size[1] * scale) // 2 * 2)).pixels


def letters_of(text: str, font: str, height: int) -> np.ndarray:
    """Return how much letters cover of each pixel, float32 [h, w] in [0, 1]."""
    loaded = ImageFont.truetype(str(FONTS[font]), height)
    left, top, right, bottom = loaded.getbbox(text)
    image = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, 255, loaded)
    return np.asarray(image, dtype=np.float32) / 255


def draw(frames: np.ndarray, area: np.ndarray, rng: np.random.Generator) -> list[tuple[np.ndarray, dict[str, object]]]:
    """Write some texts into frames, apart from each other; return the letters of each, [H, W], and how it looks."""
    taken, drawn = ~area, []
    for _ in range(TEXTS):
        look = {
            "height": int(rng.choice(HEIGHTS)),
            "opacity": float(rng.choice(OPACITIES)),
            "colour": str(rng.choice(list(COLOURS))),
            "font": str(rng.choice(list(FONTS))),
        }
        words = str(rng.choice(WORDS))
        size = letters_of("00:00:00" if words == "clock" else words, look["font"], look["height"]).shape
        place = _place(taken, size, rng)
        if place is None:
            continue
        x, y = place
        taken[max(0, y - 40) : y + size[0] + 40, max(0, x - 60) : x + size[1] + 60] = True
        letters, contrasts, second = np.zeros(area.shape, bool), [], int(rng.integers(40_000))
        for number, frame in enumerate(frames):
            at = second + number // 5
            text = f"{at // 3600 % 24:02d}:{at // 60 % 60:02d}:{at % 60:02d}" if words == "clock" else words
            share = letters_of(text, look["font"], look["height"])
            view = frame[y : y + share.shape[0], x : x + share.shape[1]]
            share = share[: view.shape[0], : view.shape[1]]
            before = view.astype(np.float32)
            alpha = share[..., None] * look["opacity"]
            view[:] = np.rint(before * (1 - alpha) + np.array(COLOURS[look["colour"]], np.float32) * alpha)
            letters[y : y + share.shape[0], x : x + share.shape[1]] |= share > 0.2
            contrasts.append(np.abs(view - before).max(axis=2)[share > 0.8].mean())
        drawn.append((letters, {**look, "clock": words == "clock", "contrast": float(np.mean(contrasts))}))
    return drawn


def _place(taken: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> tuple[int, int] | None:
    for _ in range(300):
        y, x = (int(rng.integers(4, max(5, taken.shape[i] - size[i] - 4))) for i in (0, 1))
        if not taken[y : y + size[0], x : x + size[1]].any() and x + size[1] < taken.shape[1]:
            return x, y
    return None


def measured(frames: np.ndarray, folder: Path, rng: np.random.Generator) -> tuple[float, float, list[Written]]:
    """Return the share filled without a text, the mean share filled besides texts, and what was covered of each."""
    settings = PrivacySettings()
    plain = _mask(frames, folder, settings)
    inside = np.ones(plain.filled.shape, bool) if plain.content is None else plain.content.mask()
    before = float(plain.filled[inside].mean())
    written, besides = [], []
    for _ in range(RENDITIONS):
        copy = frames.copy()
        drawn = draw(copy, inside.copy(), rng)
        filled = _mask(copy, folder, settings).filled
        near = np.zeros_like(filled)
        for letters, look in drawn:
            rows, columns = np.nonzero(letters)
            reach = int(np.ptp(rows)) + 16
            near[
                max(0, rows.min() - reach) : rows.max() + reach,
                max(0, columns.min() - 2 * reach) : columns.max() + 2 * reach,
            ] = True
            written.append(Written(covered=float(filled[letters].mean()), **look))
        besides.append(float((filled & ~near & inside).sum() / inside.sum()))
    return before, float(np.mean(besides)), written


def _mask(frames: np.ndarray, folder: Path, settings: PrivacySettings):
    path = folder / f"{len(list(folder.iterdir()))}.mp4"
    with VideoWriter(path, 5, frames.shape[2:0:-1], crf=23, preset="veryfast", threads=0) as writer:
        for frame in frames:
            writer.write(frame)
    with Video(path) as video:
        found = find_mask(video, np.arange(len(video)), settings)
    path.unlink()
    return found


def told(texts: list[Written]) -> str:
    """Say what share of texts was covered."""
    if not texts:
        return "no text"
    area = np.mean([each.covered for each in texts])
    whole = np.mean([each.covered > 0.99 for each in texts])
    return f"{area:.1%} of the letters' area, {whole:.0%} of {len(texts)} texts whole"


def text_rows() -> list[Row]:
    """Measure the search for text on every source."""
    rng, rows, everything = np.random.default_rng(0), [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, frames in [*phantom(), *real()]:
            before, besides, written = measured(frames, Path(folder), rng)
            if "still" not in name and "captions" not in name:
                everything += written
            note = f"{len(frames)} frames; {before:.1%} filled without a text, {besides:.1%} besides texts"
            rows.append(Row(f"burned-in text, {name}", told(written), "", None, "", None, note))
    for label, key in {
        "letters": lambda each: f"{each.height} px high",
        "opacity": lambda each: f"{each.opacity:.1f}",
        "colour": lambda each: each.colour,
        "font": lambda each: each.font,
        "kind": lambda each: "clock" if each.clock else "words",
        "contrast": lambda each: f"{min(120, int(each.contrast // 30) * 30)} levels and more",
    }.items():
        for value in sorted({key(each) for each in everything}):
            texts = [each for each in everything if key(each) == value]
            rows.append(Row(f"burned-in text, {label} {value}", told(texts), "", None, "", None))
    seen = [each for each in everything if each.contrast >= SEEN]
    share = float(np.mean([each.covered for each in seen]))
    rows.append(
        Row(
            f"burned-in text, all that differs by {SEEN} levels or more",
            told(seen),
            "",
            None,
            "at least 95% of the area",
            share >= 0.95,
            "scenes that move",
        )
    )
    return rows


def speed_row() -> Row:
    """Time a recording against the same reader and writer without anything in between."""
    source, ours, peer = twenty_seconds(), [], []
    rows = GateRows(np.arange(100) / 5, np.where(np.arange(100) < 20, 0.97, 0.01), 0.5)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(3):
            out = Path(folder) / str(number)
            ours.append(_timed(lambda to=out: deidentify([source], rows, PrivacySettings(), to)))
            peer.append(_timed(lambda: rewrite(source, Path(folder) / "peer.mp4")))
            shutil.rmtree(out)
    took, plain = statistics.median(ours), statistics.median(peer)
    return Row(
        f"{FRAMES} frames of 1280x720 de-identified",
        f"{FRAMES / took:.0f} frames/s",
        f"the same reader and writer {FRAMES / plain:.0f} frames/s",
        plain / took,
        "",
        None,
        "median of 3; search for text, log, sheet and hashes included; a fifth is blanked",
    )


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run() -> list[Row]:
    """Measure the search for text, and the whole."""
    CACHE.mkdir(exist_ok=True)
    return [*text_rows(), speed_row()]


if __name__ == "__main__":
    from table import markdown

    sys.stdout.write(markdown(run()))
