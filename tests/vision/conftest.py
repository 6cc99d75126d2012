"""Small video clips, and a stand-in for DeepFace's network."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy


def write_clip(path: Path, greys: Iterable[int], rate: int = 25, loudness: int | None = None) -> Path:
    """Write a clip whose frames each have one grey; lossless, so that the grey can be read again.

    With a loudness, it has a second of sound at 8 kHz whose samples all are that number.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "bgr0"
        sound = container.add_stream("pcm_s16le", rate=8_000, layout="mono") if loudness is not None else None
        for grey in greys:
            frame = av.VideoFrame.from_ndarray(numpy.full((32, 32, 3), grey, numpy.uint8), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
        if sound:
            samples = numpy.full((1, 8_000), loudness, numpy.int16)
            samples[0, 0] = 0  # a constant is silence
            audio = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            audio.sample_rate = 8_000
            for packet in [*sound.encode(audio), *sound.encode(None)]:
                container.mux(packet)
    return path


def brightness(frame: numpy.ndarray) -> numpy.ndarray | None:
    """A network: dark frames show no face; of the others, the brighter the happier."""
    grey = int(frame[0, 0, 0])
    if grey < 50:
        return None
    probabilities = numpy.zeros(7)
    probabilities[3], probabilities[4] = grey / 255, 1 - grey / 255
    return probabilities
