"""Decoding groups of pictures side by side.

A decoder of several threads fills its pipeline anew for every group, so frames far apart gain little from it. Groups
share nothing: several decoders of one thread each take them in turn.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from cineloop.video.colour import RgbConverter
from cineloop.video.container import Medium
from cineloop.video.decoder import PacketDecoder
from cineloop.video.frame import Pixels
from cineloop.video.index import FrameIndex, Stretch
from cineloop.video.source import Size

# Opening a file once more pays from this many packets a decoder.
_WORTH = 100

Outcome = tuple[int, Pixels | None, str]
"""A frame's index, its RGB pixels, or None and why it cannot be decoded exactly."""


class ParallelDecoder:
    """Several decoders of one file.

    Args:
        medium: The file.
        index: Its index.
        most: Decoders at most.
    """

    def __init__(self, medium: Medium, index: FrameIndex, most: int) -> None:
        self._pairs = [(PacketDecoder(medium, index, threads=1), RgbConverter(1)) for _ in range(most)]

    @property
    def decoded(self) -> int:
        """Pictures decoded so far."""
        return sum(decoder.decoded for decoder, _ in self._pairs)

    def worth(self, stretches: Sequence[Stretch]) -> int:
        """Return how many decoders to use; fewer than two means that one decoder does as well."""
        packets = sum(stretch.stop - stretch.start for stretch in stretches)
        return min(len(self._pairs), len(stretches), packets // _WORTH)

    def pictures(self, stretches: Sequence[Stretch], size: Size | None) -> Iterator[Outcome]:
        """Decode stretches.

        Args:
            stretches: Pieces that share no packet, in order.
            size: Width and height to scale to, or None.

        Yields:
            What came of each wanted frame, in order.

        Raises:
            VideoError: The file can no longer be read, or is no longer the one that was indexed.
        """
        count = self.worth(stretches)
        free: queue.SimpleQueue[tuple[PacketDecoder, RgbConverter]] = queue.SimpleQueue()
        for pair in self._pairs[:count]:
            free.put(pair)

        def work(stretch: Stretch) -> list[Outcome]:
            decoder, converter = pair = free.get()
            try:
                return [
                    (found.index, None if found.frame is None else converter.convert(found.frame, size), found.reason)
                    for found in decoder.frames(stretch.wanted)
                ]
            finally:
                free.put(pair)

        with ThreadPoolExecutor(count, thread_name_prefix="decode") as pool:
            for outcomes in pool.map(work, stretches):
                yield from outcomes

    def close(self) -> None:
        """Close the file; the next request opens it again."""
        for decoder, _ in self._pairs:
            decoder.close()
