"""Prediction of audio files and prepared rows by an exported speech encoder, without torch and transformers.

A `config` here is what the export states: `sample_rate`, `window_seconds`, `window_overlap`, `encoder` and `processor`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from emokit.audio.recordings import RecordingPredictions, read_flagged
from emokit.audio.settings import AudioSettings
from emokit.audio.spectrogram.mel import hann_window, mel_filters
from emokit.audio.waveform.windows import Spans, of_windows, padded
from emokit.engines.protocol import Engine, probabilities
from emokit.errors import DataError
from emokit.training.windows import average_windows

if TYPE_CHECKING:
    import pandas

    from emokit.data.prepared import Prepared

SMALLEST_VARIANCE = 1e-7  # of wav2vec 2.0's feature extractor
SMALLEST_POWER, DYNAMIC_RANGE, HIGHEST_HERTZ = 1e-10, 8.0, 8000.0  # of Whisper's, the range in powers of ten


@dataclass(frozen=True)
class FastProcessor:
    """Makes the inputs that `SpeechProcessor` makes, with numpy."""

    sample_rate: int
    facts: dict[str, Any]
    """As `SpeechProcessor.facts` returns them."""

    def __call__(self, waveforms: Sequence[numpy.ndarray]) -> dict[str, numpy.ndarray]:
        """The encoder's inputs: waveforms (utterances, samples) or log-mels, and the mask of what is not padding."""
        rows = [self._row(waveform) for waveform in padded(waveforms, self.sample_rate)]  # each (values, …) over time
        batch = numpy.zeros((len(rows), max(map(len, rows)), *rows[0].shape[1:]), numpy.float32)
        mask = numpy.zeros(batch.shape[:2], numpy.int64)
        for number, row in enumerate(rows):
            batch[number, : len(row)], mask[number, : len(row)] = row, 1
        if "n_fft" in self.facts:
            return {"input_features": numpy.ascontiguousarray(batch.transpose(0, 2, 1)), "attention_mask": mask}
        return {"input_values": batch, "attention_mask": mask}

    def _row(self, waveform: numpy.ndarray) -> numpy.ndarray:
        if "n_fft" in self.facts:
            return self._log_mel(waveform)
        if not self.facts["do_normalize"]:
            return waveform
        standard: numpy.ndarray = (waveform - waveform.mean()) / numpy.sqrt(waveform.var() + SMALLEST_VARIANCE)
        return standard

    def _log_mel(self, waveform: numpy.ndarray) -> numpy.ndarray:
        """Whisper's log-mel (frames, mels) of a recording that is followed by silence."""
        import scipy.fft

        size, hop, mels = self.facts["n_fft"], self.facts["hop_length"], self.facts["feature_size"]
        count = -(-len(waveform) // hop)
        silent = numpy.pad(waveform, (0, count * hop + size - len(waveform)))
        around = numpy.pad(silent, size // 2, mode="reflect")
        frames = numpy.lib.stride_tricks.sliding_window_view(around, size)[::hop]
        spectrum = scipy.fft.rfft(frames * hann_window(size).astype(numpy.float32), axis=1)
        power = numpy.square(numpy.abs(spectrum[: 1 + len(silent) // hop - 1]))
        log_mel = numpy.log10(
            numpy.maximum(power @ mel_filters(self.sample_rate, size, mels, 0.0, HIGHEST_HERTZ).T, SMALLEST_POWER)
        )
        result: numpy.ndarray = (numpy.maximum(log_mel, log_mel.max() - DYNAMIC_RANGE) + 4) / 4
        return result[:count]


def predict_rows(
    engine: Engine, config: Any, settings: AudioSettings, prepared: "Prepared", rows: "pandas.DataFrame"
) -> numpy.ndarray:
    """(utterances, classes) probabilities of rows of a prepared folder."""
    from emokit.audio.waveform.batches import waveforms_of

    waveforms = waveforms_of(prepared, rows, config.sample_rate)
    spans, by_window = _predicted(engine, config, waveforms)
    return average_windows([row for row, _, _ in spans], by_window, len(waveforms))


def predict_recordings(
    engine: Engine, config: Any, paths: Sequence[Path]
) -> Iterator[RecordingPredictions | DataError]:
    """The probabilities of audio files in their order, or the error of each."""
    for path in paths:
        try:
            waveform, flags = read_flagged(path, config.sample_rate)
            spans, by_window = _predicted(engine, config, [waveform])
        except DataError as error:
            yield error
        else:
            seconds = numpy.array([span for _, *span in spans]) / config.sample_rate
            yield RecordingPredictions(seconds, by_window, tuple(map(str, flags)))


def _predicted(engine: Engine, config: Any, waveforms: Sequence[numpy.ndarray]) -> tuple[Spans, numpy.ndarray]:
    """The windows of waveforms, and their probabilities (windows, classes)."""
    processor = FastProcessor(config.sample_rate, config.processor)
    spans, rows = of_windows(config, processor, waveforms, lambda inputs: list(probabilities(engine(inputs))))
    return spans, numpy.stack(rows)
