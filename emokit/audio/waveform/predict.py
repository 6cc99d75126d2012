"""From waveforms to probabilities with a pretrained encoder; the windows of a long recording are averaged."""

from collections.abc import Sequence
from itertools import pairwise

import numpy
import torch

from emokit.audio.spectrogram.batches import averaged, starts
from emokit.audio.waveform.encoder import SpeechForAudioClassification
from emokit.errors import DataError
from emokit.training.batches import cut

BATCH_WAVEFORMS = 64
BATCH_SECONDS = 120.0
# Encoders that keep to the mask all the way, once their normalisation over time does; the others hear padding as sound.
MASKED = frozenset({"wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat", "whisper"})


def probabilities(model: SpeechForAudioClassification, waveforms: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """Seven probabilities for each utterance.

    Args:
        model: with its feature extractor as its `ears`.
        waveforms: per utterance (samples,) at the model's sample rate, of any length.

    Returns:
        (utterances, classes) float64, the mean over each utterance's windows; each row sums to one.
    """
    pieces, found = by_window(model, waveforms)
    return averaged([row for row, _, _ in pieces], found, len(waveforms))


def by_window(
    model: SpeechForAudioClassification, waveforms: Sequence[numpy.ndarray]
) -> tuple[list[tuple[int, int, int]], numpy.ndarray]:
    """As `probabilities`, before the mean: (utterance, first sample, the one after the last) and (windows, classes).

    Windows are batched by length and given back in the order of the input; those of an encoder that hears padding share a
    batch only where they are equally long.
    """
    pieces = [(row, *span) for row, waveform in enumerate(waveforms) for span in windows(model, len(waveform))]
    if not pieces:
        raise DataError("There is no utterance to predict; name at least one.")
    lengths = model.ears.lengths(numpy.array([last - first for _, first, last in pieces]))
    order = numpy.argsort(lengths, kind="stable")
    device = next(model.parameters()).device
    parts = cut(lengths[order], BATCH_WAVEFORMS, round(BATCH_SECONDS * model.ears.sample_rate))
    if model.config.encoder["model_type"] not in MASKED:
        parts = [equal for part in parts for equal in _of_equal_length(part, lengths[order])]
    found = []
    with torch.inference_mode():
        for part in parts:
            batch = [pieces[number] for number in order[part]]
            inputs = model.ears([waveforms[row][first:last] for row, first, last in batch])
            logits = model(**{name: values.to(device) for name, values in inputs.items()}).logits
            found.append(logits.cpu().double().softmax(dim=1).numpy())
    return pieces, numpy.concatenate(found)[numpy.argsort(order)]


def _of_equal_length(part: slice, ordered: numpy.ndarray) -> list[slice]:
    """A batch cut where the next window is longer."""
    changes = 1 + part.start + numpy.flatnonzero(numpy.diff(ordered[part]))
    return [slice(start, stop) for start, stop in pairwise([part.start, *changes.tolist(), part.stop])]


def windows(model: SpeechForAudioClassification, num_samples: int) -> list[tuple[int, int]]:
    """The first sample of each window of a waveform, and the one after its last."""
    length = round(model.config.window_seconds * model.config.sample_rate)
    return [
        (first, min(first + length, num_samples)) for first in starts(num_samples, length, model.config.window_overlap)
    ]
