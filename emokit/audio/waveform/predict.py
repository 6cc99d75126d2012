"""A pretrained encoder over the windows of waveforms: probabilities, vectors, statistics of its layers."""

from collections.abc import Callable, Sequence

import numpy
import torch

from emokit.audio.waveform.encoder import EncoderModel, SpeechForAudioClassification
from emokit.audio.waveform.windows import Spans, of_windows
from emokit.audio.windows import pool_steps
from emokit.training.windows import average_windows


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
    """As `of_windows`, with the inputs on the model's device."""

    def on_device(inputs: dict[str, torch.Tensor]) -> list[numpy.ndarray]:
        return compute({name: values.to(model.device) for name, values in inputs.items()})

    with torch.inference_mode():
        return of_windows(model.config, model.processor, waveforms, on_device)
