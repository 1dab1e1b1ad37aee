"""De-identified DICOM objects: a header of what may stay, and pixels without what must not be in them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG4HP41, UID, ExplicitVRLittleEndian

from cineloop.analysis.privacy.dicom_header import clean_header
from cineloop.analysis.privacy.dicom_identity import Identity
from cineloop.analysis.privacy.dicom_pixels import describe, describe_frames, frames, layout_of
from cineloop.analysis.privacy.part import Part
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.analysis.privacy.write import write_video
from cineloop.errors import PrivacyError
from cineloop.files import atomic_path
from cineloop.progress import Progress, silent, stage
from cineloop.video.dicom import DicomSource, open_dicom, read_dataset
from cineloop.video.frame import Pixels

# An element's length is written in 32 bits, the largest of which means that it is not known.
_LARGEST = 2**32 - 2
# Of this program's kind of files, below 2.25; names no person, place or machine.
_IMPLEMENTATION = UID("2.25.205517489340837613527086293215489216127")
_VERSION = "CINELOOP"


def write_dicom(
    part: Part,
    path: Path,
    settings: PrivacySettings,
    *,
    salt: str,
    watch: Callable[[Part, int, Pixels], None] | None = None,
    progress: Progress = silent,
) -> int:
    """Write a DICOM object anew; the file appears when it is whole, and the original stays as it is.

    Attributes are written from an allow-list (:mod:`cineloop.analysis.privacy.dicom_table`), at every depth. Pixels
    are stored uncompressed; a video inside of DICOM is encoded again.

    Args:
        part: The object, with what is blanked and its mask.
        path: Where to.
        settings: ``dates``.
        salt: The secret behind pseudonyms and UIDs, see :func:`cineloop.identity.identity_salt`.
        watch: Told about every picture that is kept, masked, as a screen shows it.
        progress: Told about frames.

    Returns:
        Frames in the object.

    Raises:
        PrivacyError: The object is of no standard class, or too large for uncompressed pixels.
        VideoError: It cannot be read.
    """
    original = part.video.path
    source = open_dicom(original, threads=1, allow_truncated=True)
    with ExitStack() as stack:
        stack.callback(source.close)
        # Before any pixel, so that an object that cannot be cleaned costs no time.
        header = source.dataset if isinstance(source, DicomSource) else read_dataset(original)
        identity = Identity.of(header, salt)
        clean = clean_header(
            header, identity, dates=settings.dates, masked=not part.mask.empty, blanked=bool(part.blanked.any())
        )
        count = len(part.blanked)
        if isinstance(source, DicomSource):
            with stage(progress, count, "de-identify"):
                _store_frames(part, source, clean, stack, path.parent, watch, progress)
            syntax = ExplicitVRLittleEndian
        else:
            _store_video(part, header, clean, stack, path.parent, watch, progress)
            syntax = MPEG4HP41
        clean.file_meta = _meta(clean, syntax)
        with atomic_path(path) as temporary:
            pydicom.dcmwrite(temporary, clean, enforce_file_format=True)
    return count


def _store_frames(
    part: Part,
    source: DicomSource,
    clean: Dataset,
    stack: ExitStack,
    folder: Path,
    watch: Callable[[Part, int, Pixels], None] | None,
    progress: Progress,
) -> None:
    """Write the frames into a temporary file, and let the object's pixels be read from there."""
    layout, size, count = layout_of(source.dataset), part.mask.size, len(part.blanked)
    length = size[0] * size[1] * layout.samples * (layout.allocated // 8) * count
    if length > _LARGEST:
        raise PrivacyError(
            f"Uncompressed, the object's pixels are larger ({length / 2**30:.1f} GiB) than DICOM can say",
            mend="Have it written as a video (dicom_as: video).",
        )
    describe(clean, source.dataset, layout, size, count)
    pixels = stack.enter_context(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - the stack closes it
    seen = (lambda frame, picture: watch(part, frame, picture)) if watch is not None else (lambda frame, picture: None)
    for values in frames(part, source, layout, seen):
        pixels.write(values.tobytes())
        progress.advance()
    pixels.write(b"\0" * (length % 2))
    pixels.seek(0)
    clean.add_new("PixelData", "OW" if layout.allocated > 8 else "OB", pixels)


def _store_video(
    part: Part,
    header: Dataset,
    clean: Dataset,
    stack: ExitStack,
    folder: Path,
    watch: Callable[[Part, int, Pixels], None] | None,
    progress: Progress,
) -> None:
    """Encode the video again (PS3.5 8.2.7) and wrap it."""
    if any(side % 2 for side in part.mask.size):
        raise PrivacyError(
            "A video of an odd size cannot stand in a DICOM object",
            mend="Have it written as a video (dicom_as: video).",
        )
    work = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
    write_video([part], work / "video.mp4", watch=watch, progress=progress)
    clean.Columns, clean.Rows = part.mask.size
    clean.SamplesPerPixel, clean.PhotometricInterpretation, clean.PlanarConfiguration = 3, "YBR_PARTIAL_420", 0
    clean.BitsAllocated, clean.BitsStored, clean.HighBit, clean.PixelRepresentation = 8, 8, 7, 0
    clean.LossyImageCompression, clean.LossyImageCompressionMethod = "01", "ISO_14496_10"
    describe_frames(clean, header, len(part.blanked))
    clean.add_new("PixelData", "OB", encapsulate([(work / "video.mp4").read_bytes()], has_bot=False))
    clean["PixelData"].is_undefined_length = True


def _meta(clean: Dataset, syntax: UID) -> FileMetaDataset:
    """Return file meta information that says what must be said and nothing else."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = clean.SOPClassUID
    meta.MediaStorageSOPInstanceUID = clean.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = _VERSION
    return meta
