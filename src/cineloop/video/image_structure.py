"""Whether an image file is whole, told by the marks and lengths in it: no picture is decoded."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PNG = b"\x89PNG\r\n\x1a\n"
# Tools write the orientation into PNG as a chunk of its own, or as text under one of these keys.
_TEXT = {b"tEXt", b"zTXt", b"iTXt"}
_TURNING_KEYS = (b"Raw profile type", b"XML:com.adobe.xmp")
# JPEG marks without a length, the start of the pixels, the end, and the segment of Exif and XMP.
_BARE = {0x01, *range(0xD0, 0xD9)}
_SCAN, _EXIF = 0xDA, 0xE1
_END = b"\xff\xd9"
_TAIL = 4096


@dataclass(frozen=True, slots=True)
class Structure:
    """What the structure of an image file tells.

    Attributes:
        may_turn: Whether something in it may state an orientation; else it is shown as it is stored.
    """

    may_turn: bool


def whole_structure(path: Path) -> Structure | None:
    """Return the structure of a JPEG or PNG file that is whole; None where only decoding can tell.

    A JPEG is whole when its segments lead to the pixels and it ends with its end mark, a PNG when its chunks follow
    each other to the last one and every checksum is right.
    """
    with path.open("rb") as stream:
        head = stream.read(8)
        if head[:3] == b"\xff\xd8\xff":
            return _jpeg(stream, os.fstat(stream.fileno()).st_size)
        return _png(stream) if head == _PNG else None


def _jpeg(stream: BinaryIO, size: int) -> Structure | None:
    may_turn = False
    stream.seek(2)
    while True:
        mark = stream.read(2)
        while mark == b"\xff\xff":
            mark = mark[1:] + stream.read(1)
        if len(mark) < 2 or mark[0] != 0xFF or mark == _END:
            return None
        kind = mark[1]
        if kind in _BARE:
            continue
        if kind == _SCAN:
            break
        length = int.from_bytes(stream.read(2), "big")
        if length < 2:
            return None
        may_turn |= kind == _EXIF
        stream.seek(length - 2, os.SEEK_CUR)
    # The end mark of a thumbnail, which lies in a segment before the pixels, is not at the end.
    stream.seek(max(0, size - _TAIL))
    return Structure(may_turn) if stream.read().rstrip(b"\0").endswith(_END) else None


def _png(stream: BinaryIO) -> Structure | None:
    may_turn = False
    while True:
        head = stream.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or length > 0x7FFFFFFF:
            return None
        body = stream.read(length + 4)
        if len(body) < length + 4 or zlib.crc32(body[:-4], zlib.crc32(kind)) != int.from_bytes(body[-4:], "big"):
            return None
        may_turn |= kind == b"eXIf" or (kind in _TEXT and body.startswith(_TURNING_KEYS))
        if kind == b"IEND":
            return Structure(may_turn)
