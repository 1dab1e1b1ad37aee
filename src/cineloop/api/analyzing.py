"""``analyze``."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cineloop.analysis.assemble import assemble
from cineloop.analysis.cleaned import cleaned_files, with_cleaned_pictures
from cineloop.analysis.guidelines import guideline
from cineloop.analysis.indicator import StageName
from cineloop.analysis.models import open_model
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.analysis.report import plain, write_report
from cineloop.analysis.report.figures import range_text, with_unit
from cineloop.analysis.report.words import Words
from cineloop.analysis.result import Analysis
from cineloop.analysis.run import check_causal, facts_of, key_of, look, name_of, salt_of
from cineloop.analysis.settings import Engine, Settings
from cineloop.analysis.sources import parts_of
from cineloop.analysis.store import KEY, Store
from cineloop.analysis.tables import write_tables
from cineloop.analysis.videos import WRITTEN, claim, linked, remove_identity, warned_of_link, write_overlays
from cineloop.analysis.words import LANGUAGES
from cineloop.errors import CineloopError, ModelError, RecipeError
from cineloop.inference.load import Loaded
from cineloop.progress import Progress, silent
from cineloop.schema import validate
from cineloop.video.recording import Recording

_FOLDER = Path("analyses")
_WORK = "work"
_VIDEOS = "videos.json"
_REPORT = "report.json"


@dataclass(frozen=True)
class Analyzed:
    """An analysis and where it was written.

    Attributes:
        analysis: The result.
        folder: Its files.
    """

    analysis: Analysis
    folder: Path

    def plain(self) -> dict[str, Any]:
        """Return what a program would read: the content of ``report.json``, and the folder."""
        return {**plain(self.analysis), "folder": str(self.folder)}

    def columns(self) -> list[str]:
        """Return what stands above :meth:`rows`."""
        say = Words(self.analysis.settings.language)
        return [say("indicator"), say("value"), say("other_settings"), ""]

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return a row an indicator: title, value, range over varied settings, and why there is no value."""
        language = self.analysis.settings.language
        said, page = LANGUAGES[language], Words(language)
        return [
            (
                said.title(one.definition),
                "-" if one.value is None else with_unit(one.value, one.definition.unit, page),
                range_text(one, page),
                "" if one.reason is None else said.say(one.reason),
            )
            for one in self.analysis.indicators
        ]

    def files(self) -> list[tuple[str, Path]]:
        """Return what was written for people and programs, with a title each."""
        known = {"report": "report.html", "data": _REPORT, "timeline": "timeline.parquet"}
        found = [(title, self.folder / name) for title, name in known.items()]
        for title, pattern in (("overlay", "overlay*"), ("deidentified", "deidentified*"), ("review", "review.html")):
            found += [(title, path) for path in sorted(self.folder.glob(pattern))]
        return found


def analyze(
    sources: str | Path | Sequence[str | Path],
    *,
    inbody: str | Path | Loaded | None = None,
    quality: str | Path | Loaded | None = None,
    classify: str | Path | Loaded | None = None,
    out: str | Path | None = None,
    name: str | None = None,
    plain_names: bool = False,
    settings: Settings | Mapping[str, Any] | None = None,
    engine: Engine | Mapping[str, Any] | None = None,
    outside_class: str | None = None,
    alarm_class: str | None = None,
    overlay: bool = False,
    privacy: PrivacySettings | Mapping[str, Any] | None = None,
    link: bool = False,
    device: str | None = None,
    begun: Callable[[Path], None] | None = None,
    progress: Progress = silent,
) -> Analyzed:
    """Analyse a whole procedure in one pass over its video.

    Args:
        sources: A recording, its parts in order, or a folder of them.
        inbody: A run, export or bundle that tells in from out of the body.
        quality: One with the labels of a colonoscopy frame.
        classify: One that classifies clips.
        out: A new folder, or one that an interrupted call left; ``analyses/<name>`` without it.
        name: What the procedure is called; a pseudonym without it.
        plain_names: Write names of files as they are.
        settings: How it is analysed.
        engine: How fast.
        outside_class: Of ``inbody``: the class that is out of the body, where it does not say.
        alarm_class: Of ``classify``: the class that raises an alarm, where it does not say.
        overlay: Also write each file with the timeline below its picture, ``overlay.mp4``; with ``privacy`` below that
            of the de-identified one.
        privacy: Also write the files without what identifies the patient, ``deidentified.mp4``, with an audit log and a
            review sheet.
        link: Let the report play the recording's own files where they lie in its folder or beside it, under their own
            names. Without it the report plays what is written here: the de-identified video, else the overlay.
        device: Where torch computes.
        begun: Told the folder once all is checked and work begins.
        progress: Told about seconds of the procedure.

    Returns:
        The analysis and its folder, with ``report.html``, ``report.json``, ``timeline.parquet`` and further tables.

    Raises:
        VideoError: A file cannot be read, or the recording is too short.
        ModelError: No model is given, or one is of another kind.
        RecipeError: A setting is not valid.
        PrivacyError: A region that is to be filled does not lie in the picture.
        CineloopError: Another analysis lies in the folder.
    """
    how = (
        settings
        if isinstance(settings, Settings)
        else validate(Settings, settings or {}, where="settings", subject="The setting")
    )
    fast = engine if isinstance(engine, Engine) else validate(Engine, engine or {}, where="engine")
    wanted: dict[StageName, str | Path | Loaded | None] = {"inbody": inbody, "quality": quality, "classify": classify}
    guard = privacy
    if guard is not None and not isinstance(guard, PrivacySettings):
        guard = validate(PrivacySettings, guard, where="privacy")
    if guard is not None and guard.join and overlay:
        raise RecipeError(
            "An overlay is of a part, and de-identified parts are joined to one file",
            where="privacy.join",
            mend="Leave one of the two out.",
        )
    if guard is not None and inbody is None and quality is None:
        raise ModelError(
            "Nothing can be removed where no model tells what is out of the body",
            where="--deidentify",
            mend="Give --inbody RUN (or --quality RUN, whose label outside then decides).",
        )
    if not any(wanted.values()):
        raise ModelError("No model is given, so there is nothing to find", mend="Give inbody, quality or classify.")
    if how.guideline is not None:
        guideline(how.guideline)
    asked = [sources] if isinstance(sources, str | Path) else sources
    paths = parts_of(asked)
    named: dict[StageName, str | None] = {"inbody": outside_class, "classify": alarm_class}
    models = [
        open_model(stage, source, positive=named.get(stage), device=device)
        for stage, source in wanted.items()
        if source is not None
    ]
    check_causal(models, how)
    salt = salt_of(plain_names=plain_names)
    called = name_of(asked, paths, given=name, salt=salt)
    if out is None and (not called or called in (".", "..") or Path(called).name != called):
        raise CineloopError(f"{called!r} can be no folder's name", where="--name", mend="Also give --out FOLDER.")
    folder = Path(out) if out is not None else _FOLDER / called
    _check_free(folder, paths if link else [])
    with Recording(paths, threads=fast.threads) as recording:
        parts = facts_of(recording, salt=salt, progress=progress)
        for part in parts:
            for region in guard.masks if guard is not None else ():
                region.placed((part.width, part.height))
        store = Store(folder / _WORK, key_of(parts, models, how, fast))
        passed = look(
            recording,
            models,
            how,
            fast,
            store,
            begun=lambda: begun(folder) if begun is not None else None,
            progress=progress,
        )
        analysis = assemble(recording, passed, models, how, name=called, parts=parts)
    # Of each part the report plays what comes last.
    videos: dict[int, str] = {}
    told = {"settings": how.model_dump(mode="json"), "privacy": guard and guard.model_dump(mode="json")}
    claim(folder, store.folder / _VIDEOS, told)
    cleaned: dict[int, str] = {}
    shown = paths
    if guard is not None:
        cleaned = remove_identity(analysis, models, paths, guard, folder, progress=progress)
        analysis = with_cleaned_pictures(analysis, recording, folder)
        shown = cleaned_files(folder)
    if overlay:
        videos |= write_overlays(analysis, shown, folder, progress=progress)
    videos |= cleaned
    if link:
        videos |= linked(paths, folder)
        analysis = warned_of_link(analysis, paths, folder)
    analysis = dataclasses.replace(analysis, videos=videos)
    write_tables(analysis, folder)
    write_report(analysis, folder)
    store.remove()
    return Analyzed(analysis, folder)


def _check_free(folder: Path, own: Sequence[Path] = ()) -> None:
    """Refuse a folder that holds something else than unfinished work, or ``own``: the recording that is played there.

    Raises:
        CineloopError: It does.
    """
    if (folder / _REPORT).exists():
        # Killed after its last file: what was kept to go on with is of no use, and holds pictures of everything.
        if (folder / _WORK / KEY).is_file():
            shutil.rmtree(folder / _WORK)
        raise CineloopError(
            "A finished analysis lies here", where=folder, mend="Give another --out, or remove that folder."
        )
    if folder.exists() and not folder.is_dir():
        raise CineloopError("This is a file", where=folder, mend="Give another --out.")
    if folder.is_dir() and not (folder / _WORK / KEY).is_file() and _others(folder, own):
        raise CineloopError("The folder is not empty", where=folder, mend="Give a new folder as --out.")


def _others(folder: Path, own: Sequence[Path]) -> bool:
    """Tell whether something lies in a folder that is none of these files, or is called as what is written there."""
    known = {path.resolve() for path in own if not path.name.startswith(WRITTEN)}
    return any(path.resolve() not in known for path in folder.iterdir())
