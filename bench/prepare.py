"""Speed of feature extraction: emokit and a plain librosa loop on the same files, one process, one thread.

    make bench PART=prepare

emokit does everything that `emokit prepare` does with a file (read, check, hash, resample, log-mel, float16); the loop calls
librosa.load, melspectrogram and power_to_db. The files are those of EMOKIT_CORPORA if it is set, else synthesised.
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
TITLES = (
    "corpus", "settings", "files", "seconds", "emokit s/s", "librosa s/s", "ratio", "largest difference (dB)",
)  # fmt: skip


def main() -> None:
    """Print, per corpus and settings, seconds of audio per second of both, and the largest difference of their values."""
    print(*TITLES, sep="\t")
    with corpus_files() as files_of:
        for corpus, files in files_of.items():
            seconds = sum(librosa.get_duration(path=path) for path in files)
            for title, settings in SETTINGS.items():
                extractor = LogMel(settings)
                emokit_seconds, librosa_seconds = processor_seconds(files, extractor)
                speeds = f"{seconds / emokit_seconds:.0f}", f"{seconds / librosa_seconds:.0f}"
                ratio = f"{librosa_seconds / emokit_seconds:.2f}"
                largest = max(difference(path, extractor) for path in files)
                print(corpus, title, len(files), f"{seconds:.0f}", *speeds, ratio, f"{largest:.0e}", sep="\t")


@contextmanager
def corpus_files() -> Iterator[dict[str, list[Path]]]:
    """Some files of each corpus."""
    folder = os.environ.get("EMOKIT_CORPORA")
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(folder or temporary)
        if not folder:
            for corpus in CORPORA:
                write_corpus(corpus, root / corpus, size=0.25)
        files_of = {corpus: sorted((root / corpus).rglob("*.wav")) for corpus in CORPORA}
        yield {corpus: files[:: -(-len(files) // MOST_FILES)] for corpus, files in files_of.items() if files}


def processor_seconds(paths: list[Path], extractor: LogMel) -> tuple[float, float]:
    """Median processor time of emokit and of the loop on these files, in seconds; the two alternate."""
    emokit_seconds, librosa_seconds = [], []
    files = [find_file(path.name, path) for path in paths]
    for repeat in range(1 + REPEATS):
        start = time.process_time()
        list(read_files(files, extractor, 1))
        between = time.process_time()
        for path in paths:
            librosa_log_mel(path, extractor.settings)
        end = time.process_time()
        if repeat:  # the first one warms up
            emokit_seconds.append(between - start)
            librosa_seconds.append(end - between)
    return statistics.median(emokit_seconds), statistics.median(librosa_seconds)


def librosa_log_mel(path: Path, settings: FeatureSettings) -> numpy.ndarray:
    """(mels, frames) decibels, computed with librosa only."""
    waveform, rate = librosa.load(path, sr=settings.sample_rate)
    power = librosa.feature.melspectrogram(
        y=waveform, sr=rate, n_fft=settings.n_fft, hop_length=settings.hop_length, n_mels=settings.n_mels
    )
    return librosa.power_to_db(power, top_db=settings.top_db)


def difference(path: Path, extractor: LogMel) -> float:
    """The largest difference, in decibels, between a value of emokit before rounding and that of librosa."""
    audio = read_audio(path)
    log_mel = extractor(resample(audio.waveform, audio.sample_rate, extractor.sample_rate))
    return float(numpy.abs(log_mel - librosa_log_mel(path, extractor.settings).T).max())


if __name__ == "__main__":
    main()
