"""Synthesised corpora: synthetic speech and invented texts in the layouts of the real corpora.

The demo and the tests use them to run every step offline. The task is learnable and not trivial: emotions differ in prosody,
speakers differ as much, and every utterance varies at random. A score on them says nothing about real speech.
"""

import shutil
import wave
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy

from emokit.data.catalogue import SYNTHESISED_FILE
from emokit.data.synthesis import acted, annotated, comments, voice
from emokit.data.synthesis.layout import AudioFile, TextFile
from emokit.data.synthesis.prosody import Speaker, draw_prosody, draw_speaker
from emokit.errors import UsageError
from emokit.files import explained_disk_errors
from emokit.temporary import remove_temporary, temporary_path

LAYOUTS: dict[str, Callable[[float, numpy.random.Generator], Iterator[AudioFile | TextFile]]] = {
    "crema_d": annotated.crema_d,
    "emodb": acted.emodb,
    "esd": annotated.esd,
    "jl_corpus": annotated.jl_corpus,
    "meld": annotated.meld,
    "ravdess": acted.ravdess,
    "savee": acted.savee,
    "tess": acted.tess,
    "goemotions": comments.goemotions,
    "iemocap": annotated.iemocap,
    "msp_podcast": annotated.msp_podcast,
}
# The corpora of the demo: of the layouts with dialogues, MELD's is enough.
CORPORA: tuple[str, ...] = tuple(LAYOUTS)[:9]

NOTICE = (
    "Everything in this folder was synthesised by emokit in the layout of {name}: "
    "it contains no real voice or text, and a score on it says nothing about the real corpus.\n"
)


def write_corpus(name: str, root: Path, seed: int = 0, size: float = 1.0) -> None:
    """Write a corpus to `root`, completely or not at all; the same arguments give the same bytes.

    Args:
        name: one of LAYOUTS.
        root: a new or empty folder.
        seed: random seed, 0 or more.
        size: factor on the number of takes; 1 gives 240 to 400 utterances, and 2080 comments.

    Raises:
        UsageError: the name is unknown, the size or seed out of range, or the folder is not empty.
        WorkError: the disk is full or cannot be written to.
    """
    if name not in LAYOUTS:
        raise UsageError(f"{name!r} is no corpus that emokit can synthesise; expected one of {', '.join(LAYOUTS)}.")
    if size <= 0 or seed < 0:
        raise UsageError(f"The size is {size} and the seed {seed}; give a size above 0 and a seed of 0 or more.")
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(f"{root} exists and is not an empty folder; name another one for the synthesised {name}.")
    final = root.resolve()
    temporary = temporary_path(final)
    with explained_disk_errors(root):
        remove_temporary(final.parent, final.name)
        try:
            temporary.mkdir(parents=True)
            _fill(temporary, name, seed, size)
            (temporary / SYNTHESISED_FILE).write_text(NOTICE.format(name=name), encoding="utf-8")
            temporary.replace(final)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _fill(folder: Path, name: str, seed: int, size: float) -> None:
    """Write every file of the layout below `folder`."""
    corpus = list(LAYOUTS).index(name)

    # One seed per speaker, sentence and utterance, so that each is independent of the number of earlier draws.
    def seeds(*key: int) -> numpy.random.SeedSequence:
        return numpy.random.SeedSequence([seed, corpus, *key])

    @cache
    def speaker_named(name: str, gender: str) -> Speaker:
        return draw_speaker(gender, seeds(1, zlib.crc32(name.encode())))

    @cache
    def sentence_named(name: str) -> voice.Sentence:
        return voice.draw_sentence(seeds(2, zlib.crc32(name.encode())))

    for number, entry in enumerate(LAYOUTS[name](size, numpy.random.default_rng(seeds(0)))):
        path = folder / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry, TextFile):
            path.write_bytes(entry.text.encode(entry.encoding))
            continue
        rng = numpy.random.default_rng(seeds(3, number))
        speaker = speaker_named(entry.speaker, entry.gender)
        prosody = draw_prosody(speaker, entry.emotion, entry.strength, rng)
        waveform = voice.speak(speaker, sentence_named(entry.sentence), prosody, entry.sample_rate, rng)
        _write_wave(path, waveform, entry.sample_rate, entry.num_channels)


def _write_wave(path: Path, waveform: numpy.ndarray, sample_rate: int, num_channels: int) -> None:
    """Write 16-bit PCM, with the same samples on every channel."""
    samples = numpy.repeat(numpy.round(waveform * 32767).astype("<i2"), num_channels)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(num_channels)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.tobytes())
