"""From files to readings: each sound is opened once, looked at, and turned into features, in parallel processes."""

import contextlib
import multiprocessing
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy

from emokit.data.audio_io.read import UNREADABLE, BadAudio, read_audio, resample
from emokit.data.audio_io.reading import Reading
from emokit.errors import WorkError
from emokit.runtime import end_with_parent

CHUNK = 16  # files per message to a process: enough to hide its cost, few enough for a smooth progress bar
FEW = 64  # so few files are read before other processes would have started

MOST_KEPT_BYTES = 24 * 2**20
NO_SIZE = -1
CRASHED = "the decoder crashed on it"
AGAIN = "the process that read it died; it is read again once its time of change is another"


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
    try:
        status = path.stat()
    except OSError:  # gone since it was found: reading it will say so
        return File(utterance_id, path, NO_SIZE, 0)
    return File(utterance_id, path, status.st_size, status.st_mtime_ns)


def read_file(file: File, extractor: Extractor) -> Reading:
    """Decode one file, describe it, and compute its features; what is wrong with it is said in the reading."""
    try:
        sound = read_audio(file.path)
    except BadAudio as error:
        # Permission to read comes without a change of the file, so an unreadable one is not to be known again.
        size = NO_SIZE if error.reason == UNREADABLE else file.size
        return Reading(file.utterance_id, size, file.changed_ns, bad=error.reason, detail=error.detail)
    waveform = resample(sound.waveform, sound.sample_rate, extractor.sample_rate)
    return Reading(
        file.utterance_id,
        file.size,
        file.changed_ns,
        duration_seconds=len(sound.waveform) / sound.sample_rate,
        sample_rate=sound.sample_rate,
        num_channels=sound.num_channels,
        recording=sound.recording(),
        log_mel=extractor(waveform).astype(numpy.float16),
    )


def read_files(files: Sequence[File], extractor: Extractor, num_workers: int) -> Iterator[Reading]:
    """Read many files; the readings come as they are done, in any order, and few are in flight at a time.

    A file that kills the process that reads it is given up, with its reason; the others are read all the same.

    Raises:
        WorkError: processes that read cannot be started.
    """
    if num_workers == 1 or len(files) <= FEW:
        _keep_freed_memory()
        for file in files:
            yield read_file(file, extractor)
        return
    chunks = iter([files[start : start + CHUNK] for start in range(0, len(files), CHUNK)])
    while lost := (yield from _read_until_a_death(chunks, extractor, num_workers)):
        yield from _read_one_by_one(lost, extractor)


def _read_until_a_death(
    chunks: Iterator[Sequence[File]], extractor: Extractor, num_workers: int
) -> Generator[Reading, None, list[File]]:
    """Read chunks until a process dies, which takes the others with it; the files that were lost, or none at the end."""
    lost: list[File] = []
    with _processes(num_workers, extractor) as pool:
        running: dict[Future[list[Reading]], Sequence[File]] = {}
        while True:
            while not lost and len(running) < 2 * num_workers and (chunk := next(chunks, None)) is not None:
                try:
                    running[pool.submit(_read_chunk, chunk)] = chunk
                except BrokenProcessPool:
                    lost += chunk
            if not running:
                return lost
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                chunk = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    lost += chunk
                else:
                    yield from future.result()


def _read_one_by_one(files: Sequence[File], extractor: Extractor) -> Iterator[Reading]:
    """Read files in a process that does nothing else, and a fresh one after every file that kills it."""
    waiting = list(reversed(files))
    while waiting:
        with _processes(1, extractor) as pool:
            while waiting:
                file = waiting.pop()
                try:
                    readings = pool.submit(_read_chunk, [file]).result()
                except BrokenProcessPool:
                    yield Reading(file.utterance_id, file.size, file.changed_ns, bad=CRASHED, detail=AGAIN)
                    break
                yield from readings


@contextlib.contextmanager
def _processes(number: int, extractor: Extractor) -> Iterator[ProcessPoolExecutor]:
    """Processes that read, known to live."""
    # Spawned, not forked: a fork of a process that has threads (torch, BLAS) can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(number, context, initializer=_begin_reading, initargs=(extractor,)) as pool:
        try:
            pool.submit(_read_chunk, []).result()
            yield pool
        except BrokenProcessPool as error:
            raise WorkError(
                "A process that reads sound died before it read any, perhaps for want of memory; "
                "what was read is kept, so give the same command again, with --workers 1."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


# What each process that reads was given once, instead of with every chunk.
_extractor: Extractor | None = None


def _begin_reading(extractor: Extractor) -> None:
    global _extractor
    _extractor = extractor
    _keep_freed_memory()
    # Ctrl-C reaches every process of a terminal: the first one ends the work, the others finish the files at hand.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def _keep_freed_memory() -> None:
    """Have the C library keep what one file leaves free for the next, and not hand it back to the system in between.

    glibc raises its bounds to the largest block that was freed. Without it, a third of the time for sound at 48 kHz went
    into getting the same pages again.
    """
    numpy.empty(MOST_KEPT_BYTES, numpy.uint8)


def _read_chunk(files: Sequence[File]) -> list[Reading]:
    if _extractor is None:
        raise ValueError("the process was not given what turns sound into features")
    return [read_file(file, _extractor) for file in files]
