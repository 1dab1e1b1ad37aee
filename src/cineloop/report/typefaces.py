"""Font files beside the package's own: which letters they have, and where this machine keeps them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from unicodedata import category

import matplotlib
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
# Names of styles that are taken only where no plain one has the letters.
_FANCY = ("italic", "oblique", "bold", "black", "heavy", "light", "thin", "mono", "condensed", "serif")
# Fonts that draw a box for every letter there is.
_BOXES = ("lastresort", "blank", "notdef")
# Marks that choose between shapes of a letter are drawn by none.
_UNDRAWN = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


def letters_of(text: str) -> frozenset[str]:
    """Return the letters of a text that need a shape."""
    return frozenset(one for one in text if ord(one) not in _UNDRAWN and category(one) not in ("Cc", "Cf", "Zs", "Zl"))


def lacking(font: FT2Font, letters: Iterable[str]) -> frozenset[str]:
    """Return the letters that a font has no shape for."""
    return frozenset(letter for letter in letters if not font.get_char_index(ord(letter)))


def opened(path: Path) -> FT2Font | None:
    """Return the font in a file, or None where there is none whose letters can be drawn in any size."""
    try:
        font = FT2Font(str(path))
    except (OSError, RuntimeError):
        return None
    return font if font.scalable else None


def shipped() -> Path:
    """Return the font that comes with matplotlib: DejaVu Sans, of Latin, Greek, Cyrillic and some further scripts."""
    return Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


def folders() -> list[Path]:
    """Return the folders in which systems keep fonts, the user's own first; not all of them need to be there."""
    home = Path.home()
    if sys.platform == "win32":
        local, windows = os.environ.get("LOCALAPPDATA"), os.environ.get("WINDIR", r"C:\Windows")
        mine = [Path(local, "Microsoft", "Windows", "Fonts")] if local else []
        return [*mine, Path(windows, "Fonts")]
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    return [data / "fonts", home / ".fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]


def _candidates() -> Iterator[Path]:
    """Yield font files, plain ones first, in an order that depends on their names alone."""
    yield shipped()
    found = [path for folder in folders() for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]

    def rank(path: Path) -> tuple[int, str, str]:
        name = path.stem.lower()
        return sum(word in name for word in _FANCY), name, str(path)

    for path in sorted(found, key=rank):
        if not any(word in path.stem.lower() for word in _BOXES):
            yield path


@lru_cache(maxsize=256)
def font_with(letters: frozenset[str]) -> Path | None:
    """Return a font file of this machine that has all the letters, or None where no single one does."""
    for path in _candidates():
        font = opened(path)
        if font is not None and not lacking(font, letters):
            return path
    return None


def set_font(text: Text, file: Path) -> None:
    """Set a piece of text in the font of a file, its size as it is."""
    properties = text.get_fontproperties().copy()
    properties.set_file(str(file))
    text.set_fontproperties(properties)
