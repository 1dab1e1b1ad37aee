"""Whatever a user names to be predicted, as items: videos, images, DICOM, folders of them, or a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cineloop.cohort.format import MEDIA_SUFFIXES
from cineloop.cohort.item import Item
from cineloop.errors import VideoError
from cineloop.video.info import IMAGE_SUFFIXES

# Files of one picture, which need not be opened to know that.
_SINGLE = frozenset([".bmp", ".jpeg", ".jpg", ".png", ".ppm"])
_PICTURES = IMAGE_SUFFIXES | {".gif"}


def _item(path: Path, name: str) -> Item:
    return Item(
        id=name,
        media=name,
        path=path,
        patient=name,
        procedure=name,
        label=None,
        target=None,
        start=None,
        stop=None,
        frames=1 if path.suffix.lower() in _SINGLE else None,
    )


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _PICTURES


def _is_video(path: Path) -> bool:
    # A DICOM file often has no suffix; its preamble tells.
    suffix = path.suffix.lower()
    if suffix in MEDIA_SUFFIXES:
        return True
    if suffix:
        return False
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _one_size(images: Sequence[Path]) -> bool:
    """Return whether all images have one size, and so may be the frames of one recording."""
    from PIL import Image, UnidentifiedImageError

    sizes = set()
    for path in images:
        try:
            with Image.open(path) as image:
                sizes.add(image.size)
        except (OSError, UnidentifiedImageError):
            # Reading it will say what is wrong with it.
            continue
        if len(sizes) > 1:
            return False
    return True


def _in_folder(folder: Path, root: Path, *, stills: bool) -> list[Item]:
    """Return the videos below a folder, and its images: as one recording if they may be one, else one by one."""
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    files = [entry for entry in entries if entry.is_file()]
    videos = [file for file in files if _is_video(file) and not _is_image(file)]
    gifs = [file for file in files if file.suffix.lower() == ".gif"]
    images = [file for file in files if _is_image(file)]
    items = [_item(file, file.relative_to(root).as_posix()) for file in sorted([*videos, *gifs])]
    if stills or (images and not _one_size(images)):
        items += [_item(image, image.relative_to(root).as_posix()) for image in images if image not in gifs]
    elif images and not items:
        items.append(_item(folder, folder.relative_to(root).as_posix() if folder != root else folder.name))
    for entry in entries:
        if entry.is_dir():
            items += _in_folder(entry, root, stills=stills)
    return items


def collect(sources: Sequence[str | Path], *, stills: bool = False) -> list[Item]:
    """Return the items that sources name, each with an id of its own.

    Args:
        sources: Files (video, image, DICOM) and folders of them. A folder whose images have one size is one recording
            that plays them in the order of their names; images of several sizes are items of their own.
        stills: Take every image as an item of its own.

    Raises:
        VideoError: A source does not exist, or a folder holds nothing to look at.
    """
    items: list[Item] = []
    for source in sources:
        path = Path(source)
        if not path.exists():
            raise VideoError("This does not exist", where=path, mend="Check the path.")
        if path.is_dir():
            found = _in_folder(path, path, stills=stills)
            if not found:
                raise VideoError(
                    "The folder holds no video, image or DICOM file", where=path, mend="Name the folder of the videos."
                )
            items += found if len(sources) == 1 else [_renamed(item, f"{path.name}/{item.id}") for item in found]
        else:
            items.append(_item(path, path.name))
    if len({item.id for item in items}) < len(items):
        items = [_renamed(item, item.path.as_posix()) for item in items]
    return list({item.id: item for item in items}.values())


def _renamed(item: Item, name: str) -> Item:
    return _item(item.path, name)
