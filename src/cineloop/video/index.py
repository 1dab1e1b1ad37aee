"""Which packet holds which frame, and where decoding has to start to get it."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from cineloop.video.source import Integers

MISSING = np.iinfo(np.int64).min
"""Stands for a time stamp or position that a packet does not have."""
Numbers = npt.NDArray[np.int32]
"""Of frames or packets; of hours there are hundreds of thousands, and an index holds several for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """The packets of a video stream, in decode order (``[P]`` each).

    Attributes:
        pts: Presentation time stamps, or ``MISSING``.
        dts: Decode time stamps, or ``MISSING``.
        position: Byte positions in the file, or ``MISSING``.
        size: Bytes.
        key: Whether decoding can start here, as far as the container says.
        shown: Whether the packet's picture is meant to be seen (not cut off by an edit list, not a hidden reference).
        corrupt: Whether the container could not read all of it.
        duration: The last shown packet's duration, in units of the time base.
    """

    pts: Integers
    dts: Integers
    position: Integers
    size: Numbers
    key: npt.NDArray[np.bool_]
    shown: npt.NDArray[np.bool_]
    corrupt: npt.NDArray[np.bool_]
    duration: int

    def __len__(self) -> int:
        return len(self.pts)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """What is kept of a stream's packets: enough to find each in the file again.

    Attributes:
        position: Byte positions in the file, or ``MISSING`` (``[P]``, in decode order).
        size: Bytes ``[P]``.
        corrupt: Whether the container could not read all of it, ``[P]``.
        keys: Packets with which decoding can start, as far as the container says, ``[K]``, increasing.
        key_pts: Their presentation time stamps, or ``MISSING``.
        key_dts: Their decode time stamps, or ``MISSING``.
        duration: The last shown packet's duration, in units of the time base.
    """

    position: Integers
    size: Numbers
    corrupt: npt.NDArray[np.bool_]
    keys: Numbers
    key_pts: Integers
    key_dts: Integers
    duration: int

    @staticmethod
    def of(packets: Packets) -> Places:
        """Return what is kept of packets; what they say of damage is shared with them."""
        keys = np.flatnonzero(packets.key).astype(np.int32)
        return Places(
            packets.position,
            packets.size,
            packets.corrupt,
            keys,
            packets.pts[keys],
            packets.dts[keys],
            packets.duration,
        )

    def __len__(self) -> int:
        return len(self.position)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        held = (self.position, self.size, self.corrupt, self.keys, self.key_pts, self.key_dts)
        return sum(array.nbytes for array in held)


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """Frames in presentation order (``[N]`` each) and the packets that they are decoded from.

    To decode frame ``i`` exactly, send packets ``entry[i]`` to ``last[i]`` to a fresh decoder and drain it; the frame
    that carries ``packet[i]`` is the one.

    Attributes:
        packets: Where all packets of the stream lie.
        pts: Presentation time stamps, strictly increasing.
        packet: The packet that carries each frame.
        last: The last packet needed for it: the same, or the second field that follows.
        entry: The keyframe to start from; a keyframe that is shown after the frame does not serve.
        frame_of: For each packet ``[P]``, the frame that it carries, or -1.
        horizon: For each packet ``[P]``, the last frame among those carried up to it: once that one has come out of a
            decoder, all of them have.
        lost: Frames at the start of the stream that no keyframe leads to (a recording cut out of a longer one).
    """

    packets: Places
    pts: Integers
    packet: Numbers
    last: Numbers
    entry: Numbers
    frame_of: Numbers
    horizon: Numbers
    lost: int

    def __len__(self) -> int:
        return len(self.packet)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        arrays = (self.pts, self.packet, self.last, self.entry, self.frame_of, self.horizon)
        return self.packets.nbytes + sum(array.nbytes for array in arrays)

    def owner_entry(self, packet: int) -> int:
        """Return the entry of the frame that a packet belongs to (maybe as its second field), or -1."""
        carrier = packet
        while carrier >= 0 and self.frame_of[carrier] < 0:
            carrier -= 1
        return int(self.entry[self.frame_of[carrier]]) if carrier >= 0 else -1


def times_can_be_trusted(packets: Packets) -> bool:
    """Say whether every shown packet has a time stamp of its own, so that sorting them gives presentation order."""
    shown = packets.pts[packets.shown]
    return bool(len(shown)) and bool((shown != MISSING).all()) and len(np.unique(shown)) == len(shown)


def index_by_times(packets: Packets) -> FrameIndex:
    """Index a stream in which each shown packet is one frame, in the order of the time stamps."""
    shown = np.flatnonzero(packets.shown)
    order = shown[np.argsort(packets.pts[shown], kind="stable")]
    # A keyframe that an edit list hides still has its place in time.
    rank = np.where(packets.pts == MISSING, np.int64(MISSING), packets.pts)
    return _build(packets, order, packets.pts[order], rank)


def index_by_output(packets: Packets, order: Integers) -> FrameIndex:
    """Index a stream by the order in which a decoder really gave its frames.

    Args:
        packets: The packets sent.
        order: ``[N]``, the packet that carries each frame given.
    """
    rank = np.full(len(packets), -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    pts = packets.pts[order]
    if (pts == MISSING).any() or (np.diff(pts) <= 0).any():
        # Times that contradict the order: the decode times, sorted, are the presentation times less a constant.
        pts = np.sort(packets.dts[order])
    if (pts == MISSING).any() or (np.diff(pts) <= 0).any():
        pts = np.arange(len(order), dtype=np.int64)
    return _build(packets, order, pts, rank)


def _build(packets: Packets, order: Integers, pts: Integers, rank: Integers) -> FrameIndex:
    """Find where decoding starts and ends for each frame.

    Args:
        packets: All packets.
        order: The packet of each frame, in presentation order.
        pts: The frames' time stamps.
        rank: For each packet something that increases in presentation order.
    """
    carriers = np.sort(order)
    following = np.append(carriers[1:], len(packets))
    last = (following - 1)[np.searchsorted(carriers, order)]
    keys = np.flatnonzero(packets.key)
    which = np.searchsorted(keys, order, side="right") - 1
    while True:
        # Pictures decoded after a keyframe but shown before it may refer to what came before it (open groups).
        early = (which >= 0) & (rank[keys[which]] > rank[order])
        if not early.any():
            break
        which[early] -= 1
    reachable = which >= 0
    order, pts, last, which = order[reachable], pts[reachable], last[reachable], which[reachable]
    entry = keys[which]
    # Decoding forward serves all later frames only if entries never go back in presentation order.
    entry = np.minimum.accumulate(entry[::-1])[::-1]
    frame_of = np.full(len(packets), -1, dtype=np.int32)
    frame_of[order] = np.arange(len(order))
    horizon = np.maximum.accumulate(frame_of) if len(packets) else frame_of
    packet = order.astype(np.int32)
    # A second field is rare; without any, a frame's packet is its last one.
    last = packet if (last == order).all() else last.astype(np.int32)
    lost = int((~reachable).sum())
    return FrameIndex(Places.of(packets), pts, packet, last, entry.astype(np.int32), frame_of, horizon, lost)


def with_preroll(index: FrameIndex) -> FrameIndex:
    """Start every frame one keyframe earlier, for streams whose keyframes only begin a gradual refresh."""
    keys = index.packets.keys
    before = np.maximum(np.searchsorted(keys, index.entry) - 1, 0)
    return dataclasses.replace(index, entry=keys[before])


def until(index: FrameIndex, time: int) -> FrameIndex:
    """Keep the frames before the first one shown at ``time`` or later, or made of a packet that was not read whole."""
    broken = np.flatnonzero(index.packets.corrupt)
    tail = broken[0] if len(broken) else len(index.packets)
    usable = (index.pts < time) & (index.last < tail)
    count = int(np.argmin(usable)) if not usable.all() else len(usable)
    frame_of = np.where(index.frame_of < count, index.frame_of, -1)
    return dataclasses.replace(
        index,
        pts=index.pts[:count],
        packet=index.packet[:count],
        last=index.last[:count],
        entry=index.entry[:count],
        frame_of=frame_of,
        horizon=np.maximum.accumulate(frame_of) if len(frame_of) else frame_of,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """One unbroken piece of decoding.

    Attributes:
        start: First packet to send.
        stop: One past the last packet that any wanted frame needs.
        wanted: Frame indices to keep, increasing.
    """

    start: int
    stop: int
    wanted: Integers


def plan(index: FrameIndex, wanted: Integers) -> list[Stretch]:
    """Cut a request into stretches that share no packet, so that no frame is decoded twice.

    A new stretch begins where the next frame's keyframe lies beyond everything sent so far; before that, rolling
    forward costs less than starting again.

    Args:
        index: The stream's index.
        wanted: Frame indices ``[T]``, strictly increasing.
    """
    if not len(wanted):
        return []
    entry = index.entry[wanted]
    sent = np.maximum.accumulate(index.last[wanted])
    cuts = np.flatnonzero(entry[1:] > sent[:-1] + 1) + 1
    bounds = [0, *cuts.tolist(), len(wanted)]
    return [
        Stretch(int(entry[first]), int(sent[after - 1]) + 1, wanted[first:after])
        for first, after in itertools.pairwise(bounds)
    ]


class _Held(Protocol):
    @property
    def nbytes(self) -> int: ...


Value = TypeVar("Value", bound=_Held)


class IndexCache(Generic[Value]):
    """What was learnt of the files opened last in this process, so that opening one again reads nothing.

    Args:
        limit: Memory to hold at most, in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[Hashable, Value] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """Return what is held under ``key``, or None."""
        with self._lock:
            index = self._held.get(key)
            if index is not None:
                self._held.move_to_end(key)
            return index

    def put(self, key: Hashable, index: Value) -> None:
        """Hold ``index`` under ``key``, letting go of the least recently used ones when memory runs out."""
        with self._lock:
            replaced = self._held.pop(key, None)
            self._size += index.nbytes - (replaced.nbytes if replaced is not None else 0)
            self._held[key] = index
            while self._size > self._limit and len(self._held) > 1:
                _, dropped = self._held.popitem(last=False)
                self._size -= dropped.nbytes
