"""Frames of a video clip."""

from pathlib import Path

import av
import numpy

from emokit.data.audio_io.decoders import NO_OTHER_FILE
from emokit.errors import DataError
from emokit.files import kind_of, not_a
from emokit.read_files import in_words

NUM_FRAMES = 5
VIDEO_ENDINGS = {".avi", ".flv", ".mkv", ".mov", ".mp4", ".webm"}


def is_clip(path: Path) -> bool:
    """Whether a file's name ends as a video's."""
    return path.suffix.lower() in VIDEO_ENDINGS


def frames(path: Path, number: int = NUM_FRAMES) -> list[numpy.ndarray]:
    """Frames from the middles of `number` equal parts of a clip, each (height, width, 3) uint8 in RGB.

    A clip of fewer frames gives each of its frames once.

    Raises:
        DataError: the file is missing, has no video, or cannot be decoded.
    """
    if kind_of(path) != "file":
        raise DataError(f"{path} {not_a('file', path)}; name a video clip.")
    try:
        # Opened here: av takes only names that are UTF-8.
        with path.open("rb") as file, av.open(file, options=NO_OTHER_FILE) as container:
            if not container.streams.video:
                raise DataError(f"{path} has no video; name a video clip.")
            total = sum(1 for packet in container.demux(video=0) if packet.size)
            container.seek(0)
            positions = {int((i + 0.5) * total / number) for i in range(number)}
            return [
                frame.to_ndarray(format="rgb24")
                for position, frame in enumerate(container.decode(video=0))
                if position in positions
            ]
    except MemoryError:
        raise  # of av too, whose error is also an FFmpegError
    except (OSError, ValueError, av.FFmpegError) as error:
        raise DataError(f"{path} cannot be decoded ({in_words(error)}); download it again or leave it out.") from error
