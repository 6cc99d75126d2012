"""Probabilities from waveforms with a pretrained encoder; the windows of a long recording are averaged."""

from collections.abc import Sequence
from itertools import pairwise

import numpy
import torch

from emokit.audio.waveform.encoder import SpeechForAudioClassification
from emokit.audio.windows import average_windows, window_spans
from emokit.errors import DataError
from emokit.training.batches import cut

BATCH_WAVEFORMS = 64
BATCH_SECONDS = 120.0
# Encoders that respect the mask in every layer, once their normalisation over time does; others treat padding as audio.
MASKED = frozenset({"wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat", "whisper"})


def predict_waveforms(model: SpeechForAudioClassification, waveforms: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """The probabilities of each utterance.

    Args:
        model: with its `processor`.
        waveforms: per utterance (samples,) at the model's sample rate, of any length.

    Returns:
        (utterances, classes) float64, the mean over each utterance's windows; each row sums to one.
    """
    spans, probabilities = predict_windows(model, waveforms)
    return average_windows([row for row, _, _ in spans], probabilities, len(waveforms))


def predict_windows(
    model: SpeechForAudioClassification, waveforms: Sequence[numpy.ndarray]
) -> tuple[list[tuple[int, int, int]], numpy.ndarray]:
    """As `predict_waveforms`, before the mean: (utterance, first sample, end) of each window, and (windows, classes).

    Windows are batched by length and returned in the order of the input. For an encoder without a mask, only windows of equal
    length share a batch.
    """
    window = round(model.config.window_seconds * model.config.sample_rate)
    spans = window_spans([len(waveform) for waveform in waveforms], window, model.config.window_overlap)
    if not spans:
        raise DataError("There is no utterance to predict; name at least one.")
    lengths = model.processor.lengths(numpy.array([stop - start for _, start, stop in spans]))
    order = numpy.argsort(lengths, kind="stable")
    device = next(model.parameters()).device
    batches = cut(lengths[order], BATCH_WAVEFORMS, round(BATCH_SECONDS * model.processor.sample_rate))
    if model.config.encoder["model_type"] not in MASKED:
        batches = [equal for batch in batches for equal in _of_equal_length(batch, lengths[order])]
    probabilities = []
    with torch.inference_mode():
        for batch in batches:
            windows = [spans[number] for number in order[batch]]
            inputs = model.processor([waveforms[row][start:stop] for row, start, stop in windows])
            logits = model(**{name: values.to(device) for name, values in inputs.items()}).logits
            probabilities.append(logits.cpu().double().softmax(dim=1).numpy())
    return spans, numpy.concatenate(probabilities)[numpy.argsort(order)]


def _of_equal_length(batch: slice, ordered: numpy.ndarray) -> list[slice]:
    """A batch cut wherever the next window is longer."""
    changes = 1 + batch.start + numpy.flatnonzero(numpy.diff(ordered[batch]))
    return [slice(start, stop) for start, stop in pairwise([batch.start, *changes.tolist(), batch.stop])]
