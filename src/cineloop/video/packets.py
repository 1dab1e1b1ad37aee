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
from cineloop.video.index import MISSING, Packets
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
    # Numbers side by side: as Python's objects those of hours would be a hundred megabytes.
    rows = array("q")
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
            rows.extend(
                (
                    MISSING if pts is None else pts,
                    MISSING if dts is None else dts,
                    MISSING if position is None or position < 0 else position,
                    size,
                    packet.is_keyframe,
                    shown,
                    packet.is_corrupt,
                    packet.duration or 0,
                )
            )
    table = np.frombuffer(rows, dtype=np.int64).reshape(-1, 8)
    shown_last = int(np.argmax(np.where(table[:, 5] > 0, table[:, 0], MISSING))) if rows else 0
    return Packets(
        pts=table[:, 0].copy(),
        dts=table[:, 1].copy(),
        position=table[:, 2].copy(),
        size=table[:, 3].copy(),
        key=table[:, 4].astype(bool),
        shown=table[:, 5].astype(bool),
        corrupt=table[:, 6].astype(bool),
        duration=int(table[shown_last, 7]) if rows else 0,
    )


class PacketReader:
    """Reads one stream's packets from any one on.

    A packet is known by its place in the file and its size: after a seek the first known one tells where reading
    stands. (Formats that cut packets out of a byte stream may give a fragment first, and give a place only to packets
    that begin in a chunk of their own.)

    Args:
        medium: The file.
        packets: The packets that were found in it.
    """

    def __init__(self, medium: Medium, packets: Packets) -> None:
        self._medium = medium
        self._packets = packets
        self._container, self.stream = open_container(medium)
        self._next = 0
        self._source: Iterator[Packet[VideoStream]] = self._demux()
        self._placed: tuple[Integers, Integers] | None = None

    def read(self) -> Packet[VideoStream]:
        """Return the next packet.

        Raises:
            VideoError: The file ends early or holds another packet than it did before.
        """
        with ffmpeg_errors(self._medium.path, f"reading packet {self._next}"):
            packet = next(self._source, None)
        if packet is None or packet.size != self._packets.size[self._next]:
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
        packets = self._packets
        times = packets.pts if self._container.format.name in _BY_PTS else packets.dts
        keys = np.flatnonzero(packets.key[: number + 1])[::-1]
        # Some formats land late: ask for ever earlier places.
        for key in keys[[back for back in (0, 1, 3, 7) if back < len(keys)]].tolist():
            time = int(times[key]) if times[key] != MISSING else int(packets.pts[key])
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
        packets = self._packets
        if self._placed is None:
            placed = np.flatnonzero(packets.position != MISSING)
            placed = placed[np.argsort(packets.position[placed], kind="stable")]
            self._placed = placed, packets.position[placed]
        numbers, positions = self._placed
        low, high = (int(np.searchsorted(positions, packet.pos, side=side)) for side in ("left", "right"))
        alike = [number for number in numbers[low:high].tolist() if packets.size[number] == packet.size]
        # A place and size that two packets share tell nothing.
        return alike[0] if len(alike) == 1 else None
