"""The processor of a pretrained speech encoder: waveforms to the encoder's inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from transformers import (
    AutoFeatureExtractor,
    PretrainedConfig,
    SequenceFeatureExtractor,
    Wav2Vec2FeatureExtractor,
    WhisperFeatureExtractor,
)

from emokit.audio.waveform.windows import MIN_SECONDS as MIN_SECONDS
from emokit.audio.waveform.windows import padded, padded_lengths
from emokit.errors import DataError, UsageError
from emokit.training.hub import read_pretrained

PROCESSOR = "preprocessor_config.json"
WHOLE = ("sampling_rate", "feature_size", "hop_length", "n_fft", "n_samples")


@dataclass(frozen=True)
class SpeechProcessor:
    """The feature extractor of an encoder, with its lengths."""

    extractor: SequenceFeatureExtractor

    @property
    def sample_rate(self) -> int:
        """Of the waveforms, in Hz."""
        return int(self.extractor.sampling_rate)

    @property
    def max_seconds(self) -> float | None:
        """The longest input of the encoder, such as Whisper's; None for encoders without one."""
        samples = getattr(self.extractor, "n_samples", None)
        return samples / self.sample_rate if samples else None

    def lengths(self, samples: numpy.ndarray) -> numpy.ndarray:
        """(utterances,) samples that are computed for waveforms of these lengths, padding to the shortest input included."""
        return padded_lengths(samples, self.sample_rate)

    def facts(self) -> dict[str, Any]:
        """What `recordings.FastProcessor` needs to make the same inputs."""
        names = ("n_fft", "hop_length", "feature_size") if self.max_seconds is not None else ("do_normalize",)
        return {name: getattr(self.extractor, name) for name in names}

    def __call__(self, waveforms: Sequence[numpy.ndarray]) -> dict[str, torch.Tensor]:
        """The encoder's inputs: waveforms (utterances, samples) or log-mels, and the mask of what is not padding."""
        long_enough = padded(waveforms, self.sample_rate)
        if isinstance(self.extractor, WhisperFeatureExtractor):
            return self._log_mels(long_enough)
        return dict(
            self.extractor(
                long_enough,
                sampling_rate=self.sample_rate,
                padding="longest",
                return_attention_mask=True,
                return_tensors="pt",
            )
        )

    def _log_mels(self, waveforms: Sequence[numpy.ndarray]) -> dict[str, torch.Tensor]:
        """Whisper's log-mels (utterances, mels, frames) and the mask of their frames, each as if it were padded to 30 s."""
        hop, window = self.extractor.hop_length, self.extractor.n_fft
        lengths = [-(-len(waveform) // hop) for waveform in waveforms]
        features = torch.zeros(len(waveforms), self.extractor.feature_size, max(lengths))
        mask = torch.zeros(len(waveforms), max(lengths), dtype=torch.int64)
        for row, (waveform, length) in enumerate(zip(waveforms, lengths, strict=True)):
            # The last frames reach beyond the recording, where padding would be silence too.
            silent = numpy.pad(waveform, (0, length * hop + window - len(waveform)))
            values = self.extractor(silent, sampling_rate=self.sample_rate, padding="do_not_pad", truncation=False)
            features[row, :, :length] = torch.as_tensor(numpy.asarray(values["input_features"][0]))[:, :length]
            mask[row, :length] = 1
        return {"input_features": features, "attention_mask": mask}


def read_processor(folder: Path, name: str, revision: str | None = None) -> SpeechProcessor:
    """The processor in a folder.

    Args:
        folder: as `hub.find_model` found it.
        name, revision: of the model, for errors.

    Raises:
        DataError: the folder has none, or it is damaged.
        UsageError: emokit does not support its type.
    """
    if not (folder / PROCESSOR).is_file():
        raise DataError(f"{folder} has no {PROCESSOR}, so it is no speech encoder; correct model.name.")
    extractor = read_pretrained(AutoFeatureExtractor, folder, name, revision)
    if not isinstance(extractor, Wav2Vec2FeatureExtractor | WhisperFeatureExtractor):
        raise UsageError(
            f"{name} has a {type(extractor).__name__}, and emokit supports those of wav2vec 2.0, HuBERT, WavLM and Whisper; "
            "choose another model.name."
        )
    _check_values(extractor, folder / PROCESSOR)
    # The pipeline of transformers asks for no mask and takes this default; without one, Whisper's padding would count as speech.
    extractor.return_attention_mask = True
    return SpeechProcessor(extractor)


def check_processor(processor: SpeechProcessor, encoder: PretrainedConfig, folder: Path, advice: str) -> None:
    """Refuse a processor that makes other inputs than an encoder takes.

    Args:
        processor: read from the folder.
        encoder: the config of the encoder in it.
        folder: for errors.
        advice: what to do.

    Raises:
        DataError: names the difference.
    """
    extractor = processor.extractor
    if isinstance(extractor, WhisperFeatureExtractor) != (encoder.model_type == "whisper"):
        fault = f"is a {type(extractor).__name__} and its encoder is {encoder.model_type}"
    elif encoder.model_type != "whisper":
        return
    elif extractor.feature_size != encoder.num_mel_bins:
        fault = f"makes {extractor.feature_size} mel bins and its encoder takes {encoder.num_mel_bins}"
    elif extractor.n_samples // extractor.hop_length > 2 * encoder.max_source_positions:
        frames = extractor.n_samples // extractor.hop_length
        fault = f"makes up to {frames} frames and its encoder takes {2 * encoder.max_source_positions}"
    else:
        return
    raise DataError(f"{folder / PROCESSOR} {fault}, so they do not belong together; {advice}.")


def _check_values(extractor: SequenceFeatureExtractor, path: Path) -> None:
    """Refuse values of another type than the extractor computes with: it takes them without a word.

    Raises:
        DataError: names the first one, and what was expected.
    """
    for name in WHOLE:
        value = getattr(extractor, name, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise DataError(f"{path} has {name} = {value!r} where a whole number above 0 was expected; correct it.")
    if isinstance(extractor, Wav2Vec2FeatureExtractor) and extractor.feature_size != 1:
        raise DataError(f"{path} has feature_size = {extractor.feature_size} where 1 was expected; correct it.")
    if not isinstance(switch := getattr(extractor, "do_normalize", True), bool):
        raise DataError(f"{path} has do_normalize = {switch!r} where true or false was expected; correct it.")
