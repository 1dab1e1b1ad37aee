"""Choosing, by what a recording holds, how it is read."""

from __future__ import annotations

from pathlib import Path

from cineloop.errors import EmptyVideoError, VideoError
from cineloop.video.container import Medium
from cineloop.video.file import FileSource
from cineloop.video.info import IMAGE_SUFFIXES
from cineloop.video.source import Source


def open_source(path: Path, *, threads: int, allow_truncated: bool) -> Source:
    """Open a file or folder.

    Raises:
        VideoError: It is missing, cannot be read, or is nothing that shows pictures.
    """
    if path.is_dir():
        from cineloop.video.images import FolderSource

        return FolderSource(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except FileNotFoundError:
        raise VideoError("There is no such file", where=path, mend="Check the path.") from None
    except OSError as error:
        raise VideoError(f"The file cannot be opened: {error.strerror}", where=path, mend="Check its rights.") from None
    if not head:
        raise EmptyVideoError("The file is empty (0 bytes)", where=path, mend="Copy it again from its source.")
    if is_dicom(head):
        # Imported on use: data workers that read plain video need neither pydicom nor Pillow.
        from cineloop.video.dicom import open_dicom

        return open_dicom(path, threads=threads, allow_truncated=allow_truncated)
    if is_still(head):
        from cineloop.video.images import ImageSource

        return ImageSource(path)
    try:
        return FileSource(Medium(path), threads=threads, allow_truncated=allow_truncated)
    except VideoError as error:
        if type(error) is VideoError and path.suffix.lower() in IMAGE_SUFFIXES:
            # What FFmpeg says of a file that is no video would not help.
            raise VideoError(
                "This is no image that can be read",
                where=path,
                mend="Copy it again from its source, convert it to PNG, or leave it out (predict --skip-errors, "
                "data.on_error: skip).",
            ) from None
        raise


def is_dicom(head: bytes) -> bool:
    """Say whether a file that begins with ``head`` is DICOM: the mark after the preamble, or a bare first element."""
    if head[128:132] == b"DICM":
        return True
    # Old files begin with an element of group 2 or 8 and have no preamble.
    return head[:2] in {b"\x02\x00", b"\x08\x00"} and head[3:4] == b"\x00" and head[4:6] in _REPRESENTATIONS_OR_SHORT


def is_still(head: bytes) -> bool:
    """Say whether a file that begins with ``head`` is a still image (or pages of them) that Pillow reads."""
    return head.startswith(_STILL_MARKS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


# Explicit value representations of a first element, or (implicit) the low half of a small length.
_REPRESENTATIONS_OR_SHORT = {b"UL", b"UI", b"CS", b"DA", b"LO", b"SH", *(bytes([n, 0]) for n in range(2, 66, 2))}
_STILL_MARKS = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"BM",
    b"II*\x00",  # TIFF
    b"MM\x00*",
    b"\x00\x00\x00\x0cjP  ",  # JPEG 2000
    b"\xff\x4f\xff\x51",
    b"P5\n",  # portable maps
    b"P6\n",
    b"P5 ",
    b"P6 ",
)
