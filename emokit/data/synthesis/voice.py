"""Source-filter synthesis of speech-like audio (Fant 1960), fast enough for thousands of utterances.

Glottal pulses and noise are cut into overlapping frames. The spectrum of each frame is multiplied by the gain of the vocal
tract's resonances, and the frames are overlapped and added.
"""

from dataclasses import dataclass

import numpy
import scipy.fft
import scipy.signal

from emokit.data.synthesis.prosody import Prosody, Speaker

FRAME_SECONDS = 0.008
PEAK_DB = -3.0

# Resonances F1 to F3 of a man's vowels in Hz (Peterson and Barney 1952); F4 and F5 are the same for all.
VOWELS = numpy.array([[730, 1090, 2440], [530, 1840, 2480], [270, 2290, 3010], [570, 840, 2410], [300, 870, 2240]])
HIGH_RESONANCES = numpy.array([3500.0, 4500.0], numpy.float32)
BANDWIDTHS = (70.0, 90.0, 130.0, 200.0, 300.0)

# Centre of a consonant's noise, Hz: s, sh, f; 0 is a consonant that is a short silence.
CONSONANTS = numpy.array([5500.0, 3000.0, 4200.0, 0.0], numpy.float32)


@dataclass(frozen=True)
class Sentence:
    """A sentence, one entry per syllable."""

    vowels: numpy.ndarray
    consonants: numpy.ndarray
    stress: numpy.ndarray
    """0..1."""
    seconds: numpy.ndarray
    """Duration of the vowel at ordinary speed."""


def draw_sentence(seed: numpy.random.SeedSequence) -> Sentence:
    """Draw a sentence of five to seven syllables."""
    rng = numpy.random.default_rng(seed)
    num_syllables = int(rng.integers(5, 8))
    stress = numpy.where(numpy.arange(num_syllables) % 2 == rng.integers(2), 1.0, 0.2)
    return Sentence(
        vowels=rng.integers(len(VOWELS), size=num_syllables),
        consonants=rng.integers(len(CONSONANTS), size=num_syllables),
        stress=stress,
        seconds=rng.uniform(0.1, 0.14, num_syllables) * (1 + 0.3 * stress),
    )


@dataclass(frozen=True)
class Tracks:
    """An utterance over time, float32, one value per frame of FRAME_SECONDS."""

    semitones: numpy.ndarray
    resonances: numpy.ndarray
    """(frames, 5), Hz."""
    voiced: numpy.ndarray
    """Amplitude of the pulses; 1 is an unstressed vowel."""
    hiss: numpy.ndarray
    """Amplitude of the consonants' noise, on the same scale."""
    hiss_hz: numpy.ndarray


def draw_tracks(sentence: Sentence, prosody: Prosody, tract: float, rng: numpy.random.Generator) -> Tracks:
    """Draw the times of the syllables and pauses, and pitch, resonances and amplitudes over time."""
    speed = 2 ** _between(-0.8, prosody.rate, 0.8)
    num_syllables = len(sentence.vowels)
    pauses = rng.dirichlet(numpy.full(num_syllables - 1, 0.4)) * _between(0, prosody.pause, 0.5)
    pauses = numpy.concatenate([[0.06], pauses])
    consonant_seconds = rng.uniform(0.05, 0.09, num_syllables) / speed
    vowel_seconds = sentence.seconds * rng.uniform(0.85, 1.15, num_syllables) / speed

    # Each syllable is a pause, a consonant and a vowel; the utterance ends in a short silence.
    segments = numpy.stack([pauses, consonant_seconds, vowel_seconds], axis=1).reshape(-1)
    lengths = numpy.append(numpy.maximum(numpy.round(segments / FRAME_SECONDS), 0), 8).astype(int)
    kind = numpy.repeat(numpy.append(numpy.tile([0, 1, 2], num_syllables), 0), lengths)
    syllable = numpy.repeat(numpy.append(numpy.repeat(numpy.arange(num_syllables), 3), num_syllables - 1), lengths)
    num_frames = len(kind)

    start = numpy.searchsorted(syllable, numpy.arange(num_syllables))
    inside = numpy.arange(num_frames) - start[syllable]
    inside = numpy.clip(inside / numpy.bincount(syllable)[syllable], 0, 1)
    along = numpy.linspace(0, 1, num_frames)
    heights = sentence.stress + rng.normal(0, 0.2, num_syllables)
    semitones = (
        prosody.pitch
        + (2.5 + prosody.accent) * heights[syllable] * numpy.sin(numpy.pi * inside)
        + prosody.slope * (along - 0.5)
        + prosody.ending * numpy.clip((along - 0.67) / 0.33, 0, 1)
        + prosody.glide * (inside - 0.5)
        - 2.0 * along
    )
    trembling = _between(0, prosody.tremor, 1) * numpy.sin(
        2 * numpy.pi * (rng.uniform(5.5, 8.0) * FRAME_SECONDS * numpy.arange(num_frames) + rng.uniform())
    )
    loudness = 10 ** ((prosody.swell * (along - 0.5) + 2 * sentence.stress[syllable]) / 20) * (1 + 0.6 * trembling)
    tract *= 1 + _between(-15, prosody.smile, 15) / 100
    resonances = tract * VOWELS[sentence.vowels] * rng.normal(1, 0.03, (num_syllables, 3))
    high = numpy.tile(numpy.float32(tract) * HIGH_RESONANCES, (num_frames, 1))
    hiss_hz = CONSONANTS[sentence.consonants]
    return Tracks(
        semitones=_smooth(semitones + 0.8 * trembling, 7),
        resonances=numpy.concatenate([_smooth(resonances[syllable], 11), high], axis=1),
        voiced=_smooth(loudness * (kind == 2), 5),
        hiss=_smooth(loudness * ((kind == 1) & (hiss_hz[syllable] > 0)), 5),
        hiss_hz=hiss_hz[syllable],
    )


def speak(
    speaker: Speaker, sentence: Sentence, prosody: Prosody, sample_rate: int, rng: numpy.random.Generator
) -> numpy.ndarray:
    """Synthesise a sentence.

    Returns:
        Waveform (samples,), float64, between -1 and 1, its peak at -3 dBFS or below.
    """
    tracks = draw_tracks(sentence, prosody, speaker.tract, rng)
    hop = round(FRAME_SECONDS * sample_rate)
    num_frames = len(tracks.semitones)
    num_samples = num_frames * hop
    pulses = _pulses(tracks, speaker.pitch_hz, _between(0.3, 1 + prosody.jitter, 6) / 100, hop, sample_rate, rng)
    noise = rng.standard_normal(num_samples, numpy.float32)

    hertz = numpy.linspace(0, sample_rate / 2, 2 * hop + 1, dtype=numpy.float32)
    tract = _tract(tracks.resonances, hertz)
    octaves = numpy.log2(numpy.maximum(hertz, 300) / 300)
    tilted = 10 ** (octaves * (_between(-6, prosody.tilt - 2, 2) / 20))
    breath = 10 ** ((_between(-10, prosody.breath, 12) - 32) / 20)
    hiss = numpy.exp(-(((hertz - tracks.hiss_hz[:, None]) / 1200) ** 2))
    voiced = tracks.voiced[:, None]
    spectrum = _frames(pulses, hop) * (tract * tilted * voiced)
    spectrum += _frames(noise, hop) * (tract * breath * voiced + 0.05 * hiss * tracks.hiss[:, None])
    waveform = _overlap_add(spectrum, hop)

    waveform /= numpy.abs(waveform).max()
    decibels = PEAK_DB - 0.5 - _between(0, 8 - prosody.level, 24)
    background = scipy.signal.lfilter([1.0], [1.0, -0.9], rng.standard_normal(num_samples)) * 10 ** (
        speaker.noise_db / 20
    )
    return numpy.clip(waveform * 10 ** (decibels / 20) + background, -(10 ** (PEAK_DB / 20)), 10 ** (PEAK_DB / 20))


def _pulses(
    tracks: Tracks, pitch_hz: float, jitter: float, hop: int, sample_rate: int, rng: numpy.random.Generator
) -> numpy.ndarray:
    """Derivative of the glottal flow, (samples,): each period opens, closes sharply and rests (Rosenberg 1971)."""
    num_samples = len(tracks.semitones) * hop
    hertz = numpy.clip(pitch_hz * 2 ** (tracks.semitones / 12), 50, 600)
    hertz = numpy.interp(numpy.arange(num_samples), numpy.arange(len(hertz)) * hop, hertz)
    periods = numpy.cumsum(hertz) / sample_rate
    period = periods.astype(int)
    # Shimmer is about three times jitter in ordinary voices.
    shift = rng.normal(0, jitter, period[-1] + 2)
    strength = 1 + rng.normal(0, 3 * jitter, period[-1] + 2)
    phase = periods - period + shift[period]
    opening = numpy.sin(numpy.pi * phase / 0.45) * ((phase > 0) & (phase < 0.45))
    closing = -3.5 * numpy.sin(numpy.pi * (phase - 0.45) / 0.3) * ((phase >= 0.45) & (phase < 0.6))
    return ((opening + closing) * strength[period]).astype(numpy.float32)


def _tract(resonances: numpy.ndarray, hertz: numpy.ndarray) -> numpy.ndarray:
    """Gain of the cascaded resonances, (frames, bins); 1 at 0 Hz."""
    squared = numpy.square(hertz)
    gain = numpy.ones((len(resonances), len(hertz)), numpy.float32)
    for centre, bandwidth in zip(resonances.T, BANDWIDTHS, strict=True):
        relative = squared / numpy.square(centre)[:, None]
        gain *= numpy.square(1 - relative) + relative * numpy.square(bandwidth / centre)[:, None]
    return 1 / numpy.sqrt(gain)


def _frames(waveform: numpy.ndarray, hop: int) -> numpy.ndarray:
    """Spectra of the overlapping frames, (frames, bins)."""
    padded = numpy.pad(waveform, (2 * hop, 2 * hop))
    frames = numpy.lib.stride_tricks.sliding_window_view(padded, 4 * hop)[::hop][: len(waveform) // hop]
    return scipy.fft.rfft(frames * scipy.signal.get_window("hann", 4 * hop).astype(numpy.float32))


def _overlap_add(spectrum: numpy.ndarray, hop: int) -> numpy.ndarray:
    """The waveform of overlapping frames with these spectra, (samples,)."""
    num_frames = len(spectrum)
    quarters = scipy.fft.irfft(spectrum).reshape(num_frames, 4, hop)
    waveform = numpy.zeros((num_frames + 3, hop), numpy.float32)
    for quarter in range(4):
        waveform[quarter : quarter + num_frames] += quarters[:, quarter]
    return waveform[2 : 2 + num_frames].reshape(-1) / 2


def _smooth(track: numpy.ndarray, width: int) -> numpy.ndarray:
    """A moving Hann average over the frames, with repeated edges."""
    window = scipy.signal.get_window("hann", width + 2, fftbins=False)[1:-1]
    window /= window.sum()
    columns = track.reshape(len(track), -1)
    padded = numpy.pad(columns, ((width // 2, width // 2), (0, 0)), mode="edge")
    smoothed = numpy.stack([numpy.convolve(column, window, mode="valid") for column in padded.T], axis=1)
    return smoothed.reshape(track.shape).astype(numpy.float32)


def _between(low: float, value: float, high: float) -> float:
    """The value, limited to the bounds."""
    return min(max(value, low), high)
