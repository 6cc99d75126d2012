"""Time to read a wav file: emokit with all its checks, soundfile, and the bytes alone; one process, one thread.

    make bench PART=read

The files are those of EMOKIT_CORPORA if it is set, else synthesised; they are in the system's cache after the first round.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import soundfile
from prepare import corpus_files

from emokit.data.audio_io.read import read_audio

ROUNDS = 15


def main() -> None:
    """Print, per corpus, the microseconds per file of each way to read it."""
    print("corpus", "files", "emokit us", "soundfile us", "bytes us", sep="\t")
    with corpus_files() as files_of:
        for corpus, files in files_of.items():
            ways: list[Callable[[Path], object]] = [
                read_audio,
                lambda path: soundfile.read(path, dtype="float32"),
                Path.read_bytes,
            ]
            print(corpus, len(files), *(f"{microseconds(way, files):.0f}" for way in ways), sep="\t")


def microseconds(read: Callable[[Path], object], paths: list[Path]) -> float:
    """Median time of a round through the files, per file."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for path in paths:
            read(path)
        seconds.append(time.perf_counter() - start)
    return 1e6 * statistics.median(seconds) / len(paths)


if __name__ == "__main__":
    main()
