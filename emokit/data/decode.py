"""From files to readings: each sound is opened once, looked at, and turned into features, in parallel processes."""

import hashlib
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy

from emokit.data.sound import BadSound, read_sound, resample
from emokit.data.store import Reading
from emokit.errors import WorkError

CHUNK = 16  # files per message to a process: enough to hide its cost, few enough for a smooth progress bar
FEW = 64  # so few files are read before other processes would have started


class Extractor(Protocol):
    """What turns a waveform (samples,) at `sample_rate` Hz into features (frames, bins)."""

    @property
    def sample_rate(self) -> int:
        """The sample rate that waveforms must have, in Hz."""
        ...

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        """(samples,) -> (frames, bins) float32."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    """A sound file to be read, as it lies on disk."""

    utterance_id: str
    path: Path
    size: int
    changed_ns: int


def find_file(utterance_id: str, path: Path) -> File:
    """Note the size and time of change of a file, by which it is known again."""
    status = path.stat()
    return File(utterance_id, path, status.st_size, status.st_mtime_ns)


def read_file(file: File, extractor: Extractor) -> Reading:
    """Decode one file, describe it, and compute its features; what is wrong with it is said in the reading."""
    try:
        sound = read_sound(file.path)
    except BadSound as error:
        return Reading(file.utterance_id, file.size, file.changed_ns, bad=error.reason, detail=error.detail)
    waveform = resample(sound.waveform, sound.sample_rate, extractor.sample_rate)
    return Reading(
        file.utterance_id,
        file.size,
        file.changed_ns,
        duration_seconds=len(sound.waveform) / sound.sample_rate,
        sample_rate=sound.sample_rate,
        num_channels=sound.num_channels,
        recording=hashlib.sha256(sound.waveform.tobytes()).hexdigest(),
        log_mel=extractor(waveform).astype(numpy.float16),
    )


def read_files(files: Sequence[File], extractor: Extractor, num_workers: int) -> Iterator[Reading]:
    """Read many files; the readings come as they are done, in any order, and few are in flight at a time.

    Raises:
        WorkError: a process that reads was killed, as happens where memory runs out.
    """
    if num_workers == 1 or len(files) <= FEW:
        for file in files:
            yield read_file(file, extractor)
        return
    chunks = iter([files[start : start + CHUNK] for start in range(0, len(files), CHUNK)])
    # Spawned, not forked: a fork of a process that has threads (torch, BLAS) can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_workers, context, initializer=_begin_reading, initargs=(extractor,)) as pool:
        running: set[Future[list[Reading]]] = set()
        try:
            while True:
                while len(running) < 2 * num_workers and (chunk := next(chunks, None)) is not None:
                    running.add(pool.submit(_read_chunk, chunk))
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield from future.result()
        except BrokenProcessPool as error:
            raise WorkError(
                "A process that reads sound was killed, perhaps for want of memory; what was read is kept, "
                "so give the same command again, with --workers 1."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


# What each process that reads was given once, instead of with every chunk.
_extractor: Extractor | None = None


def _begin_reading(extractor: Extractor) -> None:
    global _extractor
    _extractor = extractor
    # Ctrl-C reaches every process of a terminal: the first one ends the work, the others finish the files at hand.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read_chunk(files: Sequence[File]) -> list[Reading]:
    if _extractor is None:
        raise ValueError("the process was not given what turns sound into features")
    return [read_file(file, _extractor) for file in files]
