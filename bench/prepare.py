"""How fast sound becomes features: emokit beside a plain librosa loop, same files, one process, one thread.

    make bench PART=prepare

emokit does all that `emokit prepare` does with a file (read, check, hash, resample, log-mel, float16); the loop does
librosa.load, melspectrogram and power_to_db. Files are those of EMOKIT_CORPORA where it is set, else synthesised.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import librosa
import numpy

from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.audio_io.decode import find_file, read_files
from emokit.data.audio_io.read import read_audio, resample
from emokit.data.synthesis.corpora import write_corpus

REPEATS = 7
MOST_FILES = 60
CORPORA = ("ravdess", "emodb")  # 48 kHz and 16 kHz
SETTINGS = {
    "22050 Hz, 2048/512 (default)": FeatureSettings(),
    "16000 Hz, 1024/512": FeatureSettings(sample_rate=16_000, n_fft=1024, hop_length=512),
}
TITLES = ("corpus", "settings", "files", "seconds", "emokit s/s", "librosa s/s", "times", "apart by at most (dB)")


def main() -> None:
    """Print, per folder and settings, seconds of sound per second of either, and how far their values are apart."""
    print(*TITLES, sep="\t")
    with folders() as found:
        for corpus, files in found.items():
            seconds = sum(librosa.get_duration(path=path) for path in files)
            for title, settings in SETTINGS.items():
                extractor = LogMel(settings)
                ours, theirs = both(files, extractor)
                rates = f"{seconds / ours:.0f}", f"{seconds / theirs:.0f}", f"{theirs / ours:.2f}"
                apart = max(difference(path, extractor) for path in files)
                print(corpus, title, len(files), f"{seconds:.0f}", *rates, f"{apart:.0e}", sep="\t")


@contextmanager
def folders() -> Iterator[dict[str, list[Path]]]:
    """Some files of each corpus."""
    given = os.environ.get("EMOKIT_CORPORA")
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(given or temporary)
        if not given:
            for corpus in CORPORA:
                write_corpus(corpus, root / corpus, size=0.25)
        found = {corpus: sorted((root / corpus).rglob("*.wav")) for corpus in CORPORA}
        yield {corpus: files[:: -(-len(files) // MOST_FILES)] for corpus, files in found.items() if files}


def both(paths: list[Path], extractor: LogMel) -> tuple[float, float]:
    """Median seconds of the processor that the files take emokit, and the loop; they take turns."""
    ours, theirs = [], []
    files = [find_file(path.name, path) for path in paths]
    for turn in range(1 + REPEATS):
        start = time.process_time()
        list(read_files(files, extractor, 1))
        between = time.process_time()
        for path in paths:
            plain(path, extractor.settings)
        end = time.process_time()
        if turn:  # the first one warms up
            ours.append(between - start)
            theirs.append(end - between)
    return statistics.median(ours), statistics.median(theirs)


def plain(path: Path, settings: FeatureSettings) -> numpy.ndarray:
    """(mels, frames) decibels, as one would write it."""
    waveform, rate = librosa.load(path, sr=settings.sample_rate)
    power = librosa.feature.melspectrogram(
        y=waveform, sr=rate, n_fft=settings.n_fft, hop_length=settings.hop_length, n_mels=settings.n_mels
    )
    return librosa.power_to_db(power, top_db=settings.top_db)


def difference(path: Path, extractor: LogMel) -> float:
    """The largest difference of a value of emokit's, before it is rounded, from the loop's, in decibels."""
    sound = read_audio(path)
    ours = extractor(resample(sound.waveform, sound.sample_rate, extractor.sample_rate))
    return float(numpy.abs(ours - plain(path, extractor.settings).T).max())


if __name__ == "__main__":
    main()
