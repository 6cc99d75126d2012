"""The prosody of an emotion for a given speaker, from which `voice` synthesises a waveform.

The signs follow the literature on vocal expression (Banse and Scherer 1996; Juslin and Laukka 2003): anger is loud and
sharp, sadness soft, slow and falling, fear high and trembling, surprise ends in a rise. Half of the cues are changes within
the utterance (accents, slope, end, rate, pauses, tremor), which a mean over time does not show. Each speaker has habits, some
contrary to the emotion, so that no cue is valid for all speakers.
"""

from dataclasses import astuple, dataclass

import numpy


@dataclass(frozen=True, slots=True)
class Prosody:
    """The prosody of an utterance; all zeros is the speaker's neutral voice."""

    pitch: float = 0.0
    """Level, semitones above the speaker's base pitch."""
    accent: float = 0.0
    """Height of stressed syllables, semitones more than usual."""
    slope: float = 0.0
    """Semitones from start to end."""
    ending: float = 0.0
    """Semitones that the last third rises or falls."""
    glide: float = 0.0
    """Semitones from start to end of each syllable."""
    rate: float = 0.0
    """Doublings of the speed."""
    pause: float = 0.0
    """Seconds of silence, in all, between syllables."""
    tremor: float = 0.0
    """Depth of the modulation of pitch and loudness, 0..1."""
    swell: float = 0.0
    """Decibels from start to end."""
    level: float = 0.0
    """Decibels louder."""
    tilt: float = 0.0
    """Decibels per octave brighter."""
    breath: float = 0.0
    """Decibels of more breath noise."""
    jitter: float = 0.0
    """Per cent of more irregularity from one pitch period to the next."""
    smile: float = 0.0
    """Per cent by which the resonances are higher."""


PROSODIES: dict[str, Prosody] = {
    "neutral": Prosody(),
    "angry": Prosody(2.5, 1.5, -2, -1, -1.5, 0.15, 0.0, 0, 5, 4, 1.5, -3, 1.0, 0),
    "disgust": Prosody(-1.0, 0, 2, -5, -3, -0.25, 0.1, 0, -5, 0, 0.5, 0, 2.0, -3),
    "fear": Prosody(3.0, -1, 2, 0, 0, 0.3, 0.2, 0.8, -2, -2, 0, 4, 0.7, 1),
    "happy": Prosody(2.5, 3.5, 0, 0, 2.5, 0.12, 0.0, 0, 0, 2, 1.0, -1, 0, 4),
    "sad": Prosody(-1.5, -1.5, -4, -1, -1, -0.35, 0.25, 0.25, -5, -5, -1.5, 3, 0.3, -1),
    "surprise": Prosody(2.5, 1, 3, 7, 2, -0.05, 0.05, 0, 3, 1, 0.5, 1, 0, 1),
    # Further emotions of the corpora: close to neutral, or between two of those above.
    "calm": Prosody(-1, -0.5, -1, 0, 0, -0.2, 0.1, 0, -1, -3, -0.7, 1, 0, 1),
    "boredom": Prosody(-2, -2, -1, -1, -1, -0.35, 0.15, 0, -2, -2, -1, 0, 0.5, -1),
    "excited": Prosody(3.5, 3.5, 2, 1, 2.5, 0.3, 0, 0, 3, 4, 1.5, 0, 0, 4),
    "anxious": Prosody(2, -1, 1, 1, 0, 0.2, 0.2, 0.5, -1, -2, 0, 3, 0.5, 0),
    "apologetic": Prosody(0, -1, -2, 1, 0, -0.15, 0.15, 0.1, -3, -3, -1, 2, 0, 0),
    "assertive": Prosody(0.5, 1.5, -2, -2, -1, 0, 0.05, 0, 2, 3, 1, -2, 0.3, 0),
    "concerned": Prosody(0.5, 0, -1, 2, 0, -0.15, 0.1, 0.2, -1, -1, -0.5, 1, 0, 0),
    "encouraging": Prosody(1.5, 2, 1, 0, 1.5, 0.05, 0, 0, 1, 1, 0.5, 0, 0, 3),
}

# Standard deviation of an utterance from its prosody. A speaker's habits deviate by HABIT of it: once for all utterances, and
# once more for each emotion.
SPREAD = numpy.array(astuple(Prosody(1.2, 1.0, 1.5, 1.5, 1.2, 0.15, 0.08, 0.12, 2.0, 3.0, 0.8, 2.0, 0.5, 2.0)))
HABIT = 0.5


@dataclass(frozen=True)
class Speaker:
    """What is constant over the utterances of a speaker."""

    pitch_hz: float
    tract: float
    """Factor on the resonances: 1 for a vocal tract of 17.5 cm, more for a shorter one."""
    expressiveness: float
    """Factor on the emotion's prosody."""
    noise_db: float
    """Background noise, dBFS."""
    habits: dict[str, numpy.ndarray]
    """Per emotion, what is added to its prosody, in the order of its fields."""


def draw_speaker(gender: str, seed: numpy.random.SeedSequence) -> Speaker:
    """Draw a `female` or `male` speaker."""
    rng = numpy.random.default_rng(seed)
    female = gender == "female"
    habit = rng.normal(0, HABIT, SPREAD.size) * SPREAD
    return Speaker(
        pitch_hz=(200 if female else 115) * 2 ** rng.normal(0, 0.14),
        tract=(1.15 if female else 1.0) * 2 ** rng.normal(0, 0.05),
        expressiveness=rng.uniform(0.7, 1.2),
        noise_db=rng.uniform(-70, -58),
        habits={emotion: habit + rng.normal(0, HABIT, SPREAD.size) * SPREAD for emotion in PROSODIES},
    )


def draw_prosody(speaker: Speaker, emotion: str, strength: float, rng: numpy.random.Generator) -> Prosody:
    """Draw the prosody of one utterance: that of the emotion, scaled, with the speaker's habits and a random deviation.

    Args:
        speaker: the speaker.
        emotion: a key of PROSODIES.
        strength: 1 for an ordinary expression, more for a strong one.
        rng: the random generator of the utterance.
    """
    scale = strength * speaker.expressiveness * rng.uniform(0.6, 1.2)
    values = scale * numpy.array(astuple(PROSODIES[emotion])) + speaker.habits[emotion] + rng.normal(0, SPREAD)
    return Prosody(*values.tolist())
