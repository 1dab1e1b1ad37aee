"""What a file's own structure promises, held against what is there."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


def broken_promise(source: Path | bytes) -> str | None:
    """Say what is missing from the end of a file, or None where all of it is there or nothing was promised.

    The lengths written in MP4 and QuickTime boxes, the Matroska segment, RIFF (AVI) chunks, GIF blocks, Ogg pages and
    MPEG transport packets are followed; no picture is decoded.

    Args:
        source: A file, or its bytes.

    Returns:
        The end of a sentence that begins with "The file".
    """
    if isinstance(source, bytes):
        return _check(io.BytesIO(source), len(source))
    with source.open("rb") as stream:
        return _check(stream, os.fstat(stream.fileno()).st_size)


def _check(stream: BinaryIO, size: int) -> str | None:
    head = stream.read(16)
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp"}:
        return _boxes(stream, size)
    if head[:4] == _EBML:
        return _segment(stream, size)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _chunks(stream, size)
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return _gif(stream, size)
    if head[:4] == b"OggS":
        return _ogg(stream, size)
    if head[:1] == b"\x47":
        return _transport(stream, size)
    return None


def _boxes(stream: BinaryIO, size: int) -> str | None:
    """MP4 and QuickTime: top-level boxes of (size, type)."""
    offset, kinds = 0, set()
    while offset < size:
        stream.seek(offset)
        head = stream.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:], "big")
        elif length == 0:
            if not head.strip(b"\0"):
                break  # zeros that a recorder or copy padded the file with
            length = size - offset
        if len(head) < 8 or (length < 16 and len(head) < length):
            return "ends in the middle of a box"
        if offset + length > size:
            name = kind.decode("latin-1")
            return f"ends {offset + length - size} bytes before its {name!r} box does"
        if length < 8:
            break
        kinds.add(kind)
        offset += length
    if b"moov" not in kinds and kinds & {b"ftyp", b"mdat"}:
        return "has no table of its frames (the 'moov' box, which recorders write last)"
    return None


def _vint(data: bytes, *, keep_marker: bool) -> tuple[int, int] | None:
    """Read EBML's variable-length number: the value and its length, or None where data ends or it says 'unknown'."""
    if not data or not data[0]:
        return None
    length = 9 - data[0].bit_length()
    if len(data) < length:
        return None
    value = int.from_bytes(data[:length], "big")
    if keep_marker:
        return value, length
    value &= (1 << 7 * length) - 1
    return None if value == (1 << 7 * length) - 1 else (value, length)


def _segment(stream: BinaryIO, size: int) -> str | None:
    """Matroska and WebM: one header, then one segment whose size is known unless it was streamed."""
    stream.seek(4)
    header = _vint(stream.read(8), keep_marker=False)
    if header is None:
        return "ends within its header" if size < 64 else None
    offset = 4 + header[1] + header[0]
    stream.seek(offset)
    head = stream.read(12)
    if len(head) < 5:
        return "ends within its header"
    if head[:4] != _SEGMENT:
        return None
    segment = _vint(head[4:], keep_marker=False)
    if segment is None:
        return None
    end = offset + 4 + segment[1] + segment[0]
    return f"ends {end - size} bytes before its segment does" if end > size else None


def _chunks(stream: BinaryIO, size: int) -> str | None:
    """AVI: one RIFF chunk, or several (OpenDML)."""
    offset = 0
    while offset + 12 <= size:
        stream.seek(offset)
        head = stream.read(12)
        if head[:4] != b"RIFF":
            return None
        length = int.from_bytes(head[4:8], "little")
        if not length:
            return "was never finished: its length is still 0"
        end = offset + 8 + length
        if end > size:
            return f"ends {end - size} bytes before its RIFF chunk does"
        offset = end + length % 2
    return None


def _gif(stream: BinaryIO, size: int) -> str | None:
    """GIF: a sequence of blocks that a trailer closes."""
    stream.seek(0)
    data = stream.read()
    offset = 13 + (3 << (data[10] & 7) + 1 if len(data) > 10 and data[10] & 0x80 else 0)
    while offset < size:
        kind = data[offset]
        if kind == 0x3B:
            return None
        if kind == 0x21:
            offset += 2
        elif kind == 0x2C:
            packed = data[offset + 9] if offset + 9 < size else 0
            offset += 11 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)
        else:
            return None  # not a block: damage, which decoding will find
        while offset < size and data[offset]:
            offset += 1 + data[offset]
        offset += 1
    return "ends before its trailer"


def _ogg(stream: BinaryIO, size: int) -> str | None:
    """Ogg: pages, the last of which carries the mark that ends a stream."""
    tail = max(0, size - (1 << 17))
    stream.seek(tail)
    data = stream.read()
    at = data.rfind(b"OggS")
    if at < 0 or at + 27 > len(data):
        return "ends in the middle of a page"
    segments = data[at + 26]
    lacing = data[at + 27 : at + 27 + segments]
    if len(lacing) < segments or at + 27 + segments + sum(lacing) > len(data):
        return "ends in the middle of a page"
    marks = _ends(data)
    return None if marks else "has no page that ends its streams"


def _ends(data: bytes) -> bool:
    at = data.find(b"OggS")
    while at >= 0:
        if at + 5 < len(data) and data[at + 4] == 0 and data[at + 5] & 4:
            return True
        at = data.find(b"OggS", at + 4)
    return False


def _transport(stream: BinaryIO, size: int) -> str | None:
    """MPEG transport stream: packets of 188 bytes."""
    stream.seek(0)
    head = stream.read(188 * 3 + 1)
    if len(head) < 188 * 3 + 1 or any(head[188 * i] != 0x47 for i in range(4)):
        return None
    return f"ends {188 - size % 188} bytes before its last packet does" if size % 188 else None
