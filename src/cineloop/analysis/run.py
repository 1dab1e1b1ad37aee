"""The whole way from the files of a procedure to its analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cineloop import files
from cineloop._version import __version__
from cineloop.analysis.indicator import StageName
from cineloop.analysis.models import Model, plain
from cineloop.analysis.passing import run_pass
from cineloop.analysis.result import PartFacts
from cineloop.analysis.settings import Engine, Settings
from cineloop.analysis.stages.clips import ClipStage
from cineloop.analysis.stages.frames import FrameStage
from cineloop.analysis.stages.looks import Looker
from cineloop.analysis.stages.stage import Arrays, Stage
from cineloop.analysis.store import Store
from cineloop.cohort.format import MEDIA_SUFFIXES
from cineloop.errors import ModelError
from cineloop.identity import identity_salt, pseudonym
from cineloop.inference.live import live_clips, live_frames
from cineloop.progress import Progress, silent, stage
from cineloop.video.info import ASSUMED_FPS
from cineloop.video.recording import Instants, Recording

_THUMBNAILS = 240
_APART = 2.0
_CLIPS = 4


@dataclass(frozen=True, eq=False)
class Passed:
    """A recording after its pass.

    Attributes:
        arrays: What the stages found.
        instants: When models of frames looked.
        engines: What computed each model.
    """

    arrays: Arrays
    instants: Instants
    engines: Mapping[StageName, str]


def check_causal(models: Sequence[Model], settings: Settings) -> None:
    """Refuse what looks ahead where nothing may.

    Raises:
        ModelError: A model cuts frames to the endoscope's picture, which is found by looking at the whole recording.
    """
    for model in models if settings.causal else ():
        head = model.loaded.passport.head
        if head is not None and head.config.get("crop") == "content":
            raise ModelError(
                "This model cuts frames to the endoscope's picture, which is found by looking at the whole recording",
                where=f"--{model.stage}",
                mend="Leave --causal out, or name a model with data.crop: none.",
            )


def facts_of(recording: Recording, *, salt: str | None, progress: Progress = silent) -> tuple[PartFacts, ...]:
    """Return what the files of a procedure are.

    Args:
        recording: The procedure.
        salt: Of pseudonyms; None for plain names.
        progress: Told about files.
    """
    found = []
    with stage(progress, len(recording.parts), "read"):
        for part in recording.parts:
            info = recording.video(part.number).info
            named = part.path.name if salt is None else pseudonym(part.path.name, salt) + _suffix(part.path).lower()
            found.append(
                PartFacts(
                    number=part.number,
                    name=named,
                    start=recording.appears(part.first),
                    seconds=info.duration_seconds,
                    frames=part.frames,
                    fps=float(info.fps or ASSUMED_FPS),
                    width=info.width,
                    height=info.height,
                    codec=info.codec,
                    sha256=files.sha256_file(part.path) if part.path.is_file() else _sha256_folder(part.path),
                    truncated=info.truncated,
                )
            )
            progress.advance()
    return tuple(found)


def _sha256_folder(folder: Path) -> str:
    """Return the hash of the names and the bytes of a folder's files."""
    inside = sorted(path for path in folder.iterdir() if path.is_file())
    return files.fingerprint([[path.name, files.sha256_file(path)] for path in inside])


def name_of(sources: Sequence[str | Path], paths: Sequence[Path], *, given: str | None, salt: str | None) -> str:
    """Return what a procedure is called: as given, else after the folder or the first file that was named.

    Args:
        sources: What the user named.
        paths: Its files, in order.
        given: What the user calls it.
        salt: Of pseudonyms; None for plain names.
    """
    if given is not None:
        return given
    first = Path(sources[0])
    own = first.resolve().name if first.is_dir() else ""
    own = own or paths[0].name.removesuffix(_suffix(paths[0]))
    return own if salt is None else pseudonym(own, salt)


def _suffix(path: Path) -> str:
    """Return the suffix of a medium; what else follows a dot is a part of the name, as of a DICOM object's number."""
    return path.suffix if path.suffix.lower() in MEDIA_SUFFIXES else ""


def salt_of(*, plain_names: bool) -> str | None:
    """Return the salt of pseudonyms; None where names are written as they are."""
    return None if plain_names else identity_salt()


def key_of(
    parts: Sequence[PartFacts], models: Sequence[Model], settings: Settings, engine: Engine
) -> dict[str, object]:
    """Return what decides the results of a pass: work of another key is not gone on with."""
    looks = settings.model_dump(mode="json", include={"rate", "window", "step"})
    return {
        "software": __version__,
        "files": [part.sha256 for part in parts],
        "models": [plain(model) for model in models],
        "settings": looks,
        "engine": engine.model_dump(mode="json", include={"batch", "chunk"}),
    }


def fingerprint_of(parts: Sequence[PartFacts], models: Sequence[Model], settings: Settings) -> str:
    """Return the SHA-256 of what decides every figure: the software, the files, the models and the settings."""
    told = [
        __version__,
        [part.sha256 for part in parts],
        [plain(model) for model in models],
        settings.model_dump(mode="json", exclude={"language"}),
    ]
    return files.fingerprint(told)


@contextmanager
def _beside_a_decoder() -> Iterator[None]:
    """Leave one core to the decoder: threads that wait for each other are slower than fewer that do not."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before - 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def look(
    recording: Recording,
    models: Sequence[Model],
    settings: Settings,
    engine: Engine,
    store: Store,
    *,
    pictures: bool = True,
    begun: Callable[[], None] = lambda: None,
    progress: Progress = silent,
) -> Passed:
    """Run the models over a recording, or over what an interrupted call has left of it.

    Args:
        recording: The procedure.
        models: One a stage.
        settings: How it is looked at.
        engine: How fast.
        store: Keeps what is done.
        pictures: Also look for pictures worth showing.
        begun: Told when all is checked and work begins.
        progress: Told about seconds.

    Raises:
        VideoError: The recording is too short for the classifier, or a file can no longer be read.
        ModelError: A model cannot be fed frame by frame.
        CineloopError: Work of another analysis lies in the store.
    """
    instants = recording.instants(settings.rate)
    stages: list[Stage] = []
    engines: dict[StageName, str] = {}
    for model in models:
        width = len(model.outputs)
        if model.stage == "classify":
            clips = live_clips(model.loaded.predictor)
            engines[model.stage] = clips.engine
            stages.append(
                ClipStage(
                    clips,
                    recording,
                    length=settings.window,
                    step=settings.step,
                    size=max(1, engine.batch // _CLIPS),
                    outputs=width,
                )
            )
            continue
        frames = live_frames(model.loaded.predictor)
        engines[model.stage] = frames.engine
        stages.append(FrameStage(model.stage, frames, recording, instants, size=engine.batch, outputs=width))
    if pictures:
        apart = max(_APART, recording.duration / _THUMBNAILS)
        stages.append(Looker(recording, instants, every=max(1, int(np.ceil(apart * settings.rate)))))
    store.open()
    begun()
    with _beside_a_decoder():
        arrays = run_pass(recording, stages, store, length=engine.chunk, progress=progress)
    return Passed(arrays, instants, engines)
