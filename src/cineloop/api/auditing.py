"""``audit_privacy``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cineloop.analysis.found import timeline_of
from cineloop.analysis.models import Model, open_model
from cineloop.analysis.privacy.audit_facts import AuditFacts
from cineloop.analysis.privacy.audit_page import page
from cineloop.analysis.privacy.blanking import GateRows, as_removed, blank_spans
from cineloop.analysis.privacy.labelled import LabelledRecording, read_labelled
from cineloop.analysis.privacy.privacy_audit import LabelledProcedure, PrivacyAudit, privacy_audit
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.analysis.run import facts_of, key_of, look, salt_of
from cineloop.analysis.settings import Engine, Settings
from cineloop.analysis.store import KEY, Store
from cineloop.errors import CineloopError, ModelError, PrivacyError
from cineloop.files import sha256_file, write_json
from cineloop.identity import pseudonym
from cineloop.inference.load import Loaded
from cineloop.progress import Progress, Titled, silent
from cineloop.runs import now
from cineloop.schema import validate
from cineloop.video.recording import Recording

_WORK = "work"
_DATA = "privacy_audit.json"
_PAGE = "privacy_audit.html"


@dataclass(frozen=True)
class Audited:
    """An audit of blanking and where it was written.

    Attributes:
        audit: The figures.
        notes: What a reader must know of the data.
        folder: Its files.
    """

    audit: PrivacyAudit
    notes: tuple[str, ...]
    folder: Path


def audit_privacy(
    table: str | Path,
    *,
    inbody: str | Path | Loaded | None = None,
    quality: str | Path | Loaded | None = None,
    out: str | Path,
    plain_names: bool = False,
    settings: Settings | Mapping[str, Any] | None = None,
    engine: Engine | Mapping[str, Any] | None = None,
    privacy: PrivacySettings | Mapping[str, Any] | None = None,
    outside_class: str | None = None,
    device: str | None = None,
    begun: Callable[[Path], None] | None = None,
    progress: Progress = silent,
) -> Audited:
    """Say what de-identification would have left of frames out of the body, on procedures whose frames are labelled.

    Each procedure is looked at as an analysis looks at it, and blanked as ``--deidentify`` blanks it; no video is
    written. An interrupted audit goes on with the same call.

    Args:
        table: A row a labelled frame; see :func:`cineloop.analysis.privacy.labelled.read_labelled`.
        inbody: A run, export or bundle that tells in from out of the body.
        quality: One with the labels of a colonoscopy frame; decides where there is no ``inbody``.
        out: A new folder, or one that an interrupted call left.
        plain_names: Write names of procedures as they are.
        settings: How often is looked: ``rate``.
        engine: How fast.
        privacy: How is blanked.
        outside_class: Of ``inbody``: the class that is out of the body, where it does not say.
        device: Where torch computes.
        begun: Told the folder once the table and the model are read.
        progress: Told about seconds of each procedure.

    Returns:
        The audit and its folder, with ``privacy_audit.json`` and ``privacy_audit.html``.

    Raises:
        PrivacyError: The table is not understood, or no labelled frame is out of the body.
        ModelError: No model tells what is out of the body.
        VideoError: A file cannot be read.
        CineloopError: Something else lies in the folder.
    """
    how = settings if isinstance(settings, Settings) else validate(Settings, settings or {}, where="settings")
    fast = engine if isinstance(engine, Engine) else validate(Engine, engine or {}, where="engine")
    guard = (
        privacy if isinstance(privacy, PrivacySettings) else validate(PrivacySettings, privacy or {}, where="privacy")
    )
    table, folder = Path(table), Path(out)
    _check_free(folder)
    labelled, notes = read_labelled(table)
    model = _gate(inbody, quality, outside_class, device)
    _check_files(labelled)
    notes = (*notes, *(str(said) for said in model.warnings))
    learned = model.learned
    if learned is None:
        notes = (*notes, "Whether the model has learned from these procedures cannot be checked: it is not in its run.")
    elif seen := [each.name for each in labelled if learned & {sha256_file(path) for path in each.paths}]:
        notes = (*notes, f"The model has learned from {len(seen)} of these procedures: figures flatter it.")
    if begun is not None:
        begun(folder)
    salt = salt_of(plain_names=plain_names)
    procedures = []
    for number, each in enumerate(labelled):
        name = each.name if salt is None else pseudonym(each.name, salt)
        work = folder / _WORK / f"{number:05d}"
        told = Titled(progress, f"{number + 1}/{len(labelled)} {name}")
        procedures.append(_blanked(each, name, model, how, fast, guard, work, told))
    audit = privacy_audit(procedures)
    facts = AuditFacts.of(model, made=now())
    content = {
        "schema": 1,
        **facts.to_json(),
        "rate": how.rate,
        "settings": guard.model_dump(mode="json", include={"release", "padding", "gap", "least_inside"}),
        "notes": list(notes),
        **audit.to_json(),
    }
    page(audit, notes, facts, rate=how.rate, settings=guard).write(folder / _PAGE)
    write_json(folder / _DATA, content)
    shutil.rmtree(folder / _WORK)
    return Audited(audit, notes, folder)


def _check_files(labelled: Sequence[LabelledRecording]) -> None:
    """Refuse a table that names files which are not there, before any is looked at.

    Raises:
        PrivacyError: It does.
    """
    missing = [path for each in labelled for path in each.paths if not path.exists()]
    if missing:
        raise PrivacyError(
            f"{len(missing)} of the table's files are not there", where=missing[0], mend="Paths count from the table."
        )


def _gate(
    inbody: str | Path | Loaded | None,
    quality: str | Path | Loaded | None,
    outside_class: str | None,
    device: str | None,
) -> Model:
    """Open the model that decides what is out of the body."""
    if inbody is not None:
        return open_model("inbody", inbody, positive=outside_class, device=device)
    if quality is not None:
        return open_model("quality", quality, device=device)
    raise ModelError(
        "No model tells what is out of the body",
        where="--privacy-audit",
        mend="Give --inbody RUN (or --quality RUN, whose label outside then decides).",
    )


def _blanked(
    labelled: LabelledRecording,
    name: str,
    model: Model,
    settings: Settings,
    engine: Engine,
    privacy: PrivacySettings,
    work: Path,
    progress: Progress,
) -> LabelledProcedure:
    """Look at a procedure, and say what would be blanked of it."""
    with Recording(labelled.paths, threads=engine.threads) as recording:
        seconds, outside = labelled.on_clock(recording)
        parts = facts_of(recording, salt=None)
        store = Store(work, key_of(parts, [model], settings, engine))
        passed = look(recording, [model], settings, engine, store, pictures=False, progress=progress)
        line = timeline_of(model, passed.arrays, recording, passed.instants, name=name)
        decides = model.positive or "outside"
        rows = GateRows(
            line.seconds.copy(), line.scores[decides].astype(np.float64), threshold=model.thresholds[decides]
        )
        shown = np.append(recording.seconds, recording.duration)
        spans = as_removed(blank_spans(rows, recording.duration, privacy), shown)
        return LabelledProcedure(name, seconds, recording.duration, outside, spans, labelled.patient)


def _check_free(folder: Path) -> None:
    """Refuse a folder that holds something else than an unfinished audit.

    Raises:
        CineloopError: It does.
    """
    if (folder / _DATA).exists():
        raise CineloopError("A finished audit lies here", where=folder, mend="Give another --out, or remove it.")
    if folder.exists() and not folder.is_dir():
        raise CineloopError("This is a file", where=folder, mend="Give another --out.")
    if folder.is_dir() and any(folder.iterdir()) and not any(folder.glob(f"{_WORK}/*/{KEY}")):
        raise CineloopError("The folder is not empty", where=folder, mend="Give a new folder as --out.")
