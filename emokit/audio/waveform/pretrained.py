"""A pretrained speech encoder made ready for training: found, loaded, given a head, and learning rates by layer."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel

from emokit.audio.settings import AudioSettings, AudioTrainingSettings, FeatureSettings
from emokit.audio.waveform.batches import SHORTEST_SECONDS, SpeechProcessor, read_processor
from emokit.audio.waveform.encoder import SpeechConfig, SpeechForAudioClassification, alone
from emokit.errors import DataError, UsageError
from emokit.runtime import seed_everything
from emokit.training.hub import check_weights, find_model, read_pretrained
from emokit.training.layer_decay import depth, scaled_groups

LAYER, LOWEST = (
    r"\.layers\.(\d+)\.",
    ".",
)  # what has no number (convolutions, projections, positions) lies below the first
# What a checkpoint may lack: it is used in training only, or not at all.
UNNEEDED = ("masked_spec_embed", "pooler", "decoder")


def find_processor(settings: AudioSettings) -> tuple[Path, SpeechProcessor]:
    """The folder of the encoder that the settings name, fetched first where it must be, and its feature extractor.

    Raises:
        UsageError: the encoder wants another sample rate than was asked for, or hears less at a time than a window.
        DataError: it is not to be had.
    """
    of, name = settings.model, str(settings.model.name)
    folder = find_model(name, of.revision, pickled=True)
    ears = read_processor(folder, name, of.revision)
    asked = settings.features.sample_rate
    if asked not in (ears.sample_rate, FeatureSettings().sample_rate):
        raise UsageError(
            f"features.sample_rate is {asked} and {name} hears {ears.sample_rate} samples a second; leave it out: "
            "sound is resampled to what the encoder wants."
        )
    if ears.longest_seconds is not None and settings.data.window_seconds > ears.longest_seconds:
        raise UsageError(
            f"data.window_seconds is {settings.data.window_seconds:g} and {name} hears at most "
            f"{ears.longest_seconds:g} s at a time; lower it."
        )
    if settings.training.max_seconds_per_batch < (ears.longest_seconds or 0):
        raise UsageError(
            f"training.max_seconds_per_batch is {settings.training.max_seconds_per_batch:g} and {name} takes every utterance as "
            f"{ears.longest_seconds:g} s; raise it."
        )
    return folder, ears


def pretrained(settings: AudioSettings) -> SpeechForAudioClassification:
    """The encoder that the settings name with a new, seeded head, and its feature extractor as its `ears`.

    Raises:
        UsageError: as `find_processor`; or the encoder needs code of its own.
        DataError: it is not to be had, is damaged, or is no encoder of speech.
    """
    folder, ears = find_processor(settings)
    of, name = settings.model, str(settings.model.name)
    check_weights(folder, name, of.revision, pickled=True)
    how: dict[str, Any] = {"dtype": torch.float32, "output_loading_info": True, "weights_only": True}
    how["use_safetensors"] = any(folder.glob("*.safetensors"))
    loaded, info = read_pretrained(AutoModel, folder, name, of.revision, **how)
    missing = sorted(key for key in info["missing_keys"] if not any(part in key for part in UNNEEDED))
    if missing:
        raise DataError(
            f"{folder} lacks weights of its encoder, {missing[0]} among them; fetch or make it again, whole."
        )
    seed_everything(settings.training.seed)
    encoder = alone(loaded)
    _mask_only_what_is_long_enough(encoder, ears)
    model = SpeechForAudioClassification(
        SpeechConfig(
            encoder=encoder.config.to_dict(),
            frozen=of.frozen,
            classifier_hidden_size=of.classifier_hidden_size,
            dropout=of.dropout,
            sample_rate=ears.sample_rate,
            window_seconds=settings.data.window_seconds,
            window_overlap=settings.data.window_overlap,
        ),
        encoder,
    )
    model.ears = ears
    return model


def layer_groups(model: SpeechForAudioClassification, recipe: AudioTrainingSettings) -> list[dict[str, Any]] | None:
    """The optimiser's parameter groups: the head at the full learning rate, the encoder's layers the slower the lower.

    None where the encoder is frozen.
    """
    if model.config.frozen:
        return None
    top = len(model.layer_weights) - 1

    def scale(name: str) -> float:
        if not name.startswith("encoder."):
            return 1.0
        return recipe.encoder_lr_multiplier * recipe.layer_decay ** (top - depth(name, top, LAYER, LOWEST))

    return scaled_groups(model, scale, recipe.weight_decay)


def _mask_only_what_is_long_enough(encoder: Any, ears: SpeechProcessor) -> None:
    """Turn an encoder's own masking off where its masks are longer than the shortest sound: it would fail on it."""
    lengths = getattr(encoder, "_get_feat_extract_output_lengths", None)
    if lengths is None or not hasattr(encoder.config, "mask_time_length"):
        return
    shortest = int(lengths(torch.tensor(round(SHORTEST_SECONDS * ears.sample_rate))))
    if encoder.config.mask_time_length >= shortest:
        encoder.config.apply_spec_augment = False
