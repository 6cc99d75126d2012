"""A pretrained encoder over the windows of waveforms: probabilities, vectors, statistics of its layers."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy
import torch

from emokit.audio.waveform.encoder import EncoderModel, SpeechForAudioClassification
from emokit.audio.windows import average_windows, pool_steps, window_spans
from emokit.errors import DataError
from emokit.training.batches import cut

BATCH_WAVEFORMS = 64
BATCH_SECONDS = 120.0
# Encoders that respect the mask in every layer, once their normalisation over time does; others treat padding as audio.
MASKED = frozenset({"wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat", "whisper"})

Spans = list[tuple[int, int, int]]
"""(utterance, first sample, end) of each window."""


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
) -> tuple[Spans, numpy.ndarray]:
    """As `predict_waveforms`, before the mean: the windows, and (windows, classes)."""

    def probabilities(inputs: dict[str, torch.Tensor]) -> list[numpy.ndarray]:
        return list(model(**inputs).logits.cpu().double().softmax(dim=1).numpy())

    spans, rows = _of_windows(model, waveforms, probabilities)
    return spans, numpy.stack(rows)


def embed_waveform(model: SpeechForAudioClassification, waveform: numpy.ndarray, steps: int) -> numpy.ndarray:
    """(steps, dim) float32: at most `steps` vectors of a waveform (samples,), from the frames whose mean the head takes."""

    def frames(inputs: dict[str, torch.Tensor]) -> list[numpy.ndarray]:
        every, is_audio = model.time_steps(**inputs)
        return [window[mask].numpy() for window, mask in zip(every.cpu(), _masks(every, is_audio), strict=True)]

    _, windows = _of_windows(model, [waveform], frames)
    return pool_steps(windows, steps)


def layer_statistics(model: EncoderModel, waveforms: Sequence[numpy.ndarray]) -> tuple[Spans, numpy.ndarray]:
    """Mean and deviation of every layer over the frames of each window.

    Args:
        model: with its `processor`.
        waveforms: per utterance (samples,) at the model's sample rate, of any length.

    Returns:
        the windows, and (windows, layers, 2, dim) float32: the mean, then the deviation.
    """

    def statistics(inputs: dict[str, torch.Tensor]) -> list[numpy.ndarray]:
        states, is_audio = model.layers(**inputs)
        layers, masks = torch.stack(states, dim=1).cpu(), _masks(states[0], is_audio)
        results = []
        for window, mask in zip(layers, masks, strict=True):
            frames = window[:, mask].double()  # (layers, frames, dim)
            results.append(torch.stack([frames.mean(1), frames.std(1, correction=0)], dim=1).float().numpy())
        return results

    spans, rows = _of_windows(model, waveforms, statistics)
    return spans, numpy.stack(rows)


def _masks(frames: torch.Tensor, is_audio: torch.Tensor | None) -> torch.Tensor:
    """(B, T) bool, on the CPU: which frames (B, T, D) are audio."""
    return torch.ones(frames.shape[:2], dtype=torch.bool) if is_audio is None else is_audio.bool().cpu()


def _of_windows(
    model: EncoderModel,
    waveforms: Sequence[numpy.ndarray],
    compute: Callable[[dict[str, torch.Tensor]], list[numpy.ndarray]],
) -> tuple[Spans, list[numpy.ndarray]]:
    """All windows, and for each what `compute` returns for it in its batch.

    Windows are batched by length and returned in the order of the input. For an encoder without a mask, only windows of equal
    length share a batch.
    """
    window = round(model.config.window_seconds * model.config.sample_rate)
    spans = window_spans([len(waveform) for waveform in waveforms], window, model.config.window_overlap)
    if not spans:
        raise DataError("There is no utterance to predict; name at least one.")
    lengths = model.processor.lengths(numpy.array([stop - start for _, start, stop in spans]))
    order = numpy.argsort(lengths, kind="stable")
    batches = cut(lengths[order], BATCH_WAVEFORMS, round(BATCH_SECONDS * model.processor.sample_rate))
    if model.config.encoder["model_type"] not in MASKED:
        batches = [equal for batch in batches for equal in _of_equal_length(batch, lengths[order])]
    results: list[numpy.ndarray] = []
    with torch.inference_mode():
        for batch in batches:
            windows = [spans[number] for number in order[batch]]
            inputs = model.processor([waveforms[row][start:stop] for row, start, stop in windows])
            results += compute({name: values.to(model.device) for name, values in inputs.items()})
    return spans, [results[place] for place in numpy.argsort(order)]


def _of_equal_length(batch: slice, ordered: numpy.ndarray) -> list[slice]:
    """A batch cut wherever the next window is longer."""
    changes = 1 + batch.start + numpy.flatnonzero(numpy.diff(ordered[batch]))
    return [slice(start, stop) for start, stop in pairwise([batch.start, *changes.tolist(), batch.stop])]
