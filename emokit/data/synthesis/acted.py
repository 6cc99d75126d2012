"""Layouts of EmoDB, RAVDESS, SAVEE and TESS: a file name contains all that is known about a recording."""

import itertools
from collections.abc import Iterator

import numpy

from emokit.data.synthesis.layout import AudioFile, TextFile, num_takes

EMODB_SPEAKERS = dict.fromkeys(("03", "10", "11", "12"), "male") | dict.fromkeys(("08", "09", "13", "14"), "female")
EMODB_TEXTS = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
EMODB_EMOTIONS = {
    "W": "angry", "L": "boredom", "E": "disgust", "A": "fear", "F": "happy", "T": "sad", "N": "neutral",
}  # fmt: skip

RAVDESS_EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise")
RAVDESS_ACTORS = 8

SAVEE_SPEAKERS = ("DC", "JE", "JK", "KL")
SAVEE_EMOTIONS = {
    "a": "angry", "d": "disgust", "f": "fear", "h": "happy", "n": "neutral", "sa": "sad", "su": "surprise",
}  # fmt: skip

TESS_WORDS = (
    "back", "bar", "base", "bath", "bean", "beg", "bite", "boat", "bone", "book", "bought", "burn", "cab", "calm",
    "came", "cause", "chain", "chair", "chalk", "chat", "check", "cheek", "chief", "choice", "cool", "dab", "date",
    "dead", "death", "deep", "ditch", "dodge", "dog", "doll", "door", "fail", "fall", "far", "fat", "fit",
)  # fmt: skip
# Emotion -> the folder's spelling for each of the two speakers, as in the real corpus.
TESS_FOLDERS = {
    "angry": ("angry", "angry"),
    "disgust": ("disgust", "disgust"),
    "fear": ("Fear", "fear"),
    "happy": ("happy", "happy"),
    "neutral": ("neutral", "neutral"),
    "sad": ("Sad", "sad"),
    "surprise": ("Pleasant_surprise", "pleasant_surprised"),
}


def emodb(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """Eight of the ten speakers, seven emotions including boredom; version letters from a to f."""
    for number, (speaker, gender) in enumerate(EMODB_SPEAKERS.items()):
        for (code, emotion), take in itertools.product(EMODB_EMOTIONS.items(), range(num_takes(size, 5, 60))):
            # Steps of three, with a different start per speaker, cover all ten texts.
            text = EMODB_TEXTS[(3 * take + number) % len(EMODB_TEXTS)]
            version = "abcdef"[take // len(EMODB_TEXTS)]
            yield AudioFile(f"wav/{speaker}{text}{code}{version}.wav", speaker, gender, emotion, text)


def ravdess(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """Eight of the 24 actors, eight emotions, normal and strong; two files are stereo."""
    variants = [
        (2 - normal, statement, repetition) for repetition in (1, 2) for statement in (1, 2) for normal in (1, 0)
    ]
    for actor, (number, emotion) in itertools.product(range(1, RAVDESS_ACTORS + 1), enumerate(RAVDESS_EMOTIONS, 1)):
        for intensity, statement, repetition in variants[: num_takes(size, 4, len(variants))]:
            if emotion == "neutral" and intensity == 2:
                continue
            stereo = actor == 1 and emotion in ("calm", "surprise") and (intensity, statement, repetition) == (1, 1, 1)
            yield AudioFile(
                f"Actor_{actor:02}/03-01-{number:02}-{intensity:02}-{statement:02}-{repetition:02}-{actor:02}.wav",
                f"{actor:02}",
                "male" if actor % 2 else "female",
                emotion,
                str(statement),
                strength=1.3 if intensity == 2 else 0.9,
                sample_rate=22_050,
                num_channels=2 if stereo else 1,
            )


def savee(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """All four speakers, seven emotions, neutral twice as often; the layout with one folder."""
    for speaker, (code, emotion) in itertools.product(SAVEE_SPEAKERS, SAVEE_EMOTIONS.items()):
        twice = 2 if emotion == "neutral" else 1
        for take in range(1, num_takes(size * twice, 8, 15 * twice) + 1):
            # The same sentences in every emotion, so that a sentence does not reveal the emotion.
            yield AudioFile(f"ALL/{speaker}_{code}{take:02}.wav", speaker, "male", emotion, str(take))


def tess(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """Both speakers, seven emotions, up to 40 of the 200 words."""
    for (number, speaker), (emotion, folders) in itertools.product(enumerate(("OAF", "YAF")), TESS_FOLDERS.items()):
        code = "ps" if emotion == "surprise" else emotion
        for word in TESS_WORDS[: num_takes(size, 20, len(TESS_WORDS))]:
            yield AudioFile(
                f"{speaker}_{folders[number]}/{speaker}_{word}_{code}.wav", speaker, "female", emotion, word
            )
