"""Sound for tests: added beside the pictures of a video, and read back packet by packet."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 16_000


def with_sound(
    video: Path, path: Path, *, codec: str = "aac", seconds: float | None = None, start: float = 0.0, tracks: int = 1
) -> Path:
    """Write a copy of a video with a tone beside its pictures.

    Args:
        video: The pictures.
        path: Where to; its suffix chooses the container.
        codec: FFmpeg's encoder.
        seconds: How long the tone is; as long as the pictures without it.
        start: When it begins, on the clock of the pictures.
        tracks: How many there are.
    """
    with av.open(str(video)) as source, av.open(str(path), "w") as target:
        shown = source.streams.video[0]
        pictures = target.add_stream_from_template(shown)
        tones = [target.add_stream(codec, rate=RATE, layout="mono") for _ in range(tracks)]
        tones[0].metadata["title"] = "Dr. Example speaking"
        packets = [packet for packet in source.demux(shown) if packet.size]
        last = max(float(packet.pts * packet.time_base) for packet in packets)
        length = round((seconds if seconds is not None else last - start) * RATE)
        for packet in packets:
            packet.stream = pictures
            target.mux(packet)
        wave = np.sin(np.arange(length) * 0.17) * np.linspace(0.1, 0.9, length)
        for number, tone in enumerate(tones, start=1):
            size = tone.codec_context.frame_size or 1024
            for begin in range(0, length, size):
                samples = (wave[begin : begin + size] / number)[np.newaxis]
                packed = av.AudioFrame.from_ndarray(samples.astype(np.float32), format="fltp", layout="mono")
                packed.sample_rate, packed.time_base = RATE, Fraction(1, RATE)
                packed.pts = begin + round(start * RATE)
                resampler = av.AudioResampler(format=tone.codec_context.format, layout="mono", rate=RATE)
                for frame in resampler.resample(packed):
                    frame.pts = packed.pts
                    target.mux(tone.encode(frame))
            target.mux(tone.encode(None))
    return path


def sound_of(path: Path) -> list[tuple[Fraction, bytes]]:
    """Return the packets of a file's first track of sound, with their times in seconds; none where there is none."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        stream = container.streams.audio[0]
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in container.demux(stream) if packet.size]
