"""Read audio files in parallel processes: each file is opened once, checked and turned into features."""

import contextlib
import hashlib
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy

from emokit.data.audio_io.faults import UNREADABLE, BadAudio
from emokit.data.audio_io.plausible import checked_features
from emokit.data.audio_io.read import resample
from emokit.data.audio_io.reading import Reading
from emokit.data.audio_io.segments import Segment, read_segment
from emokit.data.audio_io.spawn import Spawn
from emokit.errors import WorkError
from emokit.runtime import end_with_parent

CHUNK = 16  # files per message to a process: enough to hide the message's cost, few enough for a smooth progress bar
FEW = 64  # reading this many files takes less time than starting processes

RETAINED_BYTES = 24 * 2**20
NO_SIZE = -1
CRASHED = "the decoder crashed on it"
RETRIED = "the process that read it died; the file is read again once its modification time changes"


class Extractor(Protocol):
    """Computes the features (frames, bins) of a waveform (samples,) at `sample_rate` Hz."""

    @property
    def sample_rate(self) -> int:
        """The sample rate that waveforms must have, in Hz."""
        ...

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        """(samples,) -> (frames, bins) float32."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    """An audio file to read, or a segment of one, with its size and modification time on disk."""

    utterance_id: str
    path: Path
    size: int
    changed_ns: int
    segment: Segment | None = None


def find_file(utterance_id: str, path: Path, segment: Segment | None = None) -> File:
    """Look up the size and modification time of a file, which identify its version; a segment counts as a version."""
    try:
        status = path.stat()
    except OSError:  # deleted since it was listed: reading it reports that
        return File(utterance_id, path, NO_SIZE, 0, segment)
    changed_ns = status.st_mtime_ns
    if segment is not None:
        digest = hashlib.blake2b(f"{changed_ns} {segment}".encode(), digest_size=7).digest()
        changed_ns = int.from_bytes(digest, "big")
    return File(utterance_id, path, status.st_size, changed_ns, segment)


def read_file(file: File, extractor: Extractor, dtype: type = numpy.float16) -> Reading:
    """Decode one file and compute its features, of this type; the reading of an unusable file has the reason instead."""
    try:
        audio = read_segment(file.path, file.segment)
        waveform = resample(audio.waveform, audio.sample_rate, extractor.sample_rate)
        features = checked_features(extractor, waveform, file.path)
    except BadAudio as error:
        # Permission to read may be granted without a change of the file, so an unreadable file is always read again.
        size = NO_SIZE if error.reason == UNREADABLE else file.size
        return Reading(file.utterance_id, size, file.changed_ns, bad=error.reason, detail=error.detail)
    return Reading(
        file.utterance_id,
        file.size,
        file.changed_ns,
        duration_seconds=len(audio.waveform) / audio.sample_rate,
        sample_rate=audio.sample_rate,
        num_channels=audio.num_channels,
        recording=audio.recording_hash(),
        detail="; ".join(flag.detail for flag in audio.flags),
        flags=tuple(flag.reason for flag in audio.flags),
        log_mel=features.astype(dtype),
    )


def read_files(files: Sequence[File], extractor: Extractor, num_workers: int) -> Iterator[Reading]:
    """Read many files; the readings come in the order of completion, and few are in flight at a time.

    A file that kills its process gets a reading with the reason; the remaining files are still read.

    Raises:
        WorkError: the processes cannot be started.
    """
    if num_workers == 1 or len(files) <= FEW:
        _retain_freed_memory()
        for file in files:
            yield read_file(file, extractor)
        return
    chunks = iter([files[start : start + CHUNK] for start in range(0, len(files), CHUNK)])
    while lost := (yield from _read_until_crash(chunks, extractor, num_workers)):
        yield from _read_one_by_one(lost, extractor)


def _read_until_crash(
    chunks: Iterator[Sequence[File]], extractor: Extractor, num_workers: int
) -> Generator[Reading, None, list[File]]:
    """Read chunks until a process dies, which breaks the whole pool; returns the lost files, none at the end."""
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
    """Read files one at a time in a single process, replaced after each file that kills it."""
    pending = list(reversed(files))
    while pending:
        with _processes(1, extractor) as pool:
            while pending:
                file = pending.pop()
                try:
                    readings = pool.submit(_read_chunk, [file]).result()
                except BrokenProcessPool:
                    yield Reading(file.utterance_id, file.size, file.changed_ns, bad=CRASHED, detail=RETRIED)
                    break
                yield from readings


@contextlib.contextmanager
def _processes(number: int, extractor: Extractor) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes that read, checked to have started."""
    with ProcessPoolExecutor(number, Spawn(), initializer=_start_process, initargs=(extractor,)) as pool:
        try:
            # All processes now: one that is started while the pool breaks is waited for without end.
            for started in [pool.submit(_read_chunk, []) for _ in range(number)]:
                started.result()
            yield pool
        except BrokenProcessPool as error:
            raise WorkError(
                "A process that reads audio died before it read a file, perhaps for lack of memory; "
                "files read so far are kept, so repeat the command with --workers 1."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


# Sent to each process once, instead of with every chunk.
_extractor: Extractor | None = None


def _start_process(extractor: Extractor) -> None:
    global _extractor
    _extractor = extractor
    _retain_freed_memory()
    # Ctrl-C reaches every process of a terminal: the main process stops the work, the others finish their current files.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def _retain_freed_memory() -> None:
    """Have the C library reuse freed memory for the next file, instead of returning it to the system in between.

    glibc raises its thresholds to the largest block that was freed. Without this, a third of the time for audio at 48 kHz
    went into requesting the same pages again.
    """
    numpy.empty(RETAINED_BYTES, numpy.uint8)


def _read_chunk(files: Sequence[File]) -> list[Reading]:
    if _extractor is None:
        raise ValueError("the process has no extractor; start it with _start_process")
    return [read_file(file, _extractor) for file in files]
