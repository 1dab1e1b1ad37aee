"""Reading a file's packets by number, in decode order."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import chain, islice

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from cineloop.errors import VideoError
from cineloop.video.container import Medium, ffmpeg_errors, open_container
from cineloop.video.index import MISSING, Packets, Places
from cineloop.video.source import Integers

# Reading on over this many packets costs less than a seek.
_NEAR = 32
# Formats whose table of places is by presentation time, not by decode time.
_BY_PTS = {"matroska,webm", "ogg"}


def read_packets(medium: Medium, container: InputContainer, stream: VideoStream) -> Packets:
    """Read through a file without decoding it.

    Raises:
        VideoError: Reading fails other than by the end of the file.
    """
    # Numbers side by side: as Python's objects those of hours would be a hundred megabytes. One array for each kind: of
    # one large block that comes and goes glibc learns to keep as much in every thread.
    stamps, decode_stamps, positions, sizes = array("q"), array("q"), array("q"), array("i")
    keys, seen, damaged = array("b"), array("b"), array("b")
    latest, duration = MISSING, 0
    invisible_possible = stream.codec_context.name == "vp8"
    with ffmpeg_errors(medium.path, "reading it"):
        for packet in container.demux(stream):
            size = packet.size
            if not size:
                continue
            shown = not packet.is_discard
            if invisible_possible and shown:
                # VP8 keeps its invisible reference frames in packets of their own (RFC 6386, 9.1: show_frame).
                shown = bool(memoryview(packet)[0] & 0x10)
            pts, dts, position = packet.pts, packet.dts, packet.pos
            stamps.append(MISSING if pts is None else pts)
            decode_stamps.append(MISSING if dts is None else dts)
            positions.append(MISSING if position is None or position < 0 else position)
            sizes.append(size)
            keys.append(packet.is_keyframe)
            seen.append(shown)
            damaged.append(packet.is_corrupt)
            if shown and (latest == MISSING or (pts is not None and pts > latest)):
                latest, duration = stamps[-1], packet.duration or 0
    return Packets(
        pts=np.frombuffer(stamps, dtype=np.int64),
        dts=np.frombuffer(decode_stamps, dtype=np.int64),
        position=np.frombuffer(positions, dtype=np.int64),
        size=np.frombuffer(sizes, dtype=np.int32),
        key=np.frombuffer(keys, dtype=np.bool_),
        shown=np.frombuffer(seen, dtype=np.bool_),
        corrupt=np.frombuffer(damaged, dtype=np.bool_),
        duration=duration,
    )


class PacketReader:
    """Reads one stream's packets from any one on.

    A packet is known by its place in the file and its size: after a seek the first known one tells where reading
    stands. (Formats that cut packets out of a byte stream may give a fragment first, and give a place only to packets
    that begin in a chunk of their own.)

    Args:
        medium: The file.
        places: Where its packets lie.
    """

    def __init__(self, medium: Medium, places: Places) -> None:
        self._medium = medium
        self._places = places
        self._container, self.stream = open_container(medium)
        self._next = 0
        self._source: Iterator[Packet[VideoStream]] = self._demux()
        self._placed: tuple[Integers | None, Integers] | None = None

    def read(self) -> Packet[VideoStream]:
        """Return the next packet.

        Raises:
            VideoError: The file ends early or holds another packet than it did before.
        """
        with ffmpeg_errors(self._medium.path, f"reading packet {self._next}"):
            packet = next(self._source, None)
        if packet is None or packet.size != self._places.size[self._next]:
            raise VideoError(
                f"The file is not what it was when it was opened: packet {self._next} has gone",
                where=self._medium.path,
                mend="Open it again once nothing writes to it.",
            )
        self._next += 1
        return packet

    def go_to(self, number: int) -> bool:
        """Make packet ``number`` the next one to be read; say whether the file had to be opened again for it."""
        reopened = False
        if not self._next <= number <= self._next + _NEAR and not self._seek(number):
            self._container.close()
            self._container, self.stream = open_container(self._medium)
            self._source, self._next, reopened = self._demux(), 0, True
        while self._next < number:
            self.read()
        return reopened

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _demux(self) -> Iterator[Packet[VideoStream]]:
        return (packet for packet in self._container.demux(self.stream) if packet.size)

    def _seek(self, number: int) -> bool:
        """Land on packet ``number`` or before it; say whether that worked."""
        places = self._places
        times = places.key_pts if self._container.format.name in _BY_PTS else places.key_dts
        before = int(np.searchsorted(places.keys, number, side="right"))
        # Some formats land late: ask for ever earlier places.
        for key in [before - back for back in (1, 2, 4, 8) if back <= before]:
            time = int(times[key]) if times[key] != MISSING else int(places.key_pts[key])
            if time == MISSING:
                continue
            with ffmpeg_errors(self._medium.path, f"seeking to packet {number}"):
                self._container.seek(time, stream=self.stream)
                source = self._demux()
                for packet in islice(source, _NEAR):
                    found = self._number(packet)
                    if found is None:
                        continue
                    if found > number:
                        break
                    self._source, self._next = chain([packet], source), found
                    return True
        return False

    def _number(self, packet: Packet[VideoStream]) -> int | None:
        """Return the number of a packet that was just read, or None if it cannot be told."""
        if packet.pos is None:
            return None
        places = self._places
        if self._placed is None:
            self._placed = _by_position(places.position)
        numbers, positions = self._placed
        low, high = (int(np.searchsorted(positions, packet.pos, side=side)) for side in ("left", "right"))
        here = range(low, high) if numbers is None else numbers[low:high].tolist()
        alike = [number for number in here if places.size[number] == packet.size]
        # A place and size that two packets share tell nothing.
        return alike[0] if len(alike) == 1 else None


def _by_position(position: Integers) -> tuple[Integers | None, Integers]:
    """Return the packets that have a place, in the order of their places, and the places; None for all as they are."""
    if len(position) and position[0] != MISSING and (position[1:] > position[:-1]).all():
        return None, position
    placed = np.flatnonzero(position != MISSING)
    placed = placed[np.argsort(position[placed], kind="stable")]
    return placed, position[placed]
