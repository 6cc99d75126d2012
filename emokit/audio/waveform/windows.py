"""The windows of waveforms, batched by length for an encoder; the same for every engine, without torch."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy

from emokit.audio.windows import window_spans
from emokit.errors import DataError
from emokit.training.batches import cut

BATCH_WAVEFORMS = 64
BATCH_SECONDS = 120.0
MIN_SECONDS = 0.25  # shorter audio is padded with silence: wav2vec 2.0 makes twelve frames of it, and masks ten
# Encoders that respect the mask in every layer, once their normalisation over time does; others treat padding as audio.
MASKED = frozenset({"wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat", "whisper"})

Spans = list[tuple[int, int, int]]
"""(utterance, first sample, end) of each window."""


class Processor(Protocol):
    """Makes the inputs of an encoder."""

    @property
    def sample_rate(self) -> int:
        """Of the waveforms, in Hz."""
        ...

    def __call__(self, waveforms: Sequence[numpy.ndarray]) -> dict[str, Any]:
        """Waveforms (samples,) -> the encoder's inputs by name."""
        ...


def padded_lengths(samples: numpy.ndarray, sample_rate: int) -> numpy.ndarray:
    """(utterances,) samples that are computed for waveforms of these lengths, padding to the shortest input included."""
    return numpy.maximum(samples, round(MIN_SECONDS * sample_rate))


def padded(waveforms: Sequence[numpy.ndarray], sample_rate: int) -> list[numpy.ndarray]:
    """The waveforms as float32, those that are too short for an encoder with silence at the end."""
    shortest = round(MIN_SECONDS * sample_rate)
    return [numpy.pad(waveform, (0, max(0, shortest - len(waveform)))).astype(numpy.float32) for waveform in waveforms]


def of_windows(
    config: Any,
    processor: Processor,
    waveforms: Sequence[numpy.ndarray],
    compute: Callable[[dict[str, Any]], list[numpy.ndarray]],
) -> tuple[Spans, list[numpy.ndarray]]:
    """All windows, and for each what `compute` returns for it in its batch.

    Windows are batched by length and returned in the order of the input. For an encoder without a mask, only windows of equal
    length share a batch.

    Args:
        config: has `sample_rate`, `window_seconds`, `window_overlap` and, in `encoder`, the encoder's `model_type`.
        processor: of the encoder.
        waveforms: per utterance (samples,), of any length.
        compute: takes the processor's output of a batch.

    Raises:
        DataError: there is no utterance.
    """
    window = round(config.window_seconds * config.sample_rate)
    spans = window_spans([len(waveform) for waveform in waveforms], window, config.window_overlap)
    if not spans:
        raise DataError("There is no utterance to predict; name at least one.")
    samples = numpy.array([stop - start for _, start, stop in spans])
    lengths = padded_lengths(samples, processor.sample_rate)
    order = numpy.argsort(lengths, kind="stable")
    batches = cut(lengths[order], BATCH_WAVEFORMS, round(BATCH_SECONDS * processor.sample_rate))
    if config.encoder["model_type"] not in MASKED:
        batches = [equal for batch in batches for equal in _of_equal_length(batch, lengths[order])]
    results: list[numpy.ndarray] = []
    for batch in batches:
        windows = [spans[number] for number in order[batch]]
        results += compute(processor([waveforms[row][start:stop] for row, start, stop in windows]))
    return spans, [results[place] for place in numpy.argsort(order)]


def _of_equal_length(batch: slice, ordered: numpy.ndarray) -> list[slice]:
    """A batch cut wherever the next window is longer."""
    changes = 1 + batch.start + numpy.flatnonzero(numpy.diff(ordered[batch]))
    return [slice(start, stop) for start, stop in pairwise([batch.start, *changes.tolist(), batch.stop])]
