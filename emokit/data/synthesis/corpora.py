"""Synthesised corpora: speech-like sounds and invented lines, on disk exactly as the real corpora lie there.

They let the demo and the tests run every step offline. The task they pose is learnable and not trivial: emotions differ
in prosody, speakers differ as much, and chance does the rest. A score on them says nothing about real speech.
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
from emokit.data.synthesis.prosody import Speaker, plan, speaker
from emokit.data.synthesis.take import Take, Words
from emokit.errors import UsageError
from emokit.files import explained_disk_errors

LAYOUTS: dict[str, Callable[[float, numpy.random.Generator], Iterator[Take | Words]]] = {
    "crema_d": annotated.crema_d,
    "emodb": acted.emodb,
    "esd": annotated.esd,
    "jl_corpus": annotated.jl_corpus,
    "meld": annotated.meld,
    "ravdess": acted.ravdess,
    "savee": acted.savee,
    "tess": acted.tess,
    "goemotions": comments.goemotions,
}
CORPORA: tuple[str, ...] = tuple(LAYOUTS)

NOTICE = (
    "Everything in this folder was synthesised by emokit in the layout of {name}: "
    "nobody's voice or words are in it, and a score on it says nothing about the real corpus.\n"
)


def write_corpus(name: str, root: Path, seed: int = 0, size: float = 1.0) -> None:
    """Make a corpus under `root`, whole or not at all; the same arguments give the same bytes.

    Args:
        name: one of CORPORA.
        root: a folder that is not there yet, or is empty.
        seed: of everything that is drawn; 0 or more.
        size: factor on the number of takes; 1 gives 240 to 400 utterances, and 2080 comments.

    Raises:
        UsageError: the name is unknown, the size or seed out of range, or the folder holds something.
        WorkError: the disk is full or cannot be written to.
    """
    if name not in LAYOUTS:
        raise UsageError(f"{name!r} is no corpus that emokit can synthesise; expected one of {', '.join(CORPORA)}.")
    if size <= 0 or seed < 0:
        raise UsageError(f"Found size {size} and seed {seed}; give a size above 0 and a seed of 0 or more.")
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(f"{root} exists and is not an empty folder; name another one for the synthesised {name}.")
    final = root.resolve()
    unfinished = final.with_name(f".{final.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    with explained_disk_errors(root):
        try:
            unfinished.mkdir(parents=True)
            _fill(unfinished, name, seed, size)
            (unfinished / SYNTHESISED_FILE).write_text(NOTICE.format(name=name), encoding="utf-8")
            unfinished.replace(final)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _fill(folder: Path, name: str, seed: int, size: float) -> None:
    """Write every file of the layout below `folder`."""
    corpus = list(LAYOUTS).index(name)

    # One source of chance per speaker, sentence and utterance, so that none depends on how much was drawn before.
    def seeds(*of: int) -> numpy.random.SeedSequence:
        return numpy.random.SeedSequence([seed, corpus, *of])

    @cache
    def who(label: str, gender: str) -> Speaker:
        return speaker(gender, seeds(1, zlib.crc32(label.encode())))

    @cache
    def said(label: str) -> voice.Sentence:
        return voice.sentence(seeds(2, zlib.crc32(label.encode())))

    for number, part in enumerate(LAYOUTS[name](size, numpy.random.default_rng(seeds(0)))):
        path = folder / part.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(part, Words):
            path.write_bytes(part.text.encode(part.encoding))
            continue
        rng = numpy.random.default_rng(seeds(3, number))
        one = who(part.speaker, part.gender)
        prosody = plan(one, part.emotion, part.strength, rng)
        waveform = voice.speak(one, said(part.sentence), prosody, part.sample_rate, rng)
        _write_wave(path, waveform, part.sample_rate, part.num_channels)


def _write_wave(path: Path, waveform: numpy.ndarray, sample_rate: int, num_channels: int) -> None:
    """Write 16-bit PCM, the same sound on every channel."""
    samples = numpy.repeat(numpy.round(waveform * 32767).astype("<i2"), num_channels)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(num_channels)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.tobytes())
